"""Style transfer by optimisation: the picture itself is what is trained.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016: pixels follow the
gradient of a content loss and a style loss, both measured on an encoder's feature maps. What departs from the paper:
scales from coarse to fine, each starting from the one before with Adam's moments carried over, and a running average of
the iterates as the result, which is what a smaller and smaller rate would find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf
from keras import ops

from model.hardware import memory, precision
from model.hardware.device import device
from model.imaging import pixel_ops
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions
from model.progress import Cancelled, Checkpoint, OnStep, Step
from model.refinement import encoder_registry, encoders, losses
from model.refinement.encoder_registry import LayerWeights
from model.refinement.optimizers import (
    OPTIMIZERS,
    ExponentialMovingAverage,
    LossValues,
    PlateauDetector,
    StopOptimisation,
    TimeBudget,
)
from model.weights import registry

MIN_SIDE = 64  # pixels, long side of the coarsest scale
MAX_STYLE_SIDE = 2048  # pixels, long side
TRIAL_SIDE = 192  # pixels

EndReason = Literal["steps", "settled", "time", "memory", "stopped"]


@dataclass(frozen=True)
class OptimisationResult:
    """(H, W, 3) float32 in 0..1, and in sentences whatever did not go as it was asked for."""

    rgb: np.ndarray
    notes: list[str]
    precision: str
    ended: EndReason  # by what


@dataclass(frozen=True)
class Targets:
    """What the features should become: those of the content, and the styles' Gram matrices."""

    content: list[tf.Tensor]  # (1, H, W, C) of each content layer
    grams: list[tf.Tensor]  # (1, C, C) of each style layer


@dataclass(frozen=True)
class LossWeights:
    content: tf.Tensor  # (layers,)
    style: tf.Tensor  # (layers,)
    total: tf.Tensor  # (3,) of content, style and total variation


class Objective:
    """The losses of a picture and their gradient. Compiled once: sizes and weights may change from call to call."""

    def __init__(
        self, encoder: str, content: Sequence[str], style: Sequence[str], *, relative: bool, dtype: str = "float32"
    ) -> None:
        self._content, self._style, self._relative = content, style, relative
        self._layers = [layer for layer in encoder_registry.get(encoder).layers if layer in {*content, *style}]
        self._features = encoders.build(encoder, self._layers, dtype=dtype)
        channels = dict(zip(self._layers, (f.shape[-1] for f in self._features.outputs), strict=True))
        image = tf.TensorSpec((1, None, None, 3))
        maps = [tf.TensorSpec((1, None, None, channels[layer])) for layer in content]
        grams = [tf.TensorSpec((1, channels[layer], channels[layer])) for layer in style]
        numbers = [tf.TensorSpec((length,)) for length in (len(content), len(style), 3)]
        self._trace_layers = tf.function(self._descend, [image, maps, grams, numbers], autograph=False)
        self._seen = tf.function(self._extract_features, [image], autograph=False)

    @property
    def trace_count(self) -> int:
        return int(self._trace_layers.experimental_get_tracing_count() + self._seen.experimental_get_tracing_count())

    def targets(self, content: np.ndarray, styles: Sequence[np.ndarray], shares: Sequence[float]) -> Targets:
        """Pictures are (H, W, 3)."""
        maps, _ = self._seen(content[None])
        each = zip(*(self._seen(style[None])[1] for style in styles), strict=True)
        return Targets(maps, [sum(s * g for s, g in zip(shares, grams, strict=True)) for grams in each])

    def at(self, picture: tf.Tensor, targets: Targets, weights: LossWeights) -> tuple[LossValues, tf.Tensor]:
        """The losses and the gradient (1, H, W, 3) at a picture (1, H, W, 3)."""
        numbers = [weights.content, weights.style, weights.total]
        found, gradient = self._trace_layers(picture, targets.content, targets.grams, numbers)
        return dict(zip(("loss", "content", "style", "variation"), found.numpy().tolist(), strict=True)), gradient

    def _extract_features(self, picture: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Feature maps of the content layers, Gram matrices of the style layers."""
        features = tf.nest.flatten(self._features(picture, training=False))
        seen = dict(zip(self._layers, features, strict=True))
        return [seen[layer] for layer in self._content], [losses.gram(seen[layer]) for layer in self._style]

    def _descend(
        self, picture: tf.Tensor, content: list[tf.Tensor], grams: list[tf.Tensor], weights: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(picture)
            parts = self._losses(picture, Targets(content, grams), LossWeights(*weights))
        return tf.stack(parts), tape.gradient(parts[0], picture)

    def _losses(self, picture: tf.Tensor, targets: Targets, weights: LossWeights) -> list[tf.Tensor]:
        error = losses.relative_error if self._relative else losses.squared_error
        maps, grams = self._extract_features(picture)
        content = _weighted_mean_error(weights.content, maps, targets.content, error)
        style = _weighted_mean_error(weights.style, grams, targets.grams, error)
        variation = losses.total_variation(picture)[0]
        if self._relative:  # by the value, so that one weight suits every size
            variation /= ops.cast(ops.size(picture), "float32")
        parts = [content, style, variation]
        return [ops.sum(weights.total * ops.stack(parts)), *parts]


def _weighted_mean_error(
    weights: tf.Tensor,
    values: Sequence[tf.Tensor],
    targets: Sequence[tf.Tensor],
    error: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Over layers, weighted; 0 without layers."""
    errors = [error(value, target)[0] for value, target in zip(values, targets, strict=True)]
    return ops.mean(weights * ops.stack(errors)) if errors else ops.zeros(())


@lru_cache(maxsize=4)
def _cached_objective(
    encoder: str, content: tuple[str, ...], style: tuple[str, ...], relative: bool, dtype: str, file: object
) -> Objective:
    return Objective(encoder, content, style, relative=relative, dtype=dtype)


def objective(options: RefineOptions, dtype: str = "float32") -> Objective:
    """The compiled losses of these options; those of the last few combinations of layers are kept."""
    path = encoder_registry.find(options.encoder) or Path()
    content, style = active_layers(options)
    file = path, registry.version(path)
    return _cached_objective(options.encoder, tuple(content), tuple(style), options.loss == "relative", dtype, file)


def active_layers(options: RefineOptions) -> tuple[LayerWeights, LayerWeights]:
    """The content and the style layers that count, with their weights: the encoder's own where none are named."""
    content, style = encoder_registry.get(options.encoder).layers_or_defaults(
        options.content_layers, options.style_layers
    )
    chosen = [
        {layer: share for layer, share in some.items() if share and weight}
        for some, weight in ((content, options.content_weight), (style, options.style_weight))
    ]
    return chosen[0], chosen[1]


def optimise(
    content: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    start: np.ndarray,
    options: RefineOptions,
    on_step: OnStep | None = None,
    resume: Checkpoint | None = None,
) -> OptimisationResult:
    """All pictures (H, W, 3) float32 in 0..1; `start` and the result have the content's size.

    If on_step raises Cancelled, what it has come to is handed back. resume: goes on from there, with an array as
    picture, of any of the run's sizes; Adam's moments begin anew.
    """
    with tf.device(device()):
        dtype = precision.choose_policy(options.encoder, lambda dtype: _trial_step(options, dtype))
        run = _Optimisation(objective(options, dtype), options, start, on_step, resume)
        run.run(content, styles, shares)
    return OptimisationResult(run.upscaled_best(content.shape[:2]), run.notes, dtype, run.ended)


def _trial_step(options: RefineOptions, dtype: str) -> Callable[[], object]:
    """One step on a small picture."""
    picture = np.linspace(0, 1, TRIAL_SIDE**2 * 3, dtype="float32").reshape(TRIAL_SIDE, TRIAL_SIDE, 3)
    compiled, weights = objective(options, dtype), loss_weights(options)
    targets = compiled.targets(picture, [picture], [1.0])
    return lambda: compiled.at(tf.constant(picture[None]), targets, weights)


def loss_weights(options: RefineOptions) -> LossWeights:
    content, style = (tf.constant(list(chosen.values()), tf.float32) for chosen in active_layers(options))
    total = [options.content_weight, options.style_weight, options.variation_weight]
    return LossWeights(content, style, tf.constant(total, tf.float32))


class _Optimisation:
    """One optimisation under way; `best` (H, W, 3) is its result so far."""

    def __init__(
        self,
        objective: Objective,
        options: RefineOptions,
        start: np.ndarray,
        on_step: OnStep | None,
        resume: Checkpoint | None,
    ) -> None:
        self._start, self._done = start, resume.step if resume else 0
        self.best = np.asarray(resume.picture) if resume else start
        self._objective, self._options, self._on_step = objective, options, on_step
        self._descent = OPTIMIZERS[options.optimizer](options.rate)
        self._clock = TimeBudget(options.seconds, resume.seconds if resume else 0.0)
        self._weights = loss_weights(options)
        self.ended: EndReason = "steps"

    @property
    def notes(self) -> list[str]:
        return self._descent.notes

    def run(self, content: np.ndarray, styles: Sequence[np.ndarray], shares: Sequence[float]) -> None:
        try:
            if self._on_step:
                self._on_step(Step(self._done, self._options.steps, None, Picture(self.best)))
            for scale in remaining_levels(build_pyramid(content.shape[:2], self._options), self._done):
                sized = [resize_style(style, scale, self._options) for style in styles]
                targets = self._objective.targets(pixel_ops.resize(content, scale.size), sized, shares)
                self._descend(targets, scale)
        except tf.errors.ResourceExhaustedError as error:
            self._fall_back_to_coarser(scale, error)
        except Cancelled:
            self.ended = "stopped"

    def _fall_back_to_coarser(self, scale: PyramidLevel, error: Exception) -> None:
        """With what the coarser scales came to: a GPU's free memory is not known before."""
        height, width = scale.size
        if self.best is self._start:
            raise memory.too_large_error(f"Refining {width} x {height} pixels does not fit into memory") from error
        self.ended, reached = "memory", "{1} x {0}".format(*self.best.shape)
        self.notes.append(f"There was no memory for {width} x {height} pixels: it was refined up to {reached}.")

    def _descend(self, targets: Targets, scale: PyramidLevel) -> None:
        begin, steps = self.upscaled_best(scale.size), 0
        average, watch = (
            ExponentialMovingAverage(self._options.average, begin, scale.steps_done),
            PlateauDetector(self._options.patience),
        )

        def report(picture: tf.Tensor, found: LossValues) -> None:
            nonlocal steps
            steps += 1
            self.best = average.add(picture)[0].numpy()
            self._tell(scale, steps, found)
            if watch.has_plateaued(found["loss"]):
                self._stop_level("settled")
            if steps < scale.steps and self._clock.is_spent(scale.work_before + scale.work):
                self._stop_level("time")

        with suppress(StopOptimisation):
            self._descent.run(
                lambda picture: self._objective.at(picture, targets, self._weights),
                tf.constant(begin[None]),
                scale.steps,
                report,
            )

    def _stop_level(self, reason: EndReason) -> None:
        """Of this scale; where time ended one of them, it is what ended the run."""
        self.ended = reason if self.ended != "time" else "time"
        raise StopOptimisation

    def upscaled_best(self, size: tuple[int, int]) -> np.ndarray:
        """The best so far, with those details of the start that it was too small for."""
        if self.best is self._start:
            return pixel_ops.resize(self._start, size)
        coarse = pixel_ops.resize(pixel_ops.resize(self._start, self.best.shape[:2]), size)
        details = pixel_ops.resize(self._start, size) - coarse
        sharp: np.ndarray = np.clip(pixel_ops.resize(self.best, size) + details, 0, 1)
        return sharp

    def _tell(self, scale: PyramidLevel, steps: int, found: LossValues) -> None:
        if self._on_step:
            left = self._clock.seconds_left(scale.work_before + scale.work * steps / scale.steps)
            self._on_step(Step(scale.steps_before + steps, self._options.steps, left, Picture(self.best), found))


@dataclass(frozen=True)
class PyramidLevel:
    """`work` is this scale's share of the whole run's pixels times steps, `work_before` that of the coarser ones."""

    size: tuple[int, int]  # height, width
    steps: int
    steps_before: int
    work: float
    work_before: float
    steps_done: int = 0  # steps before an interruption


def build_pyramid(size: tuple[int, int], options: RefineOptions) -> list[PyramidLevel]:
    """From coarse to fine by the square root of two; those too small to see anything in are left out.

    The coarser, the more steps: they are cheap there, and bring most of the way.
    """
    smallest = encoder_registry.get(options.encoder).smallest
    shrunk = [tuple(round(side / 2 ** (level / 2)) for side in size) for level in reversed(range(options.scales))]
    sizes = [s for s in shrunk if s == size or (max(s) >= MIN_SIDE and min(s) >= smallest)]
    sizes = sizes[-options.steps :]
    ends = _cumulative_steps([1 / max(s) for s in sizes], options.steps)
    steps = np.diff(ends, prepend=0)
    work = np.array([height * width * n for (height, width), n in zip(sizes, steps, strict=True)], "float64")
    work /= work.sum()
    columns = (steps, ends - steps, work, np.cumsum(work) - work)
    return [PyramidLevel(*row) for row in zip(sizes, *(column.tolist() for column in columns), strict=True)]


def remaining_levels(scales: Sequence[PyramidLevel], done: int) -> list[PyramidLevel]:
    """What is left of them when `done` steps are."""
    gone = [min(max(done - scale.steps_before, 0), scale.steps) for scale in scales]
    return [_skip_steps(scale, steps) for scale, steps in zip(scales, gone, strict=True) if steps < scale.steps]


def _skip_steps(scale: PyramidLevel, steps: int) -> PyramidLevel:
    """The rest of a scale after its first steps."""
    work = scale.work * steps / scale.steps
    return PyramidLevel(
        scale.size, scale.steps - steps, scale.steps_before + steps, scale.work - work, scale.work_before + work, steps
    )


def _cumulative_steps(shares: Sequence[float], total: int) -> np.ndarray:
    """Where each part of `total` ends, when it has one for itself and its share of the others."""
    others = np.cumsum(shares) / np.sum(shares) * (total - len(shares))
    ends: np.ndarray = 1 + np.arange(len(shares)) + np.rint(others).astype(int)
    return ends


def resize_style(style: np.ndarray, scale: PyramidLevel, options: RefineOptions) -> np.ndarray:
    """The style image as large as the content is at this scale, times `style_scale`: so large are its strokes."""
    ratio = min(max(scale.size) * options.style_scale, MAX_STYLE_SIDE) / max(style.shape[:2])
    smallest = max(MIN_SIDE, encoder_registry.get(options.encoder).smallest)
    height, width = (max(smallest, round(side * ratio)) for side in style.shape[:2])
    return pixel_ops.resize(style, (height, width))
