"""Teach a predictor or a transformer of our own what the mobile network ("the teacher") does.

    python -m training.distill predictor   --data DATA --teacher WEIGHTS --out runs/predictor
    python -m training.distill transformer --data DATA --teacher WEIGHTS --out runs/transformer

The predictor regresses the teacher's style vectors. The transformer matches the teacher's pastiches and, through a
learned linear map at each stage, its feature maps (Romero et al., "FitNets", ICLR 2015), which teaches texture far
sooner than pixels alone. A run that is started again continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from tqdm import tqdm

from model.finetuning.crops import random_crop
from model.networks.architecture import LITE, SMALL, Architecture
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from training.data import Batches, centre_crop, load_pictures, random_recolour
from training.run import add_run_arguments, train
from training.sheet import contact_sheet

CROP = 192  # pixels; the pictures are 288 on their short side
SAMPLES = 4  # rows of a sheet


class PredictorDistiller(keras.Model):
    """Mean squared error to the teacher's vectors, as a share of those vectors' variance (1 - R squared)."""

    def __init__(self, student: keras.Model, teacher: keras.Model) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher
        teacher.trainable = False

    def call(self, inputs, training=None):
        return self.student(inputs[0], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        target = self.teacher(x[0], training=False)
        variance = ops.mean(ops.var(target, axis=0))
        return ops.mean(ops.square(y_pred - target)) / (variance + 1e-6)


class TransformerDistiller(keras.Model):
    """L1 distance to the teacher's pastiche plus the relative squared error of each stage's mapped features."""

    def __init__(self, student: keras.Model, teacher: keras.Model, hint_weight: float) -> None:
        super().__init__()
        stages = stage_names(student)
        self.student, self.teacher = with_features(student, stages), with_features(teacher, stages)
        self.teacher.trainable = False
        self.maps = [
            keras.layers.Dense(teacher.get_layer(name).output.shape[-1], use_bias=False, name=f"hint{i}")
            for i, name in enumerate(stages)
        ]
        self.hint_weight = hint_weight
        self.l1 = keras.metrics.Mean("l1")

    def call(self, inputs, training=None):
        *features, pastiche = self.student(list(inputs), training=training)
        return [*(mapping(f) for mapping, f in zip(self.maps, features, strict=True)), pastiche]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        *features, pastiche = y_pred
        *targets, reference = self.teacher(list(x), training=False)
        hints = [
            ops.mean(ops.square(f - t)) / (ops.mean(ops.square(t)) + 1e-6)
            for f, t in zip(features, targets, strict=True)
        ]
        l1 = ops.mean(ops.abs(pastiche - reference))
        self.l1.update_state(l1)
        return 10.0 * l1 + self.hint_weight * sum(hints) / len(hints)


def stage_names(transformer: keras.Model) -> list[str]:
    """The layers at whose output student and teacher are compared: residual blocks and expansions but the last."""
    return [
        layer.name
        for layer in transformer.layers
        if isinstance(layer, keras.layers.Add) or (layer.name.startswith("transformer-expand") and "relu" in layer.name)
    ]


def with_features(transformer: keras.Model, stages: list[str]) -> keras.Model:
    """`transformer` with the outputs of `stages` before its own."""
    outputs = [transformer.get_layer(name).output for name in stages]
    return keras.Model(transformer.inputs, [*outputs, *transformer.outputs])


def load_teacher(folder: Path) -> tuple[keras.Model, keras.Model]:
    """The mobile network's predictor and transformer from magenta_lite_{predictor,transformer}.npz."""
    predictor, transformer = build_predictor(LITE), build_transformer(LITE)
    assign_arrays(predictor, np.load(folder / "magenta_lite_predictor.npz"))
    assign_arrays(transformer, np.load(folder / "magenta_lite_transformer.npz"))
    return predictor, transformer


def style_vectors(predictor: keras.Model, pictures: list[Image.Image], batch: int = 32) -> np.ndarray:
    """The style vector of each picture's middle 256 x 256 pixels, (len(pictures), vector_size)."""
    batches = [pictures[i : i + batch] for i in range(0, len(pictures), batch)]
    crops = (np.stack([centre_crop(picture, 256) for picture in group]) for group in batches)
    return np.concatenate([predictor.predict_on_batch(c) for c in tqdm(crops, "style vectors", len(batches))])


def predictor_run(args: argparse.Namespace, architecture: Architecture) -> None:
    paintings, photos = load_pictures(args.data / "style"), load_pictures(args.data / "content")
    teacher, painter = load_teacher(args.teacher)
    student = build_predictor(architecture)
    pictures = paintings + photos

    def sample(rng: np.random.Generator) -> tuple[np.ndarray]:
        picture = random_recolour(pictures[rng.integers(len(pictures))], rng)
        return (random_crop(picture, CROP, rng, zoom=1.5),)

    def sheet() -> Image.Image:
        """The teacher's transformer paints by its own predictor's vectors, then by the student's."""
        contents, styles = (np.stack([centre_crop(p, 256) for p in some[:SAMPLES]]) for some in (photos, paintings))
        pastiches = [painter.predict_on_batch([contents, p.predict_on_batch(styles)]) for p in (teacher, student)]
        rows = zip(contents, styles, *pastiches, strict=True)
        return contact_sheet([list(row) for row in rows], ["photo", "painting", "teacher's vector", "student's vector"])

    batches = Batches(sample, args.epoch_steps, args.batch, args.seed)
    train(PredictorDistiller(student, teacher), [student], batches, sheet, args)


def transformer_run(args: argparse.Namespace, architecture: Architecture) -> None:
    pictures = load_pictures(args.data / "content", args.data / "style")
    predictor, teacher = load_teacher(args.teacher)
    vectors = style_vectors(predictor, pictures)
    student = build_transformer(architecture)

    def sample(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A crop and a vector: half of them one picture's, half between two, as strength and blends will ask for."""
        content = random_crop(pictures[rng.integers(len(pictures))], CROP, rng)
        one, two = vectors[rng.integers(len(vectors), size=2)]
        mix = max(0.0, rng.uniform(-1.0, 1.0))
        return content, (one + mix * (two - one)).astype("float32")

    def sheet() -> Image.Image:
        contents = np.stack([centre_crop(picture, 256) for picture in pictures[:SAMPLES]])
        pastiches = [network.predict_on_batch([contents, vectors[-SAMPLES:]]) for network in (teacher, student)]
        rows = zip(contents, *pastiches, strict=True)
        return contact_sheet([list(row) for row in rows], ["photo", "teacher", "student"])

    batches = Batches(sample, args.epoch_steps, args.batch, args.seed)
    train(
        TransformerDistiller(student, teacher, 1.0 if args.hints is None else args.hints),
        [student],
        batches,
        sheet,
        args,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["predictor", "transformer"])
    parser.add_argument("--teacher", type=Path, required=True, help="folder of the mobile network's .npz arrays")
    parser.add_argument("--hints", type=float, help="weight of the feature maps in the transformer's loss: 1")
    add_run_arguments(parser, steps=3000, batch=8, rate=3e-3)
    args = parser.parse_args()
    if args.network == "predictor" and args.hints is not None:
        parser.error("--hints is the transformer's")
    keras.utils.set_random_seed(args.seed)
    {"predictor": predictor_run, "transformer": transformer_run}[args.network](args, SMALL)


if __name__ == "__main__":
    main()
