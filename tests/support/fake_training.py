"""A fake training: it counts its steps, in a state that it goes on from, and learns nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.finetuning import STATE_FILE
from model.imaging import image_files
from model.imaging.image_files import ImageSource
from model.options import TrainOptions
from model.pipelines.style_training import TrainedStyle
from model.progress import Cancelled, OnStep, Step
from model.style_file import StyleFile
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256
from tests.support.style_networks import network_file

DEFAULT_STEPS = TrainOptions.model_fields["steps"].default
FEWER_STEPS = 20  # in their place
SAVED_STEPS = 5  # between two states


def run_training(
    painting: ImageSource, steps: int, name: str, vector: np.ndarray, folder: Path, tell: OnStep
) -> TrainedStyle:
    """Count to `steps`, from where the state in `folder` is; tell each, with the painting as a sample."""
    state, complete = folder / STATE_FILE, True
    sample = image_files.read(painting, field="style", limit=64)
    step = begun = _read_step(state)
    try:
        for step in range(begun + 1, steps + 1):
            if step % SAVED_STEPS == 0:
                _write_step(state, step)
            losses = {"style": 1 / step, "content": 0.5}
            tell(Step(step, steps, float(steps - step), sample, losses))
    except Cancelled:
        complete = False
        _write_step(state, step)
    weights = {"weights": NEGATIVE, "weights_sha256": NEGATIVE_SHA256}
    style = StyleFile.with_network(network_file(step, NEGATIVE_SHA256), name=name, vector=vector, **weights)
    losses = {"style": 1.0, "content": 0.5}
    return TrainedStyle(style, step, step / 10, "fake", losses, losses, complete, [])


def _read_step(state: Path) -> int:
    if not state.exists():
        return 0
    with np.load(state) as file:
        return int(file["step"])


def _write_step(state: Path, step: int) -> None:
    np.savez(state, step=step)
