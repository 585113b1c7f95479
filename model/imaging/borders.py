"""Borders of pictures: mounts and frames of one colour, which are no part of a painting's strokes."""

from __future__ import annotations

import numpy as np

MAX_DEVIATION = 0.03  # of a row's colours, for a row that belongs to a border
MIN_SHARE, MAX_SHARE = 0.015, 0.25  # of the side that a border takes, and that is looked at


def has_border(picture: np.ndarray) -> bool:
    """Tell whether all four sides of (H, W, 3) in 0..1 have a band of one colour around something else."""
    if picture.std((0, 1)).max() <= MAX_DEVIATION:
        return False
    sides = (picture, picture[::-1], picture.swapaxes(0, 1), picture.swapaxes(0, 1)[::-1])
    return all(_border_share(side) >= MIN_SHARE for side in sides)


def _border_share(picture: np.ndarray) -> float:
    """Return the share of rows, from the top, that are of one colour, the same for all of them."""
    rows = picture[: max(1, int(len(picture) * MAX_SHARE))]
    deviation = np.abs(rows - np.median(picture[0], axis=0)).mean(axis=(1, 2))
    others = np.flatnonzero(deviation > MAX_DEVIATION)
    return (int(others[0]) if len(others) else len(rows)) / len(picture)
