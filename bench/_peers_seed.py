"""The function that hobby projects have, which loads its model at every call, against ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from PIL import Image

from bench._measure import median_seconds, psnr
from bench._peers_rows import painting, photo
from model import images
from model.magenta import Magenta
from model.npz import read_weights
from model.options import StylizeOptions
from model.transfer import stylize

HEAD = "way | side | seconds | times ours | dB between the two"

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


def rows(name: str, model: Path, habit: Habit, side: int, folder: Path) -> list[str]:
    """Two of HEAD, ours and theirs, of the same two files, and of a result as large as the content."""
    content, style = folder / "content.png", folder / "style.png"
    for picture, file in (photo(side), content), (painting(), style):
        Image.fromarray(images.eight_bits(picture)).save(file)
    options = StylizeOptions.parse({"size": side})
    warm = median_seconds(lambda: stylize(content, [style], options, model))
    anew = median_seconds(lambda: habit(model, content, style))
    pastiche = images.eight_bits(stylize(content, [style], options, model).picture.rgb)
    between = psnr(pastiche / 255, np.asarray(habit(model, content, style)) / 255)
    return [
        f"{name}, ours | {side} | {warm:.3f} | 1 | ",
        f"{name}, loaded at each call | {side} | {anew:.3f} | {anew / warm:.1f} | {between:.1f}",
    ]
