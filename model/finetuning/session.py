"""A training run with a budget of steps or seconds, which may be stopped at any moment and started again."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TypeAlias

import keras
import numpy as np

from model.finetuning.weight_average import WeightAverage, copies

WARM_UP = 50  # steps in which the learning rate rises: Adam knows nothing at first
LAST_RATE = 1e-5  # of Adam
LONGEST = 60.0  # seconds that a step may count: a process that was suspended has not trained meanwhile
Batch: TypeAlias = tuple[np.ndarray, ...]
TrainingLosses: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class Budget:
    """What a run may take; whichever of the two is nearer to its end sets the learning rate."""

    steps: int | None
    seconds: float | None

    def progress(self, step: int, seconds: float) -> float:
        """Return the share 0..1 that is used up."""
        shares = [used / whole for used, whole in ((step, self.steps), (seconds, self.seconds)) if whole is not None]
        return min(1.0, max(shares))


def learning_rate(progress: float, step: int, first: float, last: float = LAST_RATE) -> float:
    """Fall from `first` to `last` as half a cosine (Loshchilov and Hutter, "SGDR", 2017), after a warm-up."""
    rate = last + (first - last) * (1 + math.cos(math.pi * progress)) / 2
    return rate * min(1.0, (step + 1) / WARM_UP)


class Diverged(ArithmeticError):
    """The loss is no number any more; the average of the weights still is one."""


class Session:
    """A compiled task with all that a stopped run needs in order to go on: kept in `path`, a .npz."""

    def __init__(self, task: keras.Model, average: WeightAverage, path: Path) -> None:
        self.task, self.average, self.path = task, average, path
        self.step, self.seconds, self.checkpoints = 0, 0.0, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        task.optimizer.build(task.trainable_variables)
        if path.exists():
            self._restore()

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.task.trainable_variables, *self.task.optimizer.variables]

    def save(self) -> None:
        """Write everything into one file; a reader never sees half of it."""
        self.checkpoints += 1
        partial = self.path.with_suffix(".partial.npz")
        counters = np.array([self.step, self.seconds, self.checkpoints])
        np.savez(partial, counters, *copies(self._variables), *self.average.arrays)
        partial.replace(self.path)

    def _restore(self) -> None:
        with np.load(self.path) as file:
            counters, *arrays = (file[name] for name in file.files)
        self.step, self.seconds, self.checkpoints = int(counters[0]), float(counters[1]), int(counters[2])
        for variable, array in zip(self._variables, arrays, strict=False):
            variable.assign(array)
        self.average.arrays = arrays[len(self._variables) :]


def run(
    session: Session,
    draw: Callable[[int], Batch],
    budget: Budget,
    first_rate: float,
    on_step: Callable[[TrainingLosses, float], None],
) -> None:
    """Train on `draw(step)` until the budget is spent; on_step(losses, progress 0..1) comes after each step.

    What on_step raises ends the run. Raises Diverged where the loss is not finite.
    """
    with ThreadPoolExecutor(1) as ahead:
        batch = ahead.submit(draw, session.step)
        progress, before = budget.progress(session.step, session.seconds), monotonic()
        while progress < 1.0:
            now, batch = batch.result(), ahead.submit(draw, session.step + 1)
            losses = _step(session, now, learning_rate(progress, session.step, first_rate))
            session.seconds, before = session.seconds + min(monotonic() - before, LONGEST), monotonic()
            progress = budget.progress(session.step, session.seconds)
            on_step(losses, progress)


def _step(session: Session, batch: Batch, rate: float) -> TrainingLosses:
    session.task.optimizer.learning_rate = rate
    session.task.reset_metrics()  # else they are means over all steps so far
    losses = session.task.train_on_batch(batch, return_dict=True)
    if not math.isfinite(losses["loss"]):
        raise Diverged
    session.step += 1
    session.average.update(session.step)
    return {name: float(value) for name, value in losses.items()}
