"""Compress VGG19 into an encoder that ships, by distillation.

    python -m training.encoder --data DATA --vgg VGG19.weights.h5 --out runs/encoder
    python -m training.encoder … --export

The student is VGG19 with an eighth to a quarter of its channels and average pooling. At each layer that losses look
at, a learned linear map ties its features to VGG19's (Wang et al., "Collaborative Distillation for Ultra-Resolution
Universal Style Transfer", CVPR 2020). What counts is that a picture that is optimised for the student's style loss
pleases VGG19, so it learns differences of Gram matrices, too, between paintings and pictures on the way to them. Some
of these are optimised for the student itself, further after each epoch, so that it learns to see what it was blind to.
A run that is started again continues from its last checkpoint; with `--export`, what it has learnt becomes the weights
that ship.
"""

from __future__ import annotations

import argparse
import math
from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from scipy.linalg import qr
from tqdm import tqdm

from model.finetuning.crops import random_crop
from model.networks.layers import assign_arrays, layer_name, read_arrays
from model.refinement.encoder_registry import SHIPPED_SLIM, SLIM_BLOCKS, SLIM_TAPS, SLIM_WIDTHS
from model.refinement.encoders import build_slim
from model.refinement.losses import gram, relative_error
from model.weights.npz import quantise
from model.weights.registry import SHIPPED_MAGENTA
from training.data import Batches, load_pictures
from training.evaluate import load
from training.export import record_sha256
from training.run import add_run_arguments, train
from training.sheet import contact_sheet
from training.vgg import CONTENT_LAYER, vgg19

CROP = 192  # pixels
GROUP = 4  # pictures of a lesson
PRUNING = 32  # pictures that the first weights are made from
PURSUITS = 16  # pictures that are being optimised for the student
PURSUIT_STEPS = 10  # in each epoch
RENEWED = 2  # pursuits in each epoch
REDRAWN = 8  # groups of lessons in each epoch
KEPT = 6  # epochs whose pursuits are learnt from
SHALLOW = 2  # of SLIM_TAPS, those where Gram matrices are labels enough: their features would fill the disk
NEAR = 3e-3  # a difference below this share of the Gram matrices need not be told
EMPHASIS = dict(zip(SLIM_TAPS, (1.0, 1.0, 1.0, 1.25, 1.0, 3.0), strict=True))  # deep layers are the hard ones
UNIT = 256.0  # VGG19's features are about as large: with it, the maps' numbers are as small as those of kernels
CONVOLUTIONS = tuple(f"block{b}_conv{c}" for b, count in enumerate(SLIM_BLOCKS, 1) for c in range(1, count + 1))


class EncoderDistiller(keras.Model):
    """Inputs: pairs of a painting and a picture on the way to it, (N, 2, H, W, 3) bytes, and their labels (N, 2, L)."""

    def __init__(self, slim: keras.Model, widths: list[int]) -> None:
        super().__init__()
        self.student = keras.Model(slim.inputs, [slim.get_layer(layer_name(f"{name}/tap")).input for name in SLIM_TAPS])
        self.maps = [
            keras.layers.Dense(width, use_bias=False, name=layer_name(f"{name}/map"))
            for name, width in zip(SLIM_TAPS, widths, strict=True)
        ]
        self.means = [keras.metrics.Mean(name) for name in ("features", "grams", "differences")]

    def call(self, inputs, training=None):
        """What labels hold: of the shallow layers Gram matrices, of the deep ones features."""
        pictures = ops.reshape(inputs[0], (-1, CROP, CROP, 3))
        features = list(zip(self.maps, self.student(ops.cast(pictures, "float32") / 255.0), strict=True))
        grams = [mapping(ops.transpose(mapping(gram(f)), (0, 2, 1))) for mapping, f in features[:SHALLOW]]
        return [*grams, *(mapping(f) for mapping, f in features[SHALLOW:])]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        targets = self.targets(x[1], y_pred)
        taps = list(zip(EMPHASIS.items(), y_pred, targets, strict=True))
        features = [(weight, relative_error(p, t)) for (_, weight), p, t in taps[SHALLOW:]]
        pairs = [
            (weight, p, t) if i < SHALLOW else (weight, gram(p), gram(t))
            for i, ((name, weight), p, t) in enumerate(taps)
            if name != CONTENT_LAYER
        ]
        grams = [(weight, relative_error(g, t)) for weight, g, t in pairs]
        differences = [(weight, difference_error(g, t)) for weight, g, t in pairs]
        losses = [weighted_mean(errors) for errors in (features, grams, differences)]
        for mean, loss in zip(self.means, losses, strict=True):
            mean.update_state(loss)
        return sum(losses)

    def targets(self, labels, like):
        """The rows of `labels` taken apart, each as large as its counterpart in `like`."""
        sizes = [math.prod(part.shape[1:]) for part in like]
        rows = ops.cast(ops.reshape(labels, (-1, sum(sizes))), "float32")
        parts = ops.split(rows, np.cumsum(sizes)[:-1].tolist(), axis=1)
        return [ops.reshape(part, (-1, *other.shape[1:])) for part, other in zip(parts, like, strict=True)]


def weighted_mean(errors):
    """Of pairs of a weight and errors (N,)."""
    return sum(weight * ops.mean(error) for weight, error in errors) / sum(weight for weight, _ in errors)


def difference_error(grams, targets):
    """How wrong the differences between the two Gram matrices of each pair are, relative to the true ones'."""
    grams, targets = (ops.reshape(g, (-1, 2, *g.shape[1:])) for g in (grams, targets))
    true = targets[:, 0] - targets[:, 1]
    wrong = ops.sum(ops.square(grams[:, 0] - grams[:, 1] - true), (1, 2))
    return wrong / (ops.sum(ops.square(true), (1, 2)) + NEAR * ops.sum(ops.square(targets[:, 0]), (1, 2)))


def labels(vgg: keras.Model, picture: np.ndarray) -> np.ndarray:
    """What VGG19 sees in (1, CROP, CROP, 3) in 0..1, one row in units of UNIT."""
    features = [f[0] / UNIT for f in vgg.predict_on_batch(picture)]
    flat = [f.reshape(-1, f.shape[-1]) for f in features[:SHALLOW]]
    grams = [f.T @ f / len(f) for f in flat]
    return np.concatenate([part.ravel() for part in (*grams, *features[SHALLOW:])]).astype("float16")


# Where the student starts


def prune(
    distiller: EncoderDistiller, vgg: keras.Model, crops: np.ndarray, learnt: Mapping[str, np.ndarray] | None = None
) -> None:
    """Lets the student start as VGG19 without most of its channels.

    Of each layer those channels stay that best explain the others (by QR with pivoting); kernels read the channels that
    went through a linear regression on those that stayed (He, Zhang and Sun, "Channel Pruning", ICCV 2017). Layers that
    have the same width in `learnt`, arrays of another run, up to the first that has not, start as they are there.
    """
    student, network = distiller.student, vgg.layers[-1]
    truth = keras.Model(network.inputs, [network.get_layer(name).output for name in CONVOLUTIONS])
    targets = truth.predict(keras.applications.vgg19.preprocess_input(crops * 255), 4, verbose=0)
    seen = 64.0 * np.eye(3)[:, ::-1]  # the student's input, RGB over 64, to VGG19's BGR
    for (name, following), target in zip(pairwise((*CONVOLUTIONS, "")), targets, strict=True):
        layer = student.get_layer(name)
        old = _arrays_of(name, layer, learnt or {})
        learnt = learnt if old else {}
        layer.set_weights(old or pruned(*network.get_layer(name).get_weights(), target, layer.filters, seen))
        mine = np.maximum(keras.Model(student.inputs, layer.output).predict(crops, 4, verbose=0), 0)
        if name in SLIM_TAPS:
            mapping = learnt[f"{name}/map/weights"] if old else regression(mine, target) / UNIT
            distiller.maps[SLIM_TAPS.index(name)].set_weights([mapping])
        if following.endswith("conv1"):
            mine, target = windows(mine).mean(3), windows(target).max(3)
        seen = regression(mine, target)


def _arrays_of(name: str, layer: keras.Layer, learnt: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Kernel and bias, where those in `learnt` are for a layer of this shape."""
    arrays = [learnt[key] for key in (f"{name}/weights", f"{name}/biases") if key in learnt]
    return arrays if [array.shape for array in arrays] == [w.shape for w in layer.get_weights()] else []


def freeze(distiller: EncoderDistiller, blocks: int) -> None:
    """The first `blocks`, and their maps, learn no more."""
    for layer in (*distiller.student.layers, *distiller.maps):
        if layer.name.startswith(tuple(f"block{block}_" for block in range(1, blocks + 1))):
            layer.trainable = False


def pruned(
    kernel: np.ndarray, bias: np.ndarray, features: np.ndarray, count: int, seen: np.ndarray
) -> list[np.ndarray]:
    """Kernel and bias of the `count` channels that stay, their `features` scaled to a mean square of 1.

    `seen`: the map from what the student has before this layer to what the full network has.
    """
    kept = independent_columns(features.reshape(-1, features.shape[-1]), count)
    scale = 1 / np.sqrt(np.mean(features[..., kept] ** 2, (0, 1, 2)) + 1e-6)
    return [np.einsum("hwto,st->hwso", kernel[..., kept] * scale, seen), bias[kept] * scale]


def independent_columns(features: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` columns that best explain all, each chosen for what those before it leave over."""
    return qr(features.T @ features, mode="r", pivoting=True)[1][:count]


def regression(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The linear map (C, C') that takes feature maps (..., C) closest to (..., C')."""
    x, y = features.reshape(-1, features.shape[-1]), targets.reshape(-1, targets.shape[-1])
    square = x.T @ x
    return np.linalg.solve(square + 1e-3 * np.trace(square) / len(square) * np.eye(len(square)), x.T @ y)


def windows(features: np.ndarray) -> np.ndarray:
    """(N, H/2, W/2, 4, C): what pooling sees."""
    n, h, w, c = features.shape
    return features.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4, c)


# What ships


def tap(mapping: np.ndarray) -> np.ndarray:
    """(C, C) for a map (C, C'): features times it have the same inner products as features times the map.

    Their Gram and content losses are therefore those of the features in VGG19's own space, at the student's width.
    """
    values, vectors = np.linalg.eigh(mapping @ mapping.T)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def shippable(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `arrays` of a run are to the encoder: the convolutions, and a tap in place of each map."""
    taps = {f"{name}/tap/weights": tap(UNIT * arrays[f"{name}/map/weights"])[None, None] for name in SLIM_TAPS}
    return {name: array for name, array in arrays.items() if not name.endswith("/map/weights")} | taps


def export(run: Path, target: Path) -> None:
    """Write what `run` has learnt, in eight bits, and its line of SHA256SUMS."""
    with np.load(run / "weights.npz") as arrays:
        np.savez_compressed(target, **quantise(shippable(arrays)))
    record_sha256(target)


# What it learns from


class Pursuit(keras.Model):
    """Pictures, its only trainable variable, that pursue paintings by the student's style loss."""

    def __init__(self, slim: keras.Model, count: int) -> None:
        super().__init__()
        self.slim = slim
        self.slim.trainable = False
        self.picture = self.add_weight(shape=(count, CROP, CROP, 3), name="picture")
        self.compile(keras.optimizers.Adam(0.02, beta_2=0.99))

    def call(self, inputs, training=None):
        return self.picture

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        grams = [gram(f) for f in self.slim(y_pred)]
        return ops.sum(sum(relative_error(g, t) for g, t in zip(grams, x, strict=True)))

    def advance(self, paintings: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """`pictures` some steps later; all (N, CROP, CROP, 3) bytes."""
        grams = [ops.convert_to_numpy(gram(f)) for f in self.slim.predict(paintings / np.float32(255), 4, verbose=0)]
        self.picture.assign(pictures / np.float32(255))
        for _ in range(PURSUIT_STEPS):
            self.train_on_batch(grams)
        return np.uint8(np.rint(np.clip(ops.convert_to_numpy(self.picture), 0, 1) * 255))


class Lessons:
    """Pictures with labels: of each GROUP, a painting, a pastiche in its style, and any painting and photo, distorted.

    They lie in files of the run, where some are replaced after each epoch. Pursuits join them: pictures that are
    optimised towards their paintings.
    """

    def __init__(self, args: argparse.Namespace, vgg: keras.Model, pursuit: Pursuit) -> None:
        self.pursuit, self.vgg, self.rng = pursuit, vgg, np.random.default_rng()
        self.paintings, self.photos = load_pictures(args.data / "style"), load_pictures(args.data / "content")
        self.stylize = load(SHIPPED_MAGENTA)
        self.pictures, self.labels = self._open(args.out / "pictures.npy", args.out / "labels.npy", args.groups)
        self.running = [self._start() for _ in range(pursuit.picture.shape[0])]
        self.followed: deque[tuple[np.ndarray, ...]] = deque(maxlen=KEPT * len(self.running))

    def _open(self, pictures: Path, labels: Path, groups: int) -> tuple[np.ndarray, np.ndarray]:
        if not labels.exists():
            drawn = [self._draw() for _ in tqdm(range(groups), "drawing", unit="group")]
            np.save(pictures, np.concatenate(drawn))
            rows = [self._label(picture) for group in tqdm(drawn, "labelling", unit="group") for picture in group]
            partial = labels.with_name("partial.npy")
            np.save(partial, np.stack(rows))
            partial.replace(labels)
        return np.load(pictures, mmap_mode="r+"), np.load(labels, mmap_mode="r+")

    def _draw(self) -> np.ndarray:
        """(GROUP, CROP, CROP, 3) bytes."""
        painting = self._crop(self.paintings)
        pastiche = self.stylize(self._crop(self.photos), painting)
        others = [distort(self._crop(pictures), self.rng) for pictures in (self.paintings, self.photos)]
        return np.uint8(np.rint(np.stack([painting, pastiche, *others]) * 255))

    def _crop(self, pictures: list[Image.Image]) -> np.ndarray:
        return random_crop(pictures[self.rng.integers(len(pictures))], CROP, self.rng, zoom=1.5)

    def _label(self, picture: np.ndarray) -> np.ndarray:
        return labels(self.vgg, picture[None] / np.float32(255))

    def _start(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is pursued, with its label, and from where: mostly a pastiche."""
        group = self.rng.integers(len(self.pictures) // GROUP) * GROUP
        start = group + 1 if self.rng.random() < 0.7 else self.rng.integers(len(self.pictures))
        return self.pictures[group].copy(), self.labels[group].copy(), self.pictures[start].copy()

    def advance(self) -> Image.Image:
        """Brings the pursuits further and labels where they got; a sheet of some, the longest first."""
        self.running = [*self.running[RENEWED:], *(self._start() for _ in range(RENEWED))]
        paintings, targets, before = (np.stack(some) for some in zip(*self.running, strict=True))
        after = self.pursuit.advance(paintings, before)
        self.running = list(zip(paintings, targets, after, strict=True))
        for painting, target, picture in self.running:
            self.followed.append((painting, target, picture, self._label(picture)))
        rows = [list(row / np.float32(255)) for row in zip(paintings, before, after, strict=True)]
        return contact_sheet(rows[::4], ["painting", "before", "after"])

    def renew(self) -> None:
        """Replaces some groups by new ones."""
        for group in self.rng.integers(len(self.pictures) // GROUP, size=REDRAWN) * GROUP:
            drawn = self._draw()
            seen = np.stack([self._label(picture) for picture in drawn])
            # at once: a run that is stopped in between would learn from wrong labels ever after
            self.pictures[group : group + GROUP], self.labels[group : group + GROUP] = drawn, seen

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A pair's pictures and labels."""
        kind, group = rng.random(), rng.integers(len(self.pictures) // GROUP) * GROUP
        if kind < 0.4 and self.followed:
            painting, target, picture, label = self.followed[rng.integers(len(self.followed))]
            return np.stack([painting, picture]), np.stack([target, label])
        index = [group, group + 1 if kind < 0.7 else rng.integers(len(self.pictures))]
        return self.pictures[index], self.labels[index]


def distort(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the time, with contrast and noise as no camera gives, fine or coarse."""
    if rng.random() < 0.5:
        return picture
    cell = int(rng.choice([1, 2, 4, 8]))
    height, width, _ = picture.shape
    noise = rng.normal(0, rng.uniform(0, 0.4), (-(-height // cell), -(-width // cell), 3))
    noise = noise.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return np.clip(0.5 + (picture - 0.5) * rng.uniform(0, 3) + noise, 0, 1).astype("float32")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vgg", required=True, help="VGG19 .weights.h5 without its top, or 'imagenet'")
    parser.add_argument("--groups", type=int, default=100, help=f"how many groups of {GROUP} pictures to learn from")
    parser.add_argument("--pursuits", type=int, default=PURSUITS, help="how many pictures are optimised on the way")
    parser.add_argument("--learnt", type=Path, help="weights.npz of another run, perhaps narrower, to start from")
    parser.add_argument("--frozen", type=int, default=0, help="how many blocks stay as they start")
    parser.add_argument("--export", action="store_true", help="ship what --out has learnt so far; train no further")
    add_run_arguments(parser, steps=4000, batch=2, rate=4e-4)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if args.export:
        export(args.out, SHIPPED_SLIM)
        print(f"{SHIPPED_SLIM}: {SHIPPED_SLIM.stat().st_size:,} bytes")
        return
    keras.utils.set_random_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    vgg = vgg19(args.vgg, SLIM_TAPS)
    distiller = EncoderDistiller(build_slim(SLIM_WIDTHS), [output.shape[-1] for output in vgg.outputs])
    lessons = Lessons(args, vgg, Pursuit(build_slim(SLIM_WIDTHS), args.pursuits))
    batches = Batches(lessons.sample, args.epoch_steps, args.batch, args.seed)
    distiller(batches[0][0])  # builds the maps
    learners, weights = [distiller.student, *distiller.maps], args.out / "weights.npz"
    if weights.exists():
        with np.load(weights) as arrays:
            for learner in learners:
                assign_arrays(learner, arrays)
    else:
        learnt = dict(np.load(args.learnt)) if args.learnt else None
        prune(distiller, vgg, lessons.pictures[:PRUNING] / np.float32(255), learnt)
    freeze(distiller, args.frozen)

    def sheet() -> Image.Image:
        learnt = {name: array for learner in learners for name, array in read_arrays(learner).items()}
        assign_arrays(lessons.pursuit.slim, shippable(learnt))
        lessons.renew()
        return lessons.advance()

    train(distiller, learners, batches, sheet, args)


if __name__ == "__main__":
    main()
