from __future__ import annotations

import numpy as np

from docs.paintings.brushes import Easel, flecks, scattered, traced
from docs.paintings.fields import at, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(31)
def aurora(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Green and violet curtains of light over a black forest, in long upright strokes."""
    x, y = grid(size)
    glow, hue = 0.10 * noise(rng, size, 0.3, 2), np.zeros_like(x)
    for base, height, bend, start in ((0.62, 0.42, 3.1, 0.3), (0.44, 0.34, 4.3, 2.2), (0.74, 0.20, 5.6, 4.0)):
        foot = base + 0.11 * np.sin(bend * x + start) + 0.04 * np.sin(2.7 * bend * x + 2 * start)
        rise = (foot - y) / height
        rays = 0.35 + 1.1 * noise(rng, size, (0.022, 2), 2) * noise(rng, size, (0.2, 2))
        light = np.where(rise > 0, np.exp(-2.0 * rise), np.exp(14 * rise)) * rays * 1.3
        glow, hue = glow + light, hue + light * rise.clip(0, 1.3)
    hue = hue / (glow + 0.05)
    curtain = ramp(glow.clip(0, 1), "050a18 06303a 0b7a58 2fd07a b4ffb0")
    violet = ramp(glow.clip(0, 1), "0a0820 3a1470 8a2fb8 e070d8 ffd0f0")
    picture = curtain + (violet - curtain) * smooth(0.25, 0.95, hue)[..., None]
    teeth = abs(2 * ((x * 19 + 2 * noise(rng, size, (0.2, 9))) % 1) - 1)
    spruce = y - 0.95 + 0.16 * teeth**1.5 * noise(rng, size, (0.05, 9)) + 0.12 * noise(rng, size, (0.3, 9))
    picture = lay(picture, (4, 8, 12), smooth(0.0, 0.02, spruce))
    angle = np.full_like(x, np.pi / 2) + 0.9 * (noise(rng, size, 0.25) - 0.5)
    easel = Easel(rng, size, "050a18")
    for gap, length, width in ((0.024, 0.15, 0.034), (0.020, 0.10, 0.022), (0.018, 0.06, 0.014)):
        paths = traced(angle, scattered(rng, size, gap) - (0, length / 2), length)
        for path, colour in zip(paths, at(picture, paths[:, 5]), strict=True):
            easel.stroke(path, colour * rng.normal(1.05, 0.15), width)
    stars = flecks(rng, size, 600, 0.0025) * smooth(0.6, 0.25, y)
    return lay(easel.seen(1.6), (240, 250, 255), stars)
