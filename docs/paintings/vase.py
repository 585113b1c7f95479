from __future__ import annotations

import numpy as np

from docs.paintings.fields import engraved, grid, lay, lit, noise, smooth
from docs.paintings.studio import Size, painting


@painting(18)
def vase(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Bands of a Greek vase: meanders, palmettes and running waves, black slip on orange clay."""
    x, y = grid(size)
    y = y + 0.004 * (noise(rng, size, 0.1, 2) - 0.5)
    x = x + 0.004 * (noise(rng, size, 0.1, 2) - 0.5)
    bands = (
        (0.0, 0.14, meander),
        (0.16, 0.36, fans),
        (0.38, 0.48, curls),
        (0.50, 0.72, fans),
        (0.74, 0.84, curls),
        (0.86, 1.0, meander),
    )
    slip = engraved(y * 50, 0.5)
    for top, bottom, draw in bands:
        inside = (y > top) & (y < bottom)
        slip = np.where(inside, draw(x / (bottom - top), (y - top) / (bottom - top)), slip)
    fired = noise(rng, size, 0.2, 4)
    clay = (
        np.array((212, 98, 38)) * (0.72 + 0.5 * fired)[..., None] + (0, 20, 10) * noise(rng, size, 0.03, 2)[..., None]
    )
    worn = smooth(0.22, 0.34, noise(rng, size, 0.02, 3) + 0.1 * noise(rng, size, 0.2))
    glaze = np.array((28, 20, 20)) + 26 * noise(rng, size, (0.2, 0.008), 2)[..., None]
    return lit(lay(clay, glaze, slip * worn), noise(rng, size, 0.01, 2) + 0.4 * slip, 1.0)


def meander(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    key = ("11111111", "10000001", "10111101", "10100101", "10110101", "10000101", "11111101", "00000001")
    cells = np.array([[int(c) for c in row] for row in key], "float32")
    return cells[(v * 8).astype(int).clip(0, 7), (u * 8).astype(int) % 8]


def fans(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    flip = np.floor(u * 1.2) % 2
    across, rise = (u * 1.2) % 1 - 0.5, np.where(flip, v, 1 - v)
    angle, away = np.arctan2(across, rise - 0.08), np.hypot(across * 1.1, rise - 0.08)
    petals = engraved(angle * 4.2, 0.62) * smooth(0.86, 0.82, away + 0.25 * abs(angle)) * (away > 0.16)
    ring = smooth(0.06, 0.04, abs(away - 0.93 + 0.12 * abs(angle)))
    return 1 - np.maximum.reduce([petals, ring, 1.0 * (away < 0.1)])


def curls(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    across, down = u % 1 - 0.5, v - 0.5
    away, turn = np.hypot(across, down), np.arctan2(down, across) / (2 * np.pi)
    return np.where(away < 0.48, engraved(away * 3.2 - turn, 0.5), 1.0 * (v > 0.5))
