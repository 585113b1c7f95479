"""What a training command leaves behind, how tests call one, and a task that trains in no time."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
from keras import ops
from PIL import Image

SIDE = 64  # pixels, of every crop
Command: TypeAlias = Callable[..., None]


class Mean(keras.Model):
    """The simplest task: one number moves towards those it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.number = keras.layers.Dense(1, use_bias=False, name="number", kernel_initializer="zeros")

    def call(self, inputs, training=None):
        return self.number(inputs[0])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - x[0] ** 2))


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def assert_whole(run: Path, epochs: int) -> None:
    """Each epoch is in the log once, every number in it is finite, and nothing half-written is left."""
    log = rows(run)
    assert [int(row["epoch"]) for row in log] == list(range(epochs))
    values = [value for row in log for value in row.values() if value != "NA"]  # Keras's, for what is not validated
    assert np.isfinite([float(value) for value in values]).all()
    for name in ("loss.png", "sheet.jpg"):
        Image.open(run / name).verify()
    assert not list(run.glob("*partial*"))


def arrays(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "weights.npz") as file:
        return dict(file)
