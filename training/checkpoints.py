"""Checkpoints of a training run: its state, the means of its losses, their plot, and whatever shows how it paints."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.finetuning.session import Session, TrainingLosses
from training.run import plot


class Checkpoints:
    """Called after each step: saves the session after each `every` seconds and at the end, and calls `report` then.

    log.csv and loss.png are in the session's folder.
    """

    def __init__(self, session: Session, every: float, report: Callable[[], None]) -> None:
        self.session, self.every, self.report = session, every, report
        self.log, self.plot = (session.path.with_name(name) for name in ("log.csv", "loss.png"))
        self.last, self.losses = session.seconds, list[TrainingLosses]()
        self.bar = tqdm(unit="step", initial=session.step, desc=session.path.parent.name)

    def __call__(self, losses: TrainingLosses, progress: float) -> None:
        self.losses.append(losses)
        self.bar.update()
        if self.session.seconds - self.last > self.every or progress == 1.0:
            self._keep()
        if progress == 1.0:
            self.bar.close()

    def _keep(self) -> None:
        self.session.save()
        means = {name: float(np.mean([step[name] for step in self.losses])) for name in self.losses[0]}
        session = self.session
        row = {"epoch": session.checkpoints, "step": session.step, "seconds": round(session.seconds), **means}
        _append(self.log, row)
        plot(self.log, self.plot)
        self.report()
        self.last, self.losses = session.seconds, []


def _append(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
