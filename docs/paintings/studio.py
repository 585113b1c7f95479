"""What a painting is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

Size = tuple[int, int]  # width, height in pixels
Draw = Callable[[np.random.Generator, Size], np.ndarray]

SIZE = (640, 512)
FINE = 2  # painted this many times larger, then shrunk, for smooth edges


@dataclass(frozen=True)
class Painting:
    id: str
    about: str  # one sentence
    seed: int
    draw: Draw  # (H, W, 3) in 0..255

    @property
    def name(self) -> str:
        return self.id.replace("_", " ").capitalize()

    def __call__(self, size: Size = SIZE, seed: int | None = None) -> Image.Image:
        rng = np.random.default_rng(self.seed if seed is None else seed)
        pixels = self.draw(rng, (size[0] * FINE, size[1] * FINE))
        return Image.fromarray(pixels.clip(0, 255).astype("uint8")).resize(size, Image.Resampling.LANCZOS)


def painting(seed: int) -> Callable[[Draw], Painting]:
    """Makes a painting of the function that draws it, whose docstring says what is to be seen."""
    return lambda draw: Painting(draw.__name__, draw.__doc__ or "", seed, draw)
