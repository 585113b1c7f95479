"""Sharpen a predictor and a transformer, both at once, with VGG19's perceptual losses.

    python -m training.sharpen --data DATA --vgg VGG19.weights.h5 --out runs/sharp --seconds 7200 --start WEIGHTS.npz

The losses are those of Johnson et al. (ECCV 2016), each relative to its target, at the pictures' own resolution and at
half of it. What is judged is a window at a random offset, so that the judge's pooling does not always meet the
transformer's strides at one phase; and a picture with noise has to be painted as the one without. A run that is started
again goes on where it was; its budget counts what it has used.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops
from PIL import Image

from model.finetuning.crops import random_crop
from model.finetuning.noise_pictures import plain_picture
from model.finetuning.perceptual_losses import HALF_WEIGHT, LAYER_WEIGHTS, halved, windows
from model.finetuning.precision import fastest_policy
from model.finetuning.session import Budget, Session, run
from model.finetuning.weight_average import WeightAverage
from model.networks.architecture import SMALL
from model.networks.layers import assign_arrays, dtype_policy
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.refinement.losses import gram, relative_error
from training.checkpoints import Checkpoints
from training.data import centre_crop, fit, load_pictures, to_array
from training.run import save
from training.sheet import contact_sheet
from training.targets import Grams, LazyRows, gram_row, squares
from training.vgg import CONTENT_LAYER, STYLE_LAYERS, vgg19

WINDOW = 256  # pixels, the side of what is judged
JITTER = 8  # pixels by which a crop is larger
STYLE_CROP = 256  # pixels, as the predictor sees a painting
STYLE_SIDE = 384  # pixels, the long side at which a painting's Gram matrices are taken
PAIRED = 2  # paintings for each crop of a photo
SAMPLES = 8  # rows of a sheet
PLAIN, PAINTED = 0.1, 0.15  # shares of plain pictures and of paintings among the contents
NOISE_WEIGHT = 2.0
FLOOR = 1e-3  # added to a style's error before its logarithm
DECAY = 0.999  # of the average of weights


class Judges:
    """VGG19 with its own pooling, and with average pooling for pictures of half the size, in that `dtype`."""

    def __init__(self, weights: str, dtype: str) -> None:
        self.whole = vgg19(weights, (*STYLE_LAYERS, CONTENT_LAYER), dtype=dtype)
        self.half = vgg19(weights, STYLE_LAYERS, "average", dtype)
        *styles, content = self.whole.outputs
        self.style = keras.Model(self.whole.inputs, styles)
        self.content = keras.Model(self.whole.inputs, content)
        self.widths = [output.shape[-1] for output in styles]


class Sharpener(keras.Model):
    """Inputs: see `Sampler.draw`."""

    def __init__(self, predictor: keras.Model, transformer: keras.Model, judges: Judges, content_weight: float) -> None:
        super().__init__()
        self.predictor, self.transformer, self.judges = predictor, transformer, judges
        self.content_weight = content_weight
        self.means = [keras.metrics.Mean(name) for name in ("style", "half", "content", "noise")]

    def call(self, inputs: Sequence[KerasTensor], training: bool | None = None) -> list[KerasTensor]:
        """Paint each crop in each of its styles, and the first one's noisy copy in the first of them."""
        contents, noisy, _, styles, *_ = inputs
        # batches are too small for fresh batch-norm statistics: those of the distillation stay
        vectors = self.predictor(styles, training=False)
        pictures = ops.concatenate([ops.repeat(contents, PAIRED, axis=0), noisy])
        pastiches = self.transformer([pictures, ops.concatenate([vectors, vectors[:1]])])
        pastiches = ops.cast(pastiches, "float32")
        return [pastiches[:-1], pastiches[-1:]]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        contents, _, offsets, _, whole_targets, half_targets = x
        pastiches, noisy = y_pred
        photos = ops.repeat(windows(contents, offsets, WINDOW), PAIRED, axis=0)
        judged = windows(pastiches, ops.repeat(offsets, PAIRED, axis=0), WINDOW)
        *features, content = self.judges.whole(judged)
        style = style_error(features, whole_targets, self.judges.widths)
        half = style_error(self.judges.half(ops.average_pool(judged, 2)), half_targets, self.judges.widths)
        content = relative_error(*(ops.cast(f, "float32") for f in (content, self.judges.content(photos))))
        noise = ops.mean(ops.abs(pastiches[:1] - noisy))
        for mean, value in zip(self.means, (style, half, content, noise), strict=True):
            mean.update_state(value)
        return style_term(style, half) + self.content_weight * ops.mean(content) + NOISE_WEIGHT * noise


def style_term(whole: KerasTensor, half: KerasTensor) -> KerasTensor:
    """Return the loss of style errors (N,) at the whole size and at half of it.

    The logarithm counts what a style gains on itself: hard ones do not drown those that can be met closely.
    """
    return ops.mean(ops.log(whole + FLOOR) + HALF_WEIGHT * ops.log(half + FLOOR))


def style_error(features: list[KerasTensor], rows: KerasTensor, widths: list[int]) -> KerasTensor:
    """Relative errors of Gram matrices to those of `rows`, see `gram_row`: weighted means over layers, (N,)."""
    norms = ops.exp(ops.cast(rows[:, -len(widths) :], "float32"))
    errors = [
        weight * relative_error(gram(ops.cast(f, "float32")) / norms[:, layer, None, None], unit)
        for layer, (weight, f, unit) in enumerate(zip(LAYER_WEIGHTS, features, squares(rows, widths), strict=True))
    ]
    return sum(errors) / sum(LAYER_WEIGHTS)


class Targets:
    """What the judges see in each painting, and in it at half its size; kept in `folder`."""

    def __init__(self, folder: Path, paintings: list[Image.Image], judges: Judges) -> None:
        self.paintings = paintings
        self.judges = Grams(judges.style), Grams(judges.half)
        self.rows = LazyRows(folder / "targets.npy", len(paintings), self._both)

    def _both(self, index: int) -> np.ndarray:
        picture = fit(self.paintings[index], long=STYLE_SIDE)
        return np.stack([gram_row(judge, p) for judge, p in zip(self.judges, (picture, halved(picture)), strict=True)])

    def __getitem__(self, index: int) -> np.ndarray:
        """Give both rows, (2, L) float16."""
        return self.rows[index]


class Sampler:
    """Draws batches: the same for the same seed and step, each painting once before any comes again."""

    def __init__(self, photos: list[Image.Image], paintings: list[Image.Image], targets: Targets, seed: int) -> None:
        self.photos, self.paintings, self.targets, self.seed = photos, paintings, targets, seed

    def draw(self, step: int, batch: int) -> tuple[np.ndarray, ...]:
        """Give N crops (N, H, W, 3), the first of them with noise (1, H, W, 3), and their windows' offsets (N, 2).

        Then, for PAIRED N paintings, crops and two rows of targets: at their own size and at half of it.
        """
        rng = np.random.default_rng((self.seed, step))
        contents = np.stack([self._content(rng) for _ in range(batch // PAIRED)])
        noisy = contents[:1] + rng.normal(0, rng.uniform(2, 6) / 255, contents[:1].shape)
        offsets = rng.integers(JITTER, size=(len(contents), 2)).astype("int32")
        styles = [self._style(step * batch + i) for i in range(batch)]
        crops = np.stack([along(self.paintings[i], STYLE_CROP, rng) for i in styles])
        whole, half = np.stack([self.targets[i] for i in styles], axis=1)
        return contents, noisy.astype("float32"), offsets, crops, whole, half

    def _content(self, rng: np.random.Generator) -> np.ndarray:
        kind, size = rng.random(), WINDOW + JITTER
        if kind < PLAIN:
            return plain_picture(size, rng)
        pictures = self.paintings if kind < PLAIN + PAINTED else self.photos
        return random_crop(pictures[rng.integers(len(pictures))], size, rng)

    def _style(self, index: int) -> int:
        epoch, place = divmod(index, len(self.paintings))
        return int(np.random.default_rng((self.seed, epoch)).permutation(len(self.paintings))[place])


def along(picture: Image.Image, size: int, rng: np.random.Generator) -> np.ndarray:
    """Cut a square out of the picture, (size, size, 3): all of its short side, somewhere along the long one."""
    side = min(picture.size)
    left, top = (rng.random() * (length - side) for length in picture.size)
    box = (left, top, left + side, top + side)
    return to_array(picture.resize((size, size), Image.Resampling.LANCZOS, box))


def load_students(sources: list[Path]) -> tuple[keras.Model, keras.Model]:
    """Build the predictor and the transformer with the arrays of `sources`."""
    predictor, transformer = build_predictor(SMALL), build_transformer(SMALL)
    arrays = {name: array for path in sources for name, array in np.load(path).items()}
    assign_arrays(predictor, arrays)
    assign_arrays(transformer, arrays)
    return predictor, transformer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with content/ and style/ pictures")
    parser.add_argument("--vgg", required=True, help="VGG19 .weights.h5 without its top, or 'imagenet'")
    parser.add_argument("--start", type=Path, nargs="+", required=True, help="weights.npz files to begin with")
    parser.add_argument("--out", type=Path, required=True, help="state, log, plot, sheet and weights go here")
    parser.add_argument("--steps", type=int, help="budget; with --seconds, whichever is spent first")
    parser.add_argument("--seconds", type=float, help="budget")
    parser.add_argument("--checkpoint", type=float, default=180, help="seconds between checkpoints")
    parser.add_argument("--batch", type=int, default=4, help="paintings a step, two for each crop")
    parser.add_argument("--rate", type=float, default=1e-3, help="Adam's first learning rate; it falls as a cosine")
    parser.add_argument("--content-weight", type=float, default=0.55)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.steps is None and args.seconds is None:
        parser.error("a run needs --steps or --seconds")
    return args


def prepare(args: argparse.Namespace) -> tuple[Sharpener, Sampler]:
    """Load networks and pictures."""
    policy = fastest_policy()
    with dtype_policy(policy):
        students = load_students(args.start)
    judges = Judges(args.vgg, policy.removeprefix("mixed_"))
    paintings, photos = load_pictures(args.data / "style"), load_pictures(args.data / "content")
    sampler = Sampler(photos, paintings, Targets(args.out, paintings, judges), args.seed)
    return Sharpener(*students, judges, args.content_weight), sampler


def draw_sheet(task: Sharpener, sampler: Sampler) -> Image.Image:
    """Paint the first photos in the style of the first paintings."""
    photos, paintings = (
        np.stack([centre_crop(p, STYLE_CROP) for p in some[:SAMPLES]]) for some in (sampler.photos, sampler.paintings)
    )
    pastiches = task.transformer.predict_on_batch([photos, task.predictor.predict_on_batch(paintings)])
    rows = zip(photos, paintings, pastiches.astype("float32"), strict=True)
    return contact_sheet([list(row) for row in rows], ["photo", "painting", "pastiche"])


def main() -> None:
    args = arguments()
    keras.utils.set_random_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    task, sampler = prepare(args)
    task.compile(keras.optimizers.Adam(args.rate, beta_2=0.99, global_clipnorm=1.0), jit_compile=False)
    average = WeightAverage(task.trainable_variables, DECAY)
    session = Session(task, average, args.out / "state.npz")

    def report() -> None:
        with average.in_place():
            save([task.predictor, task.transformer], args.out / "weights.npz")
            draw_sheet(task, sampler).save(args.out / "sheet.jpg", quality=90)

    on_step = Checkpoints(session, args.checkpoint, report)
    run(session, lambda step: sampler.draw(step, args.batch), Budget(args.steps, args.seconds), args.rate, on_step)


if __name__ == "__main__":
    main()
