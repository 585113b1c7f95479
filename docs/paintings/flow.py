from __future__ import annotations

import numpy as np

from docs.paintings.brushes import Easel, scattered, traced
from docs.paintings.fields import at, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(11)
def flow(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Lights in a night sky that turns around them, in thick paint."""
    x, y = grid(size)
    lights = [(0.30, 0.30, 0.13, 1), (0.93, 0.22, 0.17, -1), (0.63, 0.50, 0.09, 1), (0.08, 0.60, 0.07, -1)]
    lights += [(0.62, 0.10, 0.05, 1), (1.18, 0.56, 0.06, 1), (0.36, 0.66, 0.05, -1)]
    right, down = np.ones_like(x), 0.5 * np.sin(5 * x + 2) + noise(rng, size, 0.3) - 0.5
    glow = 0.22 * noise(rng, size, (0.5, 0.08), 2)
    for cx, cy, radius, turn in lights:
        away = np.hypot(x - cx, y - cy) / radius
        pull = turn * 3.5 * np.exp(-((away / 1.9) ** 2)) / (away + 0.3)
        right, down = right - pull * (y - cy) / radius, down + pull * (x - cx) / radius
        glow += np.exp(-(away**2)) + 0.33 * np.exp(-away / 1.3) * (1 + np.cos(away * 4.2))
    hill = y - 0.78 - 0.06 * np.sin(4 * x + 1) - 0.04 * np.sin(9 * x)
    land = smooth(-0.005, 0.005, hill)
    angle = np.arctan2(down, right) * (1 - land) + land * (0.25 * np.cos(4 * x + 1) + 9 * hill.clip(0, 0.12))
    sky = ramp(glow, "0b1440 16318a 1f57b4 3f93c8 9ccfc0 f3e29a fbcf4e f39a2b")
    soil = ramp(3.2 * hill + 0.5 * noise(rng, size, 0.08), "12102c 3a2138 84402f c98330 f0c860")
    picture = lay(sky, soil, land)
    easel = Easel(rng, size, "0b1440")
    for gap, length, width in ((0.022, 0.17, 0.046), (0.019, 0.12, 0.032), (0.020, 0.08, 0.021)):
        paths = traced(angle, scattered(rng, size, gap), length)
        for path, colour in zip(paths, at(picture, paths[:, 3]), strict=True):
            easel.stroke(path, colour * rng.normal(1, 0.12), width)
    return easel.seen()
