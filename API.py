"""The public import: one line of Python from a photo and a painting to a pastiche.

from API import transfer_style
pastiche = transfer_style("photo.jpg", "painting.jpg")
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import cast

import numpy as np

from model import StylizeOptions, style_vector, stylize
from model.images import ImageSource

__all__ = ["style_vector", "transfer_style"]


def transfer_style(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    model_path: str | os.PathLike[str] | None = None,
    *,
    strength: float = 1.0,
    size: int | None = None,
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """The photo `content` painted in the style of `style`, (H, W, 3) float32 in 0..1.

    Pictures are paths, bytes, binary files, PIL images or arrays (uint8, or floats in 0..1). `style` may be a list to
    blend, in the proportions of `weights`, and a style may be a vector that `style_vector` made.
    `model_path`: an official SavedModel (folder, .tar.gz or hub handle), or a .npz; left out, the best on this machine.
    `strength`: 0 (the photo's own look) to 1. `size`: long side in pixels; left out, the photo's, at most 2048.

    Raises `model.StyleTransferError`, whose text says which argument is wrong and what to do.
    """
    styles: list[ImageSource] = list(style) if isinstance(style, list | tuple) else [cast(ImageSource, style)]
    given = {"size": size, "weights": weights}
    chosen = {name: value for name, value in given.items() if value is not None}
    options = StylizeOptions.parse({"strength": strength, **chosen})
    return stylize(content, styles, options, model_path).picture.rgb
