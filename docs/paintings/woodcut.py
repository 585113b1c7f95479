from __future__ import annotations

import numpy as np

from docs.paintings.fields import engraved, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(3)
def woodcut(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Mountains, a lake and a red sun, cut in lines that swell with the shadow."""
    x, y = grid(size)
    hand = 0.5 * noise(rng, size, 0.09, 2)
    away = np.hypot(x - 0.86, y - 0.27)
    grain = 0.22 * (noise(rng, size, (0.12, 0.02), 2) - 0.5)
    ink = engraved(away * 26 + hand, 0.10 + 0.55 * smooth(0.1, 0.75, away) + grain)
    peaks = ((0.98, 0.36, 0.5, 0.62, 25), (0.34, 0.17, 0.95, 0.8, 22), (0.7, 0.44, 0.5, 0.7, 25))
    for peak, top, left, right, dense in peaks:
        crag = 0.09 * (noise(rng, size, (0.11, 0.9), 3) - 0.5)
        ridge = peak + 0.10 * (y - top) + 0.9 * (noise(rng, size, (2, 0.12), 2) - 0.5) * (y - top)
        side = x - ridge
        slope = y - top - crag - np.where(side < 0, -left, right) * (x - peak)
        facing = np.where(side < 0, 0.16, 0.80) + 0.3 * (noise(rng, size, 0.12) - 0.5) + grain
        lines = np.where(side < 0, 0.85 * x + 0.5 * y, 0.55 * x - y) * dense + 2 * hand
        rock = engraved(lines, facing + 0.25 * smooth(0.25, 0.0, slope) * (side > 0))
        rock = np.maximum(rock, smooth(0.012, 0.008, slope))
        ink = np.where(slope > 0, rock, ink)
    lake = y + 0.008 * np.sin(18 * x + 30 * y)
    gleam = smooth(0.16, 0.03, abs(x - 0.86 + 0.25 * (noise(rng, size, (0.3, 0.02)) - 0.5)))
    water = engraved(lake * 24 + hand, 0.35 + 0.75 * smooth(0.66, 1, y) - 0.6 * gleam + 1.6 * grain)
    ink = np.where(lake > 0.66, water, ink)
    red = np.maximum(away < 0.15, (lake > 0.66) * (gleam > 0.35)) * 1.0
    ink = np.where((away < 0.15) & (ink > 0) & (y < 0.42), ink * (away > 0.13), ink)
    paper = ramp(y / 0.62, "f08a24 f4b04a f6dca4 f3e8d0") * (1 - 0.08 * noise(rng, size, 0.006, 2)[..., None])
    return lay(lay(paper, (214, 50, 30), red), (24, 20, 24), ink)
