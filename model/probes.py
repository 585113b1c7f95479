"""Pictures that tell whether a way to compute the network is exact enough: the same each time, (side, side, 3) in 0..1.

Normalisations make much of what differs little, and of what rounding did to it: a way may pass where much is going on,
and spoil a sky.
"""

from __future__ import annotations

import numpy as np


def busy(side: int) -> np.ndarray:
    """Smooth and sharp, flat and noisy."""
    y, x = _places(side)
    waves = [np.sin(3 + n + 5 * x * (n + 1)) * np.cos(7 * y * (3 - n)) for n in range(3)]
    rings = np.sin(400 * (x - 0.6) ** 2 + 300 * (y - 0.4) ** 2) > 0
    noise = np.random.default_rng(0).normal(0, 0.2, (side, side, 3)) * (y > 0.5)[..., None]
    return _float32(0.5 + 0.25 * np.stack(waves, axis=-1) + 0.2 * rings[..., None] * (x < 0.6)[..., None] + noise)


def sky(side: int) -> np.ndarray:
    """Blue, paler below, with the grain of a good camera."""
    y, _ = _places(side)
    grain = np.random.default_rng(1).normal(0, 1 / 255, (side, side, 3))
    return _float32(np.stack([0.3 + 0.3 * y, 0.5 + 0.3 * y, 0.8 + 0.1 * y], axis=-1) + grain)


def mist(side: int) -> np.ndarray:
    """A tenth brighter on the right than on the left."""
    _, x = _places(side)
    return _float32(np.repeat(0.5 + 0.1 * x[..., None], 3, axis=-1))


def _places(side: int) -> np.ndarray:
    """y and x of each pixel, in 0..1."""
    return np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]


def _float32(picture: np.ndarray) -> np.ndarray:
    return picture.clip(0, 1).astype("float32")
