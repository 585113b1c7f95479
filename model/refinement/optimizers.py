"""Optimisers over a picture's pixels, the running average of their iterates, and rules for stopping."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
import tensorflow as tf
from scipy.optimize import Bounds, minimize

from model.options import OptimizerName

LossValues: TypeAlias = dict[str, float]
# Picture (1, H, W, 3) -> losses and gradient there.
LossAndGradient: TypeAlias = Callable[[tf.Tensor], tuple[LossValues, tf.Tensor]]
OnIterate: TypeAlias = Callable[[tf.Tensor, LossValues], None]  # may raise StopOptimisation

ADAM_BETAS, ADAM_EPSILON = (0.9, 0.99), 1e-8
MIN_LOSS_DECREASE = 1e-3  # share by which the loss must fall to count as falling
MAX_RATE_HALVINGS = 8  # of Adam's rate, before it gives up
NOT_FINITE_NOTE = "The losses were no finite numbers any more, so the refinement ended there: lower the weights."


class StopOptimisation(Exception):
    """Raised by an OnIterate to end the optimisation."""


class Optimizer(Protocol):
    """A method of optimisation; notes: a sentence for each thing that did not go as it was asked for."""

    notes: list[str]

    def run(self, evaluate: LossAndGradient, picture: tf.Tensor, steps: int, on_iterate: OnIterate) -> None:
        """Call on_iterate with each iterate, (1, H, W, 3) in 0..1, and the losses at the one before."""


class Adam:
    """Adam (Kingma and Ba 2015), with moments carried from one level to the next, as in style-transfer-pytorch."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.notes: list[str] = []
        self._steps, self._rate_halvings = 0, 0
        self._moments: list[tf.Tensor] = []  # (1, H, W, 3) each: of the gradient, and of its square

    def run(self, evaluate: LossAndGradient, picture: tf.Tensor, steps: int, on_iterate: OnIterate) -> None:
        self._moments = _resize_moments(self._moments, picture.shape)
        good = picture
        for _ in range(steps):
            values, gradient = evaluate(picture)
            if math.isfinite(values["loss"]) and (ahead := self._step(picture, gradient)) is not None:
                good, picture = picture, ahead
                on_iterate(picture, values)
            elif picture is good or self._rate_halvings == MAX_RATE_HALVINGS:
                self.notes.append(NOT_FINITE_NOTE)
                return
            else:
                picture = good
                self._halve_rate()

    def _step(self, picture: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor | None:
        """Return the next iterate, None where the gradient is not finite."""
        self._steps += 1
        corrections = [1 - beta**self._steps for beta in ADAM_BETAS]
        state = (picture, gradient, *self._moments)
        ahead, *self._moments, finite = _adam_step(*state, tf.constant([self.rate, *corrections], tf.float32))
        return ahead if finite else None

    def _halve_rate(self) -> None:
        self.rate, self._rate_halvings = self.rate / 2, self._rate_halvings + 1
        self._steps, self._moments = 0, [tf.zeros_like(moment) for moment in self._moments]
        self.notes.append(f"The losses were no finite numbers any more, so the rate was lowered to {self.rate:g}.")


_PICTURE_SPEC = tf.TensorSpec((1, None, None, 3), tf.float32)


@tf.function(
    input_signature=[_PICTURE_SPEC, _PICTURE_SPEC, _PICTURE_SPEC, _PICTURE_SPEC, tf.TensorSpec((3,), tf.float32)],
    autograph=False,
)  # type: ignore[untyped-decorator]
def _adam_step(
    picture: tf.Tensor, gradient: tf.Tensor, mean: tf.Tensor, square: tf.Tensor, numbers: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    mean += (1 - ADAM_BETAS[0]) * (gradient - mean)
    square += (1 - ADAM_BETAS[1]) * (gradient**2 - square)
    rate, correct_mean, correct_square = tf.unstack(numbers)
    step = rate * (mean / correct_mean) / (tf.sqrt(square / correct_square) + ADAM_EPSILON)
    return tf.clip_by_value(picture - step, 0, 1), mean, square, tf.reduce_all(tf.math.is_finite(square))


def _resize_moments(moments: list[tf.Tensor], shape: tuple[int, ...]) -> list[tf.Tensor]:
    if not moments:
        return [tf.zeros(shape)] * 2
    return [tf.image.resize(moment, shape[1:3]) for moment in moments]  # bilinear, so that squares stay positive


class LBFGS:
    """SciPy's L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995), bounded to pixels in 0..1; it finds its own rate."""

    def __init__(self, rate: float) -> None:
        self.notes: list[str] = []

    def run(self, evaluate: LossAndGradient, picture: tf.Tensor, steps: int, on_iterate: OnIterate) -> None:
        shape, last = picture.shape, LossValues()

        def value_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal last
            last, gradient = evaluate(_to_picture(x, shape))
            flat = gradient.numpy().ravel().astype("float64")
            if not (math.isfinite(last["loss"]) and np.isfinite(flat).all()):
                raise _NotFinite
            return last["loss"], flat

        try:
            minimize(
                value_and_gradient,
                picture.numpy().ravel().astype("float64"),
                method="L-BFGS-B",
                jac=True,
                bounds=Bounds(0, 1),
                callback=lambda x: on_iterate(_to_picture(x, shape), last),
                options={"maxiter": steps, "maxfun": 10 * steps, "ftol": 0, "gtol": 0},
            )
        except _NotFinite:
            self.notes.append(NOT_FINITE_NOTE)


class _NotFinite(Exception):
    pass


def _to_picture(x: np.ndarray, shape: tuple[int, ...]) -> tf.Tensor:
    return tf.constant(x.reshape(shape), tf.float32)


OPTIMIZERS: dict[OptimizerName, Callable[[float], Optimizer]] = {"adam": Adam, "lbfgs": LBFGS}


class ExponentialMovingAverage:
    """The exponential average of the iterates, in 0..1, corrected for its start; it evens out single steps' noise."""

    def __init__(self, decay: float, begin: np.ndarray | float = 0.0, steps: int = 0) -> None:
        """begin: the average after `steps` iterates before these."""
        self._decay, self._weight = decay, 1 - decay**steps
        self._sum = self._weight * tf.constant(begin, tf.float32)

    def add(self, picture: tf.Tensor) -> tf.Tensor:
        self._sum = self._decay * self._sum + (1 - self._decay) * picture
        self._weight = self._decay * self._weight + 1 - self._decay
        return tf.clip_by_value(self._sum / self._weight, 0, 1)  # rounding may take an average of ones beyond one


class PlateauDetector:
    """A rule that stops when the loss has not fallen over the last `patience` steps; with 0 it never does."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._losses: deque[float] = deque(maxlen=2 * patience)

    def has_plateaued(self, loss: float) -> bool:
        self._losses.append(loss)
        if not self._patience or len(self._losses) < 2 * self._patience:
            return False
        before, lately = np.split(np.array(self._losses), 2)
        return bool(lately.mean() > before.mean() * (1 - MIN_LOSS_DECREASE))


class TimeBudget:
    """The time that a run may take, and an estimate of what its work still needs."""

    def __init__(self, seconds: float | None, before: float = 0.0) -> None:
        """seconds: the budget. before: how many of them were used already."""
        self._seconds, self._start = seconds, time.perf_counter() - before

    def is_spent(self, share: float) -> bool:
        """Return whether the time that a `share` of the work may take is used up."""
        return self._seconds is not None and self._elapsed() >= share * self._seconds

    def seconds_left(self, share: float) -> float:
        """Estimate how many seconds remain, once a `share` of the work is done."""
        left = self._elapsed() * (1 - share) / share
        return left if self._seconds is None else max(0.0, min(left, self._seconds - self._elapsed()))

    def _elapsed(self) -> float:
        return time.perf_counter() - self._start
