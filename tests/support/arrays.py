"""Arrays of random numbers."""

from __future__ import annotations

import numpy as np


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers evenly spread over 0..1, as a picture's."""
    return np.random.default_rng(seed).random(shape, dtype="float32")


def normal_noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers of mean 0 and deviation 1, as a layer's."""
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")
