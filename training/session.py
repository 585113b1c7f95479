"""A training run with a budget of steps or seconds, which may be stopped at any moment and started again."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import keras
import numpy as np
from tqdm import tqdm

from training.average import WeightAverage, copies
from training.run import plot

WARM_UP = 50  # steps in which the learning rate rises: Adam knows nothing at first
LONGEST = 60.0  # seconds that a step may count: a process that was suspended has not trained meanwhile
Batch = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Budget:
    """What a run may take; whichever of the two is nearer to its end sets the learning rate."""

    steps: int | None
    seconds: float | None

    def progress(self, step: int, seconds: float) -> float:
        """Give the share 0..1 that is used up."""
        shares = [used / whole for used, whole in ((step, self.steps), (seconds, self.seconds)) if whole is not None]
        return min(1.0, max(shares))


def learning_rate(progress: float, step: int, first: float, last: float) -> float:
    """Fall from `first` to `last` as half a cosine (Loshchilov and Hutter, "SGDR", 2017), after a warm-up."""
    rate = last + (first - last) * (1 + math.cos(math.pi * progress)) / 2
    return rate * min(1.0, (step + 1) / WARM_UP)


class Session:
    """A compiled task with all that a stopped run needs in order to go on: kept in `folder`/state.npz."""

    def __init__(self, task: keras.Model, average: WeightAverage, folder: Path) -> None:
        self.task, self.average, self.folder = task, average, folder
        self.step, self.seconds, self.checkpoints = 0, 0.0, 0
        folder.mkdir(parents=True, exist_ok=True)
        task.optimizer.build(task.trainable_variables)
        if self._path.exists():
            self._restore()

    @property
    def _path(self) -> Path:
        return self.folder / "state.npz"

    @property
    def _variables(self) -> list[keras.Variable]:
        return [*self.task.trainable_variables, *self.task.optimizer.variables]

    def save(self) -> None:
        """Write everything into one file; a reader never sees half of it."""
        partial = self.folder / "partial.npz"
        counters = np.array([self.step, self.seconds, self.checkpoints])
        np.savez(partial, counters, *copies(self._variables), *self.average.arrays)
        partial.replace(self._path)

    def _restore(self) -> None:
        with np.load(self._path) as file:
            counters, *arrays = (file[name] for name in file.files)
        self.step, self.seconds, self.checkpoints = int(counters[0]), float(counters[1]), int(counters[2])
        for variable, array in zip(self._variables, arrays, strict=False):
            variable.assign(array)
        self.average.arrays = arrays[len(self._variables) :]


def run(
    session: Session,
    draw: Callable[[int], Batch],
    budget: Budget,
    rates: tuple[float, float],
    report: Callable[[], None],
    every: float,
) -> None:
    """Train until the budget is spent, on `draw(step)`; save and `report` after each `every` seconds and at the end."""
    with ThreadPoolExecutor(1) as ahead, tqdm(unit="step", initial=session.step) as bar:
        batch = ahead.submit(draw, session.step)
        progress = budget.progress(session.step, session.seconds)
        last, logs, before = session.seconds, [], monotonic()
        while progress < 1.0:
            now, batch = batch.result(), ahead.submit(draw, session.step + 1)
            logs.append(_step(session, now, learning_rate(progress, session.step, *rates)))
            session.seconds, before = session.seconds + min(monotonic() - before, LONGEST), monotonic()
            progress = budget.progress(session.step, session.seconds)
            bar.update()
            if session.seconds - last > every or progress == 1.0:
                checkpoint(session, logs, report)
                last, logs = session.seconds, []


def _step(session: Session, batch: Batch, rate: float) -> dict[str, float]:
    session.task.optimizer.learning_rate = rate
    logs = session.task.train_on_batch(batch, return_dict=True)
    session.step += 1
    session.average.update(session.step)
    return {name: float(value) for name, value in logs.items()}


def checkpoint(session: Session, logs: list[dict[str, float]], report: Callable[[], None]) -> None:
    """Keep the run as it stands, with the means of its losses since the last time."""
    session.checkpoints += 1
    session.save()
    means = {name: float(np.mean([step[name] for step in logs])) for name in logs[0]}
    log = session.folder / "log.csv"
    _append(log, {"epoch": session.checkpoints, "step": session.step, "seconds": round(session.seconds), **means})
    plot(log, session.folder / "loss.png")
    report()


def _append(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
