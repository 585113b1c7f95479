from __future__ import annotations

import numpy as np

from docs.paintings.fields import grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(9)
def marble(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Marbled paper: colours floating on water, stirred in circles, then combed."""
    x, y = grid(size)
    swirls = ((0.35, 0.36, 0.22, 2.6), (0.92, 0.62, 0.26, -3.0), (1.05, 0.14, 0.12, 2.2), (0.2, 0.86, 0.13, -2.2))
    for cx, cy, radius, turn in swirls:
        angle = turn * np.exp(-np.hypot(x - cx, y - cy) / radius)
        dx, dy = x - cx, y - cy
        x, y = cx + dx * np.cos(angle) - dy * np.sin(angle), cy + dx * np.sin(angle) + dy * np.cos(angle)
    y = y + 0.10 * (abs(2 * ((x * 9) % 1) - 1) ** 1.6 - 0.5) + 0.02 * np.sin(31 * x)
    x = x + 0.03 * np.sin(17 * y)
    t = 15 * y + 1.3 * np.sin(5.3 * x + 2 * np.sin(4.1 * y)) + 0.6 * np.sin(11 * x - 7 * y)
    steep = np.hypot(*np.gradient(t)).clip(0, 0.3) + 0.004
    band = np.floor(t)
    palette = ramp(np.arange(7) / 6, "08a098 fbf0c8 f0583c ffc83a 0a5f78 ff9a8a 5fdcc0")
    colour = palette[(band % 7).astype(int)] * (0.82 + 0.3 * noise(rng, size, 0.01, 2))[..., None]
    inked = lay(colour, (22, 22, 38), smooth(3.5, 2, (0.5 - abs(t - band - 0.5)) / steep))
    return lay(inked, (236, 214, 150), 0.8 * smooth(2.5, 1, abs(t - band - 0.3) / steep))
