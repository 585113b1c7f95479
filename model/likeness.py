"""How much alike two pictures are, in numbers."""

from __future__ import annotations

import numpy as np


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Decibels, of pictures in 0..1; not a number where one of them has a pixel that is none."""
    return float(-10 * np.log10(np.maximum(1e-20, np.square(one - other, dtype="float64").mean())))
