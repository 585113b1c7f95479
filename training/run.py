"""What every training run shares: its arguments, checkpoints, progress bar, loss plot and weights on disk."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from model.networks.layers import read_arrays
from training.data import Batches


def add_run_arguments(parser: argparse.ArgumentParser, *, steps: int, batch: int, rate: float) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with content/ and style/ pictures")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, log, plot and weights go here")
    parser.add_argument("--steps", type=int, default=steps, help="rounded up to whole epochs")
    parser.add_argument("--epoch-steps", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=rate, help="Adam's first learning rate; it falls as a cosine")
    parser.add_argument("--seed", type=int, default=0)


def train(
    task: keras.Model,
    students: list[keras.Model],
    batches: Batches,
    sheet: Callable[[], Image.Image],
    args: argparse.Namespace,
) -> None:
    """Minimises `task` over `batches`.

    After each epoch args.out holds the arrays of `students` in weights.npz, loss.png, and what `sheet` draws.
    """
    args.out.mkdir(parents=True, exist_ok=True)
    schedule = keras.optimizers.schedules.CosineDecay(args.rate, args.steps, alpha=0.02, warmup_steps=0)
    task.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), jit_compile=False)
    task(batches[0][0])  # builds the variables that a checkpoint restores
    log = args.out / "log.csv"

    def keep(epoch: int, logs: dict[str, float] | None) -> None:
        save(students, args.out / "weights.npz")
        plot(log, args.out / "loss.png")
        sheet().save(args.out / "sheet.jpg", quality=90)

    task.fit(
        batches,
        epochs=-(-args.steps // args.epoch_steps),
        shuffle=False,  # they are random already, and in this order for a resumed run, too
        callbacks=[
            keras.callbacks.BackupAndRestore(str(args.out / "checkpoint"), delete_checkpoint=False),
            _FollowEpoch(batches),
            keras.callbacks.CSVLogger(str(log), append=True),
            keras.callbacks.LambdaCallback(on_epoch_end=keep),
        ],
    )


class _FollowEpoch(keras.callbacks.Callback):
    """Tells the batches which epoch a resumed run is in, so that it does not repeat the first one's pictures."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.batches.epoch = epoch


def save(students: list[keras.Model], path: Path) -> None:
    """All arrays in one .npz; a reader never sees half a file."""
    partial = path.with_name("partial.npz")
    np.savez(partial, **{name: array for student in students for name, array in read_arrays(student).items()})
    partial.replace(path)


def plot(log: Path, image: Path) -> None:
    """Each column of a run's log that holds numbers, against its epochs."""
    from matplotlib.figure import Figure

    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name, value in rows[0].items() if name != "epoch" and value != "NA"]
    figure = Figure(figsize=(4 * len(columns), 3), layout="constrained")
    for axes, column in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        axes.plot([int(row["epoch"]) for row in rows], [float(row[column]) for row in rows])
        axes.set(xlabel="epoch", title=column)
    figure.savefig(image)
