"""Measure how evenly pictures change with strength: as a mean difference to the photo, and as LPIPS.

    python -m training.strength --photos DATA/eval/content --vgg16 VGG16.npz --out strength.md [--count 3]

Each is a share of what strength 1 changes, averaged over the gallery and the photos; a straight line would have
the strength itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.finetuning.precision import fastest_policy
from model.options import NetworkChoice, StylizeOptions
from model.pipelines import gallery
from model.pipelines.stylization import stylize
from training import vgg16
from training.data import fit, load_pictures
from training.scores import VGG16Judge

SIDE = 256  # pixels, long side of photos
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def changes(photo: np.ndarray, style: Path, network: NetworkChoice, judge: VGG16Judge) -> np.ndarray:
    """Return mean difference and LPIPS to the photo at each of STRENGTHS, (2, N), as shares of those at the last."""
    before, found = features(judge, photo), []
    for strength in STRENGTHS:
        pastiche = stylize(photo, [style], StylizeOptions(strength=strength, network=network)).picture.rgb
        lpips = float(vgg16.lpips(features(judge, pastiche), before, judge.linear)[0])
        found.append((np.abs(pastiche - photo).mean(), lpips))
    table = np.array(found).T
    return table / table[:, -1:]


def features(judge: VGG16Judge, picture: np.ndarray) -> list[np.ndarray]:
    """Return what LPIPS compares."""
    maps: list[np.ndarray] = judge.predict_on_batch(picture[None])
    return maps[len(vgg16.STYLE_LAYERS) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--vgg16", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3, help="only the first so many photos")
    parser.add_argument("--out", type=Path, required=True, help="the table, as Markdown")
    args = parser.parse_args()
    judge = VGG16Judge(args.vgg16, fastest_policy().removeprefix("mixed_"))
    photos = [fit(photo, long=SIDE) for photo in load_pictures(args.photos)[: args.count]]
    styles = sorted(path for path in gallery.FOLDER.glob("*.jpg") if gallery.find(path.stem))
    lines = ["| strength | " + " | ".join(f"{strength:g}" for strength in STRENGTHS) + " |", "|---" * 6 + "|"]
    for network, name in (("auto", "own networks"), ("shared", "shared network")):
        measured = [changes(photo, style, network, judge) for style in tqdm(styles) for photo in photos]
        for row, kind in zip(np.mean(measured, axis=0), ("mean difference", "LPIPS"), strict=True):
            lines.append(f"| {name}, {kind} | " + " | ".join(f"{share:.2f}" for share in row) + " |")
    args.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
