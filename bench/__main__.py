"""How fast it is, side by side with every other way to run the same networks; writes docs/benchmarks.md.

    python -m bench                  everything: more than an hour, on a machine that does nothing else
    python -m bench network load     some of the sections; prints them and writes nothing

Each section is a module of this folder whose `section()` measures and returns Markdown.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from bench._measure import ROOT, machine

SECTIONS = ("network", "request", "load", "start", "megapixels", "gpu")

PAGE = """# How fast it is

Measured side by side, on {machine}.
Seconds are for comparing with each other: yours will differ, their ratios much less. Every figure is a median of five
or more, unless it says otherwise.

{sections}

Made by `make bench`.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    chosen = parser.parse_args().sections or SECTIONS
    if wrong := set(chosen) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(wrong)}: choose among {', '.join(SECTIONS)}")
    found = []
    for name in chosen:
        found.append(import_module(f"bench.{name}").section())
        print(found[-1], flush=True)
    if tuple(chosen) == SECTIONS:
        page = PAGE.format(machine=machine(), sections="\n\n".join(found))
        (ROOT / "docs" / "benchmarks.md").write_text(page, "utf-8")


if __name__ == "__main__":
    main()
