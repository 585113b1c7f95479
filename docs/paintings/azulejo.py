from __future__ import annotations

import numpy as np

from docs.paintings.fields import engraved, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting

TILE = 0.25


@painting(6)
def azulejo(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Glazed tiles, flowers and scrolls in cobalt on white, every tile fired a little differently."""
    x, y = grid(size)
    across = (x + 0.012 * (noise(rng, size, 0.05, 2) - 0.5)) / TILE
    down = (y + 0.012 * (noise(rng, size, 0.05, 2) - 0.5)) / TILE
    column, row = np.floor(across).astype(int), np.floor(down).astype(int)
    u, v = 2 * (across - column) - 1, 2 * (down - row) - 1
    away, angle, rim = np.hypot(u, v), np.arctan2(v, u), np.maximum(abs(u), abs(v))
    large, small = motif(away, angle, 8), motif(1.5 * away, angle + 0.4, 6)
    corner = motif(0.9 * np.hypot(1 - abs(u), 1 - abs(v)), np.arctan2(1 - abs(v), 1 - abs(u)), 12)
    scroll = np.hypot(abs(u) - 0.62, abs(v) - 0.62)
    turn = np.arctan2(abs(v) - 0.62, abs(u) - 0.62) / (2 * np.pi)
    curl = smooth(0.36, 0.30, scroll) * engraved(scroll * 5 - turn, 0.42)
    odd = (column + row) % 2 == 1
    shape = np.where(odd, np.maximum(large, 0.9 * curl), np.maximum(corner, small))
    brush = 0.35 + 0.9 * noise(rng, size, (0.06, 0.012), 3)
    fired = rng.normal(1, 0.12, (row.max() + 2, column.max() + 2))[row, column]
    blue = ramp((shape * brush * fired).clip(0, 1), "f6f7f4 c3d3ea 6f97d3 2b5bb5 123a8c 0a1f5c")
    frame = engraved(rim * 7 + 0.5, 0.24) * smooth(0.86, 0.88, rim)
    blue = lay(blue, (20, 52, 130), 0.8 * frame * brush.clip(0, 1))
    gap = smooth(0.965, 0.99, rim)
    return lay(blue, (176, 172, 160), gap) * (0.9 + 0.14 * noise(rng, size, 0.01, 2))[..., None]


def motif(away: np.ndarray, angle: np.ndarray, petals: int) -> np.ndarray:
    """A flower at the middle: how much cobalt, (H, W) in 0..1, thin inside its petals and thick at their rims."""
    edge = 0.5 + 0.22 * abs(np.cos(angle * petals / 2))
    inside = smooth(0.03, 0.0, away - edge)
    rim = smooth(0.06, 0.02, abs(away - edge))
    vein = smooth(0.25, 0.1, abs(np.sin(angle * petals / 2))) * smooth(0.16, 0.3, away)
    wash = 0.25 + 0.6 * (away / edge) ** 3
    heart = engraved(away * 9, 0.6) * (away < 0.22)
    return np.maximum.reduce([inside * wash * 0.75, rim, 0.8 * vein * inside, heart])
