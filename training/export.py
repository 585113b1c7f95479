"""Make trained arrays the weights that ship.

    python -m training.export runs/sharp/weights.npz

Writes model/weights/magenta-small.npz and its line of SHA256SUMS, the form that `sha256sum --check` reads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from model.networks.architecture import SMALL
from model.weights.checksums import file_sha256
from model.weights.npz import write_npz
from model.weights.registry import SHIPPED_MAGENTA


def export(sources: list[Path], target: Path) -> None:
    """Join the arrays of `sources` into the weights file `target` and record its hash beside it."""
    write_npz(target, SMALL, {name: array for path in sources for name, array in np.load(path).items()})
    record_sha256(target)


def record_sha256(target: Path) -> None:
    """Write the hash of `target` into the SHA256SUMS beside it; the lines of other files stay."""
    table = target.with_name("SHA256SUMS")
    lines = table.read_text().splitlines() if table.exists() else []
    others = [line for line in lines if not line.endswith(f" {target.name}")]
    own = f"{file_sha256(target)}  {target.name}"
    table.write_text("".join(f"{line}\n" for line in sorted([*others, own], key=lambda line: line.split()[1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", help="weights.npz of one or more runs")
    args = parser.parse_args()
    export(args.sources, SHIPPED_MAGENTA)
    print(f"{SHIPPED_MAGENTA}: {SHIPPED_MAGENTA.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
