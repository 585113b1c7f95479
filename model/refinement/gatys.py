"""Style transfer by optimisation of the picture's pixels.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016: pixels follow the
gradient of a content loss and a style loss, both measured on an encoder's feature maps. It departs from the paper in
two things: a pyramid of levels from coarse to fine, each starting from the one before with Adam's moments carried over;
and a running average of the iterates as the result, which is what a smaller and smaller rate would find.
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
from model.progress import LOSS_NAMES, Cancelled, Checkpoint, OnStep, Step
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
from model.refinement.pyramid import PyramidLevel, build_pyramid, remaining_levels, resize_style
from model.weights.checksums import file_version

PRECISION_TRIAL_SIDE = 192  # pixels

EndReason = Literal["steps", "settled", "time", "memory", "stopped"]


@dataclass(frozen=True)
class OptimisationResult:
    """A refined picture, and how the optimisation went."""

    rgb: np.ndarray  # (H, W, 3) float32 in 0..1
    notes: list[str]  # a sentence for each thing that did not go as it was asked for
    precision: str
    ended: EndReason


@dataclass(frozen=True)
class Targets:
    """The content's feature maps and the styles' Gram matrices, which the picture's are to approach."""

    content: list[tf.Tensor]  # (1, H, W, C) of each content layer
    grams: list[tf.Tensor]  # (1, C, C) of each style layer


@dataclass(frozen=True)
class LossWeights:
    """The weights of the layers, and of the three losses in the total."""

    content: tf.Tensor  # (layers,)
    style: tf.Tensor  # (layers,)
    total: tf.Tensor  # (3,) of content, style and total variation


class Objective:
    """The losses of a picture and their gradient, traced once: sizes and weights may change from call to call."""

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
        signature = [image, maps, grams, numbers]
        self._traced_losses_and_gradient = tf.function(self._losses_and_gradient, signature, autograph=False)
        self._traced_features = tf.function(self._extract_features, [image], autograph=False)

    def targets(self, content: np.ndarray, styles: Sequence[np.ndarray], shares: Sequence[float]) -> Targets:
        """Return the targets of a content and of styles in these shares, all pictures (H, W, 3)."""
        maps, _ = self._traced_features(content[None])
        each = zip(*(self._traced_features(style[None])[1] for style in styles), strict=True)
        return Targets(maps, [sum(s * g for s, g in zip(shares, grams, strict=True)) for grams in each])

    def losses_and_gradient(
        self, picture: tf.Tensor, targets: Targets, weights: LossWeights
    ) -> tuple[LossValues, tf.Tensor]:
        """Return the losses and the gradient (1, H, W, 3) at a picture (1, H, W, 3)."""
        numbers = [weights.content, weights.style, weights.total]
        values, gradient = self._traced_losses_and_gradient(picture, targets.content, targets.grams, numbers)
        return dict(zip(LOSS_NAMES, values.numpy().tolist(), strict=True)), gradient

    def _extract_features(self, picture: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Return the feature maps of the content layers and the Gram matrices of the style layers."""
        outputs = tf.nest.flatten(self._features(picture, training=False))
        maps = dict(zip(self._layers, outputs, strict=True))
        return [maps[layer] for layer in self._content], [losses.gram(maps[layer]) for layer in self._style]

    def _losses_and_gradient(
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
        if self._relative:  # for each value, so that one weight suits every size
            variation /= ops.cast(ops.size(picture), "float32")
        parts = [content, style, variation]
        return [ops.sum(weights.total * ops.stack(parts)), *parts]


def _weighted_mean_error(
    weights: tf.Tensor,
    values: Sequence[tf.Tensor],
    targets: Sequence[tf.Tensor],
    error: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Return the weighted mean over layers, 0 without layers."""
    errors = [error(value, target)[0] for value, target in zip(values, targets, strict=True)]
    return ops.mean(weights * ops.stack(errors)) if errors else ops.zeros(())


@lru_cache(maxsize=4)
def _cached_objective(
    encoder: str, content: tuple[str, ...], style: tuple[str, ...], relative: bool, dtype: str, file: object
) -> Objective:
    return Objective(encoder, content, style, relative=relative, dtype=dtype)


def objective(options: RefineOptions, dtype: str = "float32") -> Objective:
    """Return the traced losses of these options; those of the last few combinations of layers are remembered."""
    path = encoder_registry.find(options.encoder) or Path()
    content, style = active_layers(options)
    file = path, file_version(path)
    return _cached_objective(options.encoder, tuple(content), tuple(style), options.loss == "relative", dtype, file)


def active_layers(options: RefineOptions) -> tuple[LayerWeights, LayerWeights]:
    """Return the content and the style layers whose weights are not 0; the encoder's own where none are named."""
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
    """Optimise `start` towards the content and the styles; all pictures are (H, W, 3) float32 in 0..1.

    `start` and the result have the content's size. If on_step raises Cancelled, the best picture so far is the result.
    resume: where to go on from, with an array as picture, of any of the run's sizes; Adam's moments begin anew.
    """
    with tf.device(device()):
        dtype = precision.choose_policy(options.encoder, lambda dtype: _trial_step(options, dtype))
        run = _Optimisation(objective(options, dtype), options, start, on_step, resume)
        run.run(content, styles, shares)
    return OptimisationResult(run.upscaled_best(content.shape[:2]), run.notes, dtype, run.ended)


def _trial_step(options: RefineOptions, dtype: str) -> Callable[[], object]:
    """Return a function that runs one step on a small picture."""
    side = PRECISION_TRIAL_SIDE
    picture = np.linspace(0, 1, side**2 * 3, dtype="float32").reshape(side, side, 3)
    compiled, weights = objective(options, dtype), loss_weights(options)
    targets = compiled.targets(picture, [picture], [1.0])
    return lambda: compiled.losses_and_gradient(tf.constant(picture[None]), targets, weights)


def loss_weights(options: RefineOptions) -> LossWeights:
    content, style = (tf.constant(list(chosen.values()), tf.float32) for chosen in active_layers(options))
    total = [options.content_weight, options.style_weight, options.variation_weight]
    return LossWeights(content, style, tf.constant(total, tf.float32))


class _Optimisation:
    """One optimisation in progress; `best` (H, W, 3) is its result so far."""

    def __init__(
        self,
        objective: Objective,
        options: RefineOptions,
        start: np.ndarray,
        on_step: OnStep | None,
        resume: Checkpoint | None,
    ) -> None:
        self._start, self._steps_done = start, resume.step if resume else 0
        self.best = np.asarray(resume.picture) if resume else start
        self._objective, self._options, self._on_step = objective, options, on_step
        self._optimizer = OPTIMIZERS[options.optimizer](options.rate)
        self._time_budget = TimeBudget(options.seconds, resume.seconds if resume else 0.0)
        self._weights = loss_weights(options)
        self.ended: EndReason = "steps"

    @property
    def notes(self) -> list[str]:
        return self._optimizer.notes

    def run(self, content: np.ndarray, styles: Sequence[np.ndarray], shares: Sequence[float]) -> None:
        try:
            if self._on_step:
                self._on_step(Step(self._steps_done, self._options.steps, None, Picture(self.best)))
            for level in remaining_levels(build_pyramid(content.shape[:2], self._options), self._steps_done):
                sized = [resize_style(style, level, self._options) for style in styles]
                targets = self._objective.targets(pixel_ops.resize(content, level.size), sized, shares)
                self._run_level(targets, level)
        except tf.errors.ResourceExhaustedError as error:
            self._fall_back_to_coarser(level, error)
        except Cancelled:
            self.ended = "stopped"

    def _fall_back_to_coarser(self, level: PyramidLevel, error: Exception) -> None:
        """End with the result of the coarser levels: how much memory a GPU has free is not known before."""
        height, width = level.size
        if self.best is self._start:
            raise memory.too_large_error(f"Refining {width} x {height} pixels does not fit into memory") from error
        self.ended, reached = "memory", "{1} x {0}".format(*self.best.shape)
        self.notes.append(f"There was no memory for {width} x {height} pixels: it was refined up to {reached}.")

    def _run_level(self, targets: Targets, level: PyramidLevel) -> None:
        begin, steps = self.upscaled_best(level.size), 0
        average = ExponentialMovingAverage(self._options.average, begin, level.steps_done)
        plateau = PlateauDetector(self._options.patience)

        def on_iterate(picture: tf.Tensor, values: LossValues) -> None:
            nonlocal steps
            steps += 1
            self.best = average.add(picture)[0].numpy()
            self._report_step(level, steps, values)
            if plateau.has_plateaued(values["loss"]):
                self._stop_level("settled")
            if steps < level.steps and self._time_budget.is_spent(level.work_before + level.work):
                self._stop_level("time")

        with suppress(StopOptimisation):
            self._optimizer.run(
                lambda picture: self._objective.losses_and_gradient(picture, targets, self._weights),
                tf.constant(begin[None]),
                level.steps,
                on_iterate,
            )

    def _stop_level(self, reason: EndReason) -> None:
        """End this level; where time ended any level, it is what ended the run."""
        self.ended = reason if self.ended != "time" else "time"
        raise StopOptimisation

    def upscaled_best(self, size: tuple[int, int]) -> np.ndarray:
        """Return the best picture at this size, with the details of the start that it was too small for."""
        if self.best is self._start:
            return pixel_ops.resize(self._start, size)
        coarse = pixel_ops.resize(pixel_ops.resize(self._start, self.best.shape[:2]), size)
        details = pixel_ops.resize(self._start, size) - coarse
        sharp: np.ndarray = np.clip(pixel_ops.resize(self.best, size) + details, 0, 1)
        return sharp

    def _report_step(self, level: PyramidLevel, steps: int, values: LossValues) -> None:
        if self._on_step:
            left = self._time_budget.seconds_left(level.work_before + level.work * steps / level.steps)
            self._on_step(Step(level.steps_before + steps, self._options.steps, left, Picture(self.best), values))
