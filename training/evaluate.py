"""Score weights against Magenta's mobile network ("Lite") on pairs that neither was trained on.

    python -m training.evaluate --data DATA/eval --lite LITE --vgg VGG19.weights.h5 --out scores [WEIGHTS ...]

Photos are paired with paintings in sorted order. Style loss: the relative error of the pastiche's Gram matrices to the
painting's, mean over relu1_1 ... relu5_1 of VGG19; content loss: that of relu4_2 to the photo's. Both are given as the
mean over pairs of the ratio to Lite's, lower being better, beside the plain means. SSIM is to the photo.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from skimage.metrics import structural_similarity
from tqdm import tqdm

from model.networks.architecture import Architecture
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.refinement.losses import gram, relative_error
from model.weights.npz import read_weights
from model.weights.registry import SHIPPED_MAGENTA
from training.data import load_pictures, to_array
from training.distill import load_teacher
from training.sheet import contact_sheet
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, vgg19

PREDICTOR_SIDE = 256  # pixels, short side of the painting as every predictor sees it
Stylizer = Callable[[np.ndarray, np.ndarray], np.ndarray]  # content, style at the predictor's scale -> pastiche


@dataclass(frozen=True)
class Score:
    style: float
    content: float
    ssim: float


def fit(picture: Image.Image, *, long: int | None = None, short: int | None = None) -> np.ndarray:
    """(H, W, 3) in 0..1 with that long or short side in pixels."""
    scale = long / max(picture.size) if long else (short or 0) / min(picture.size)
    size = [round(side * scale) for side in picture.size]
    return to_array(picture.resize(size, Image.Resampling.LANCZOS))


def stylizer(predictor: keras.Model, transformer: keras.Model) -> Stylizer:
    def stylize(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        vector = ops.convert_to_numpy(predictor(style[None], training=False))
        pastiche = ops.convert_to_numpy(transformer([content[None], vector], training=False))
        return pastiche[0, : content.shape[0], : content.shape[1]]

    return stylize


def load(path: Path) -> Stylizer:
    """The networks of a .npz or of an official SavedModel."""
    return stylizer(*build(*read_weights(path)))


def build(architecture: Architecture, arrays: dict[str, np.ndarray]) -> tuple[keras.Model, keras.Model]:
    predictor, transformer = build_predictor(architecture), build_transformer(architecture)
    assign_arrays(predictor, arrays)
    assign_arrays(transformer, arrays)
    return predictor, transformer


class Judge:
    """VGG19's opinion of pastiches of one pair."""

    def __init__(self, vgg: keras.Model, content: np.ndarray, style: np.ndarray) -> None:
        self.vgg, self.content = vgg, content
        self.grams = [gram(f) for f in vgg(style[None])[:-1]]
        self.features = vgg(content[None])[-1]

    def score(self, pastiche: np.ndarray) -> Score:
        *features, content = self.vgg(pastiche[None])
        errors = [relative_error(gram(f), g) for f, g in zip(features, self.grams, strict=True)]
        ssim = structural_similarity(pastiche, self.content, channel_axis=2, data_range=1.0)
        return Score(float(np.mean(errors)), float(relative_error(content, self.features)[0]), float(ssim))


def table(scores: dict[str, list[Score]]) -> str:
    """Markdown; the first row is what the others are divided by."""
    base = next(iter(scores.values()))
    lines = [
        "| weights | style / Lite's | content / Lite's | style loss | content loss | SSIM to the photo |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in scores.items():
        pairs = list(zip(row, base, strict=True))
        numbers = (
            np.mean([s.style / b.style for s, b in pairs]),
            np.mean([s.content / b.content for s, b in pairs]),
            *(np.mean([getattr(s, field) for s in row]) for field in ("style", "content", "ssim")),
        )
        lines.append(f"| {name} | {' | '.join(f'{number:.3f}' for number in numbers)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "weights", type=Path, nargs="*", help=".npz files or official SavedModels; left out: those that ship"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with content/ and style/")
    parser.add_argument("--lite", type=Path, required=True, help="folder of the mobile network's .npz arrays")
    parser.add_argument("--vgg", required=True, help="VGG19 .weights.h5 without its top, or 'imagenet'")
    parser.add_argument("--size", type=int, default=384, help="long side of photos and paintings in pixels")
    parser.add_argument("--pairs", type=int, help="only the first so many")
    parser.add_argument("--out", type=Path, required=True, help="folder for scores.md and sheet.jpg")
    args = parser.parse_args()

    paths = args.weights or [SHIPPED_MAGENTA]
    stylizers = {"Lite": stylizer(*load_teacher(args.lite))} | {path.name: load(path) for path in paths}
    vgg = vgg19(args.vgg, (*STYLE_LAYERS, CONTENT_LAYER))
    pairs = list(zip(load_pictures(args.data / "content"), load_pictures(args.data / "style"), strict=True))
    scores: dict[str, list[Score]] = {name: [] for name in stylizers}
    rows = []
    for photo, painting in tqdm(pairs[: args.pairs], "scoring", unit="pair"):
        content, style = fit(photo, long=args.size), fit(painting, long=args.size)
        judge = Judge(vgg, content, style)
        seen = fit(painting, short=PREDICTOR_SIDE)
        pastiches = [stylize(content, seen) for stylize in stylizers.values()]
        for row, pastiche in zip(scores.values(), pastiches, strict=True):
            row.append(judge.score(pastiche))
        rows.append([content, style, *pastiches])
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "scores.md").write_text(table(scores) + "\n")
    contact_sheet(rows, ["photo", "painting", *stylizers]).save(args.out / "sheet.jpg", quality=90)
    print(table(scores))


if __name__ == "__main__":
    main()
