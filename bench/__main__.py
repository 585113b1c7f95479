"""How fast it is, side by side with every other way to run the same networks; writes docs/benchmarks.md.

    python -m bench                  everything: more than an hour, on a machine that does nothing else
    python -m bench --keep FOLDER    the same, and goes on from what an earlier run has left in FOLDER
    python -m bench network load     some of the sections; prints them and leaves the page as it is

Each section is a module of this folder whose `section()` measures and returns Markdown. It has a process of its own, so
that none meets what another has loaded, or ends with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from bench._apart import apart
from bench._measure import ROOT, machine

SECTIONS = ("network", "request", "load", "start", "megapixels", "gpu")

PAGE = """# How fast it is

Measured side by side, on {machine}. The last section is about GPUs.
Seconds are for comparing with each other: yours will differ, and so will their ratios where a processor has other
instructions. Every figure is a median of five or more, unless it says otherwise.

{sections}

Made by `make bench`.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of sections; what it has is not measured anew")
    given = parser.parse_args(arguments)
    chosen = tuple(given.sections) or SECTIONS
    if wrong := set(chosen) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(wrong)}: choose among {', '.join(SECTIONS)}")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    sections = {name: import_module(f"bench.{name}").section for name in chosen}  # tells what is not installed
    found = [shown(name, section, given.keep) for name, section in sections.items()]
    if None in found:
        sys.exit(1)
    if tuple(sections) == SECTIONS:
        page = PAGE.format(machine=machine(), sections="\n\n".join(map(str, found)))
        (ROOT / "docs" / "benchmarks.md").write_text(page, "utf-8")


def shown(name: str, section: Callable[[], str], folder: Path | None) -> str | None:
    """Printed, too; None where it failed."""
    text = apart(section) if folder is None else kept(folder / f"{name}.md", section)
    print(f"The section {name} failed: see above." if text is None else text, flush=True)
    return text


def kept(file: Path, section: Callable[[], str]) -> str | None:
    """What the file has, or will have now unless it fails."""
    if file.exists():
        return file.read_text("utf-8")
    text = apart(section)
    if text is not None:
        file.write_text(text, "utf-8")
    return text


if __name__ == "__main__":
    main()
