"""Pictures of nothing much, as skies and walls are: there a network shows the patterns that are its own."""

from __future__ import annotations

import numpy as np
from PIL import Image


def plain_picture(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a gradient between two colours with clouds, sometimes an edge, and grain: (size, size, 3) in 0..1."""
    start, end = rng.random((2, 3)) * 0.4 + rng.random() * 0.6
    share = gradient(size, rng) + rng.uniform(0, 0.3) * clouds(size, rng)
    picture = start + np.clip(share, 0, 1)[..., None] * (end - start)
    if rng.random() < 0.3:
        picture = np.where((gradient(size, rng) > 0.5)[..., None], picture, rng.random(3))
    grainy: np.ndarray = np.clip(picture + rng.normal(0, rng.uniform(0, 3) / 255, picture.shape), 0, 1)
    return grainy.astype("float32")


def gradient(size: int, rng: np.random.Generator) -> np.ndarray:
    """Ramp from 0 to 1 in any direction, (size, size)."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size]
    ramp = x * np.cos(angle) + y * np.sin(angle)
    normalised: np.ndarray = (ramp - ramp.min()) / np.ptp(ramp)
    return normalised


def clouds(size: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise of 3 to 12 lumps a side, -1 to 1, (size, size)."""
    lumps = int(rng.integers(3, 13))
    noise = Image.fromarray(rng.uniform(-1, 1, (lumps, lumps)).astype("float32"))
    return np.asarray(noise.resize((size, size), Image.Resampling.BICUBIC))
