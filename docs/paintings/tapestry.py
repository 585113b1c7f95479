from __future__ import annotations

import numpy as np

from docs.paintings.fields import grid, noise, ramp
from docs.paintings.studio import Size, painting

WOOL = "7a1420 b8242c 14285a e8d8b0 d08a24 1f5a4a c04a28 f2e6c8"
STITCH = 0.0125  # from one row of stitches to the next


@painting(15)
def tapestry(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A kilim of stepped diamonds, madder red with indigo and ivory, stitch by stitch in wool."""
    x, y = grid(size)
    row = np.floor(y / STITCH)
    column = np.floor(x / STITCH)
    lean = np.where(column % 2 == 0, 1, -1) * (x / STITCH - column - 0.5)
    row = np.floor(y / STITCH + 0.5 * lean)
    along = y / STITCH + 0.5 * lean - row - 0.5
    across = x / STITCH - column - 0.5
    spun = np.sqrt((1 - (1.9 * along) ** 2).clip(0, 1)) * np.sqrt((1 - (1.8 * across) ** 2).clip(0, 1))
    fibre = noise(rng, size, 0.003, 1)
    colour = ramp(pattern(column, row) / 7, WOOL)
    dyed = rng.normal(1, 0.10, (200, 300))[row.astype(int) + 2, column.astype(int) + 2]
    streak = 0.85 + 0.3 * noise(rng, size, (0.6, 0.03), 2)
    return colour * (dyed * streak * (0.30 + 0.85 * spun) * (0.8 + 0.4 * fibre))[..., None]


def pattern(column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Which wool, by column and row of the stitch: diamonds in rows, borders between them."""
    band = row % 40
    u = abs((column + 20 * (row // 40)) % 26 - 13)
    v = abs(band - 18)
    diamond = np.floor((2 * np.floor(u / 2) + 2 * np.floor(v / 2)) / 3)
    wool = np.choose(diamond.clip(0, 8).astype(int), [7, 4, 2, 3, 1, 0, 5, 1, 0])
    zigzag = (column + abs(band - 38)) % 6 < 3
    return np.where(band >= 35, np.where(zigzag, 2, 3), np.where((band == 34) | (band == 1), 4, wool))
