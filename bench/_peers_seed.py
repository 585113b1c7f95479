"""The function that hobby projects have, which loads its model at every call, against ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image

from bench._measure import median_seconds_in_turns, times
from bench._peers_rows import closeness, painting, photo
from model.imaging import pixel_ops
from model.inference.magenta import Magenta
from model.options import StylizeOptions
from model.pipelines.stylization import stylize
from model.weights.npz import read_weights

HEAD = "way | side | seconds | times ours | times ours with the weights that ship | dB between the two"
ANEW = "loaded at each call"

Habit: TypeAlias = Callable[[Path, Path, Path], Image.Image]  # model, content and style -> pastiche


def read(*files: Path) -> list[np.ndarray]:
    """Each (1, H, W, 3) in 0..1."""
    return [np.asarray(Image.open(file), dtype="float32")[None] / 255 for file in files]


def published(model: Path, content: Path, style: Path) -> Image.Image:
    network = hub.load(str(model))
    pastiche = network(*map(tf.constant, read(content, style)))[0]
    return Image.fromarray(pixel_ops.as_uint8(pastiche[0].numpy()))


def shipped(model: Path, content: Path, style: Path) -> Image.Image:
    """The same habit with this project's weights."""
    network = Magenta("fresh", *read_weights(model))
    (picture,), (strokes,) = read(content, style)
    return Image.fromarray(pixel_ops.as_uint8(network.render(picture, network.embed(strokes))))


def rows(models: Mapping[str, tuple[Path, Habit]], side: int, folder: Path) -> list[str]:
    """Two of HEAD for each model, of the same two files and of results as large as the content; the first one ships."""
    files = folder / "content.png", folder / "style.png"
    for picture, file in zip((photo(side), painting()), files, strict=True):
        Image.fromarray(pixel_ops.as_uint8(picture)).save(file)
    options = StylizeOptions.parse({"size": side})
    ours = [partial(stylize, files[0], [files[1]], options, model) for model, _ in models.values()]
    theirs = [partial(habit, model, *files) for model, habit in models.values()]
    seconds, found = median_seconds_in_turns([*ours, *theirs], settle=True), []
    warms, anews = seconds[: len(ours)], seconds[len(ours) :]
    for name, mine, habit, warm, anew in zip(models, ours, theirs, warms, anews, strict=True):
        close = closeness(np.asarray(habit()) / 255, pixel_ops.as_uint8(mine().picture.rgb) / 255)
        for how, taken, distance in ("ours", warm, ""), (ANEW, anew, close):
            ratios = f"{times(taken, warm)} | {times(taken, seconds[0])}"
            found.append(f"{name}, {how} | {side} | {taken:.3f} | {ratios} | {distance}")
    return found
