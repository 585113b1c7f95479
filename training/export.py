"""Make trained arrays the weights that ship.

    python -m training.export runs/sharp/weights.npz

Writes model/weights/magenta-small.npz and its line of SHA256SUMS, the form that `sha256sum --check` reads.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

from model.networks.architecture import SMALL
from model.weights.npz import write_npz
from model.weights.registry import SHIPPED_MAGENTA


def export(sources: list[Path], target: Path) -> None:
    """Joins the arrays of `sources` into the weights file `target` and records its hash beside it."""
    write_npz(target, SMALL, {name: array for path in sources for name, array in np.load(path).items()})
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name("SHA256SUMS").write_text(f"{digest}  {target.name}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", help="weights.npz of one or more runs")
    args = parser.parse_args()
    export(args.sources, SHIPPED_MAGENTA)
    print(f"{SHIPPED_MAGENTA}: {SHIPPED_MAGENTA.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
