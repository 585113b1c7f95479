"""Strength as what one sees of it: the same number shows as much with every painting.

Mixed plainly, half of a bold style vector shows more than all of a shy one. Here the share of the vector is solved for,
on a small copy of the photo, until the pastiche differs from it as much as the strength asks for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model import color

SIDE = 192  # pixels, long side of the copy
FULL = 0.11  # what strength 1 adds to the difference: as much as the median of the paintings that ship, in full
MOST = 1.5  # share of a vector: further from the photo's own look lies what no painting looks like
_STEPS = 8  # of halving; the last is finer than anybody sees


def share(strength: float, photo: np.ndarray, render: Callable[[float], np.ndarray]) -> float:
    """The share of the style vector, 0 to MOST, with which `render` differs from `photo` as `strength` asks for.

    photo: (H, W, 3), small. render(share): its pastiche, likewise.
    """
    wanted = difference(render(0.0), photo) + strength * FULL
    low, high = 0.0, MOST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if difference(render(middle), photo) < wanted else (low, middle)
    return (low + high) / 2 if strength else 0.0


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of two pictures' colours in Oklab, where black and white are 1 apart."""
    return float(np.linalg.norm(color.oklab(one) - color.oklab(other), axis=-1).mean())
