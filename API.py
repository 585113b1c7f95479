"""The public import: one line of Python from a photo and a painting to a pastiche.

from API import transfer_style
pastiche = transfer_style("photo.jpg", "painting.jpg")
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

import model
from model import RefineOptions, StylizeOptions, style_vector, stylize
from model.images import ImageSource
from model.options import START_WORDS
from model.progress import OnStep

__all__ = ["refine", "style_vector", "transfer_style"]


def transfer_style(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    model_path: str | os.PathLike[str] | None = None,
    *,
    strength: float = 1.0,
    size: int | None = None,
    weights: Sequence[float] | None = None,
    refine: str | None = None,
) -> np.ndarray:
    """The photo `content` painted in the style of `style`, (H, W, 3) float32 in 0..1.

    Pictures are paths, bytes, binary files, PIL images or arrays (uint8, or floats in 0..1). `style` may be a list to
    blend, in the proportions of `weights`, and a style may be a vector that `style_vector` made.
    `model_path`: an official SavedModel (folder, .tar.gz or hub handle), or a .npz; left out, the best on this machine.
    `strength`: 0 (the photo's own look) to 1. `size`: long side in pixels; left out, the photo's, at most 2048.
    `refine`: a preset of `refine`, as "balanced", to go on from there by optimisation; `size` left out is then its own.

    Raises `model.StyleTransferError`, whose text says which argument is wrong and what to do.
    """
    given = {"size": size, "weights": weights}
    chosen = {"strength": strength} | {name: value for name, value in given.items() if value is not None}
    if refine is not None:
        return _refined(content, style, {"preset": refine} | chosen, model_path=model_path)
    return stylize(content, _listed(style), StylizeOptions.parse(chosen), model_path).picture.rgb


def refine(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    *,
    preset: str = "balanced",
    start: ImageSource = "pastiche",
    on_step: OnStep | None = None,
    model_path: str | os.PathLike[str] | None = None,
    **options: Any,
) -> np.ndarray:
    """`content` optimised towards `style` (Gatys et al. 2016), (H, W, 3) float32 in 0..1; styles are pictures here.

    `preset`: "fast", "balanced", "best", "stransfer", "tutorial" or "paper"; `options` are `model.RefineOptions`' own.
    `start`: "pastiche", "content", "noise" or a picture. `on_step` is called with a `model.progress.Step` after each
    step; it may raise `model.progress.Cancelled` to get the best picture so far.
    Warns where something did not go as it was asked for, such as a size that the memory is too small for.

    Raises `model.StyleTransferError`, as `transfer_style` does.
    """
    if isinstance(start, str) and start in START_WORDS:
        return _refined(content, style, {"preset": preset, "start": start} | options, None, on_step, model_path)
    return _refined(content, style, {"preset": preset} | options, start, on_step, model_path)


def _refined(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    options: Mapping[str, Any],
    start: ImageSource | None = None,
    on_step: OnStep | None = None,
    model_path: str | os.PathLike[str] | None = None,
) -> np.ndarray:
    pastiche = model.refine(content, _listed(style), RefineOptions.parse(options), start, on_step, model_path)
    for note in pastiche.notes:
        warnings.warn(note, stacklevel=3)
    return pastiche.picture.rgb


def _listed(style: ImageSource | Sequence[ImageSource]) -> list[ImageSource]:
    return list(style) if isinstance(style, list | tuple) else [cast(ImageSource, style)]
