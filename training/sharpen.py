"""Sharpen a distilled predictor and transformer, both at once, with VGG19's perceptual losses.

    python -m training.sharpen --data DATA --vgg VGG19.weights.h5 --out runs/sharp \\
        --start runs/predictor/weights.npz runs/transformer/weights.npz

The losses are those of Johnson et al. (ECCV 2016), each relative to its target, on fixed crops: the pictures' Gram
matrices and content features are computed once, kept on disk, and read at every step, which halves the work.
A run that is started again continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from tqdm import tqdm

from model.networks.architecture import SMALL
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.refinement.losses import gram, relative_error
from training.data import Batches, centre_crop, load_pictures, random_crop
from training.run import add_run_arguments, train
from training.sheet import contact_sheet
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, vgg19

STYLE_CROP = 256  # pixels, as the predictor sees a painting
SAMPLES = 8  # rows of a sheet


class Sharpener(keras.Model):
    """Inputs: content crops, their features, style crops, the norm and then the unit Gram matrix of each layer."""

    def __init__(
        self, predictor: keras.Model, transformer: keras.Model, vgg: keras.Model, content_weight: float
    ) -> None:
        super().__init__()
        self.predictor, self.transformer, self.vgg = predictor, transformer, vgg
        self.content_weight = content_weight
        self.means = [keras.metrics.Mean(name) for name in ("style", "content")]

    def call(self, inputs, training=None):
        content, _, style, *_ = inputs
        # batches are too small for fresh batch-norm statistics: those of the distillation stay
        return self.transformer([content, self.predictor(style, training=False)])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        _, content_features, _, norms, *units = x
        *features, pastiche_features = self.vgg(y_pred)
        style = sum(
            relative_error(gram(f) / norms[:, layer, None, None], ops.cast(unit, "float32"))
            for layer, (f, unit) in enumerate(zip(features, units, strict=True))
        ) / len(units)
        content = relative_error(pastiche_features, ops.cast(content_features, "float32"))
        for mean, value in zip(self.means, (style, content), strict=True):
            mean.update_state(value)
        # the logarithm counts what each style gains on itself: hard ones do not drown those that can be met closely
        return ops.mean(ops.log(style + 1e-3)) + self.content_weight * ops.mean(content)


class Grams(keras.Model):
    """Pictures -> the Gram matrix of each of VGG19's style layers, in one compiled call."""

    def __init__(self, vgg: keras.Model) -> None:
        super().__init__()
        self.vgg = vgg

    def call(self, inputs):
        return [gram(features) for features in self.vgg(inputs)[: len(STYLE_LAYERS)]]


def targets(
    folder: Path, name: str, crops: list[np.ndarray], compute: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """`compute` of each crop, given as (1, H, W, 3) in 0..1: float16 in `folder`, made anew for other crops."""
    digest = hashlib.sha256(b"".join(crop.tobytes() for crop in crops)).hexdigest()
    path = folder / f"{name}-{digest[:12]}.npy"
    if not path.exists():
        partial = path.with_suffix(".partial")
        rows: np.ndarray | None = None
        for index, crop in enumerate(tqdm(crops, name, unit="crop")):
            row = compute(crop[None] / np.float32(255))
            if rows is None:
                rows = np.lib.format.open_memmap(partial, "w+", "float16", (len(crops), *row.shape))
            rows[index] = row
        partial.replace(path)
    return np.load(path, mmap_mode="r")


def style_targets(folder: Path, crops: list[np.ndarray], vgg: keras.Model) -> tuple[np.ndarray, list[np.ndarray]]:
    """Norms (n, layers) float32; per layer, Gram matrices (n, C, C) of norm 1: larger ones overflow float16."""
    sizes = [output.shape[-1] for output in vgg.outputs[: len(STYLE_LAYERS)]]
    judge = Grams(vgg)

    def flat_grams(crop: np.ndarray) -> np.ndarray:
        grams = [batch[0] for batch in judge.predict_on_batch(crop)]
        norms = [np.linalg.norm(g) for g in grams]
        return np.concatenate([np.log(norms), *((g / n).ravel() for g, n in zip(grams, norms, strict=True))])

    rows = targets(folder, "grams", crops, flat_grams)
    ends = np.cumsum([len(sizes), *(size**2 for size in sizes)])
    units = [rows[:, end - size**2 : end].reshape(-1, size, size) for end, size in zip(ends[1:], sizes, strict=True)]
    return np.exp(rows[:, : len(sizes)].astype("float32")), units


def content_targets(folder: Path, crops: list[np.ndarray], vgg: keras.Model) -> np.ndarray:
    """The content layer's features (n, h, w, C) float16, cut off where those end."""
    return targets(folder, "content", crops, lambda crop: np.minimum(vgg.predict_on_batch(crop)[-1][0], 6e4))


def fixed_crops(pictures: list[Image.Image], size: int, seed: int) -> list[np.ndarray]:
    """One random crop of each picture, (size, size, 3) uint8, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [np.uint8(np.rint(random_crop(picture, size, rng) * 255)) for picture in pictures]


def sampler(
    contents: list[np.ndarray],
    features: np.ndarray,
    styles: list[np.ndarray],
    norms: np.ndarray,
    units: list[np.ndarray],
) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    """Draws one pair of a content and a style with the targets of both."""

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        c, s = rng.integers(len(contents)), rng.integers(len(styles))
        pictures = contents[c] / np.float32(255), features[c], styles[s] / np.float32(255)
        return *pictures, norms[s], *(unit[s] for unit in units)

    return sample


def load_students(sources: list[Path]) -> tuple[keras.Model, keras.Model]:
    """The predictor and the transformer with the arrays of `sources`."""
    predictor, transformer = build_predictor(SMALL), build_transformer(SMALL)
    arrays = {name: array for path in sources for name, array in np.load(path).items()}
    assign_arrays(predictor, arrays)
    assign_arrays(transformer, arrays)
    return predictor, transformer


def load_crops(args: argparse.Namespace) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Contents and styles, uint8: photos and the first paintings; paintings evenly spaced among all."""
    paintings, photos = load_pictures(args.data / "style"), load_pictures(args.data / "content")
    contents = fixed_crops(photos + paintings[: args.paintings], args.crop, args.seed)
    spaced = np.linspace(0, len(paintings) - 1, min(args.styles, len(paintings))).astype(int)
    return contents, [np.uint8(np.rint(centre_crop(paintings[i], STYLE_CROP) * 255)) for i in spaced]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg", required=True, help="VGG19 .weights.h5 without its top, or 'imagenet'")
    parser.add_argument("--start", type=Path, nargs="+", required=True, help="weights.npz files to begin with")
    parser.add_argument("--crop", type=int, default=224, help="side of the content crops in pixels")
    parser.add_argument("--content-weight", type=float, default=0.25)
    parser.add_argument("--paintings", type=int, default=600, help="how many paintings serve as content, too")
    parser.add_argument("--styles", type=int, default=1200, help="how many serve as styles, evenly spaced among all")
    add_run_arguments(parser, steps=2900, batch=3, rate=1e-3)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    keras.utils.set_random_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    predictor, transformer = load_students(args.start)
    vgg = vgg19(args.vgg, (*STYLE_LAYERS, CONTENT_LAYER))
    contents, styles = load_crops(args)
    sample = sampler(contents, content_targets(args.out, contents, vgg), styles, *style_targets(args.out, styles, vgg))

    def sheet() -> Image.Image:
        photos, paintings = (np.stack(some[:SAMPLES]) / np.float32(255) for some in (contents, styles))
        pastiches = transformer.predict_on_batch([photos, predictor.predict_on_batch(paintings)])
        rows = zip(photos, paintings, pastiches, strict=True)
        return contact_sheet([list(row) for row in rows], ["photo", "painting", "pastiche"])

    task = Sharpener(predictor, transformer, vgg, args.content_weight)
    batches = Batches(sample, args.epoch_steps, args.batch, args.seed)
    train(task, [predictor, transformer], batches, sheet, args)


if __name__ == "__main__":
    main()
