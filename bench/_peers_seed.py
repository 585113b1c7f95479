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

from bench._measure import median_seconds
from bench._peers_rows import closeness, painting, photo
from model import images
from model.magenta import Magenta
from model.npz import read_weights
from model.options import StylizeOptions
from model.transfer import stylize

HEAD = "way | side | seconds | times ours | times ours with the weights that ship | dB between the two"
ANEW = "loaded at each call"

Habit: TypeAlias = Callable[[Path, Path, Path], Image.Image]  # model, content and style -> pastiche


def read(*files: Path) -> list[np.ndarray]:
    """Each (1, H, W, 3) in 0..1."""
    return [np.asarray(Image.open(file), dtype="float32")[None] / 255 for file in files]


def published(model: Path, content: Path, style: Path) -> Image.Image:
    network = hub.load(str(model))
    pastiche = network(*map(tf.constant, read(content, style)))[0]
    return Image.fromarray(images.eight_bits(pastiche[0].numpy()))


def shipped(model: Path, content: Path, style: Path) -> Image.Image:
    """The same habit with this project's weights."""
    network = Magenta("fresh", *read_weights(model))
    (picture,), (strokes,) = read(content, style)
    return Image.fromarray(images.eight_bits(network.render(picture, network.embed(strokes))))


def rows(models: Mapping[str, tuple[Path, Habit]], side: int, folder: Path) -> list[str]:
    """Two of HEAD for each model, of the same two files and of results as large as the content; the first one ships."""
    files = folder / "content.png", folder / "style.png"
    for picture, file in zip((photo(side), painting()), files, strict=True):
        Image.fromarray(images.eight_bits(picture)).save(file)
    options, found, ships = StylizeOptions.parse({"size": side}), [], 0.0
    for name, (model, habit) in models.items():
        ours, theirs = partial(stylize, files[0], [files[1]], options, model), partial(habit, model, *files)
        warm, anew = median_seconds(ours), median_seconds(theirs)
        ships = ships or warm
        close = closeness(np.asarray(theirs()) / 255, images.eight_bits(ours().picture.rgb) / 255)
        found.append(f"{name}, ours | {side} | {warm:.3f} | 1.0 | {warm / ships:.1f} | ")
        found.append(f"{name}, {ANEW} | {side} | {anew:.3f} | {anew / warm:.1f} | {anew / ships:.1f} | {close}")
    return found
