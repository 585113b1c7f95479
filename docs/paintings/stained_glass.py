from __future__ import annotations

import numpy as np

from docs.paintings.fields import grid, lay, noise, panes, ramp, smooth
from docs.paintings.studio import Size, painting

ROSE = (  # each ring's radius, panes and two colours
    (0.00, 1, "ffe9a0 ffd257"),
    (0.09, 8, "e0163a f7b733"),
    (0.21, 12, "2a3fd0 8a6cf0"),
    (0.30, 24, "c3103f 8a1ca0"),
    (0.43, 20, "1f2fb0 d8327a"),
    (0.56, 32, "a3122f f0a23a"),
    (0.69, 28, "3a1f96 7a4fe0"),
    (0.83, 36, "b01450 2a1f8a"),
)


@painting(8)
def stained_glass(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A rose window: panes in rings, lead between them, the day behind."""
    x, y = grid(size)
    middle = np.array([0.625, 0.5])
    sites, colours = [], []
    for index, (radius, count, pair) in enumerate(ROSE):
        turn = (np.arange(count) + 0.5 * (index % 2)) * 2 * np.pi / count + rng.normal(0, 0.12 / (index + 1), count)
        reach = radius + rng.normal(0, 0.006, count)
        sites.append(middle + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1))
        colours.append(ramp((np.arange(count) % 2 + rng.normal(0, 0.12, count)).clip(0, 1), pair))
    sites, colours = np.concatenate(sites).astype("float32"), np.concatenate(colours)
    owner, edge = panes(sites, x, y)
    centre = np.hypot(x - sites[owner, 0], y - sites[owner, 1])
    light = 1.25 - 0.7 * smooth(0, 0.09, centre) + 0.55 * (noise(rng, size, (0.25, 0.015), 3) - 0.5)
    light += 0.5 * (noise(rng, size, 0.03, 2) - 0.5) - 0.35 * np.hypot(x - middle[0], y - middle[1])
    glowing = colours[owner] * light[..., None] + 90 * ((light - 0.85).clip(0) ** 1.5)[..., None]
    lead = 0.0075 + 0.003 * noise(rng, size, 0.05)
    shine = ramp(smooth(0.2, 1, 1 - edge / lead), "06060a 101016 3c3c48")
    return lay(shine, glowing, smooth(-0.0015, 0.0015, edge - lead))
