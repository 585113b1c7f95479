"""Measure whether pictures of all sizes look alike: painted from coarse to fine, and at once.

    python -m training.sizes --photos DATA/eval/content --vgg VGG19.weights.h5 --out sizes.md [--count 2]

Each is made as small as a screen shows it, and compared there: its style with the painting's by VGG19, and itself, by
SSIM, with the picture of the smallest size.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity
from tqdm import tqdm

from docs.paintings import PAINTINGS
from model.finetuning.precision import fastest_policy
from model.imaging import pixel_ops
from model.options import StylizeOptions
from model.pipelines import coarse_to_fine, gallery
from model.pipelines.stylization import stylize
from training.data import fit, load_pictures, to_array
from training.scores import VGG19Judge, style_loss

VIEW = 384  # pixels, long side at which all are compared
SIDES = (640, 1024, 2048, 4096)  # pixels, long side
WAYS = ("coarse to fine", "at once")


@contextmanager
def at_once() -> Iterator[None]:
    """Paint every size by one pass."""
    brush, coarse_to_fine.BRUSH_SIDE = coarse_to_fine.BRUSH_SIDE, max(SIDES)
    try:
        yield
    finally:
        coarse_to_fine.BRUSH_SIDE = brush


def measure(photo: Image.Image, name: str, judge: VGG19Judge) -> list[tuple[float, float]]:
    """Return style error and SSIM at each of SIDES."""
    targets = judge.predict_on_batch(fit(PAINTINGS[name](), long=VIEW)[None])[:-1]
    found: list[tuple[float, float]] = []
    first: np.ndarray | None = None
    for side in SIDES:
        pastiche = stylize(to_array(photo), [gallery.painting_path(name)], StylizeOptions(size=side)).picture.rgb
        view = pixel_ops.thumbnail(pastiche, VIEW)
        first = view if first is None else first
        likeness = structural_similarity(view, first, channel_axis=2, data_range=1.0)
        found.append((style_loss(judge.predict_on_batch(view[None])[:-1], targets), float(likeness)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--count", type=int, default=2, help="only the first so many photos")
    parser.add_argument("--styles", nargs="+", default=list(PAINTINGS), choices=list(PAINTINGS))
    parser.add_argument("--out", type=Path, required=True, help="the table, as Markdown")
    args = parser.parse_args()
    judge = VGG19Judge(args.vgg, fastest_policy().removeprefix("mixed_"))
    pairs = [(photo, name) for photo in load_pictures(args.photos)[: args.count] for name in args.styles]
    measured = [measure(photo, name, judge) for photo, name in tqdm(pairs)]
    with at_once():
        plain = [measure(photo, name, judge) for photo, name in tqdm(pairs)]
    args.out.write_text(table(dict(zip(WAYS, (measured, plain), strict=True))) + "\n")
    print(args.out.read_text())


def table(measured: dict[str, list[list[tuple[float, float]]]]) -> str:
    """Write means over the pairs as Markdown, a row for each way and measure."""
    lines = ["| | " + " | ".join(f"{side} px" for side in SIDES) + " |", "|---" * (1 + len(SIDES)) + "|"]
    for way, rows in measured.items():
        mean = np.mean(rows, axis=0)
        for kind, values in (("style error", mean[:, 0]), ("SSIM to the smallest", mean[:, 1])):
            lines.append(f"| {way}, {kind} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
