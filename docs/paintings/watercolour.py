from __future__ import annotations

import numpy as np

from docs.paintings.brushes import flecks
from docs.paintings.fields import grid, lay, noise, smooth
from docs.paintings.studio import Size, painting

HILLS = ((0.42, (150, 130, 205)), (0.58, (96, 172, 200)), (0.72, (132, 190, 116)), (0.88, (70, 140, 130)))
BLOOMS = ((250, 180, 40), (236, 84, 116), (248, 130, 66), (90, 170, 214), (250, 160, 50))


@painting(7)
def watercolour(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Wet washes that run into each other on white paper: hills in pencil, a pale sky, flowers, splashes."""
    x, y = grid(size)
    rough = noise(rng, size, 0.012, 2)
    light, pencil = np.ones((*x.shape, 3), "float32"), np.zeros_like(x)
    for _ in range(30):
        middle = rng.random(2) * (1.25, 1)
        shape = 1 - np.hypot((x - middle[0]) / rng.uniform(0.8, 1.5), y - middle[1]) / rng.uniform(0.04, 0.18)
        tint = BLOOMS[rng.integers(len(BLOOMS))]
        light *= wash(rng, size, shape + 1.1 * (noise(rng, size, 0.12, 3) - 0.5), tint, 0.95)
    for top, tint in HILLS:
        below = y - top - 0.4 * (noise(rng, size, (0.45, 9), 3) - 0.5)
        ragged = below + 0.03 * (noise(rng, size, 0.08, 3) - 0.5) - 0.01
        light *= wash(rng, size, 5 * ragged * smooth(0.5, 0.1, ragged), tint, 0.75)
        pencil = np.maximum(pencil, smooth(0.0035, 0.001, abs(below)) * (noise(rng, size, 0.1) > 0.3))
    for tint in BLOOMS:
        light *= 1 - 0.7 * flecks(rng, size, 40, 0.004)[..., None] * (1 - np.array(tint, "float32") / 255)
    paper = 255 * (0.96 + 0.05 * rough)[..., None] * (1, 0.995, 0.97)
    return lay(paper * light, (70, 66, 80), 0.75 * pencil * smooth(0.2, 0.5, rough))


def wash(
    rng: np.random.Generator, size: Size, depth: np.ndarray, tint: tuple[int, int, int], strength: float
) -> np.ndarray:
    """The light (H, W, 3) that comes back through a wash: uneven, and dark at a rim that dried slowly."""
    wet = rng.uniform(0.01, 0.12)
    body = smooth(0, wet, depth)
    rim = 0.5 * body * np.exp(-depth.clip(0) / 0.05) * (wet < 0.07)
    uneven = 0.4 + 0.9 * (noise(rng, size, 0.06, 3) - 0.2)
    amount = body * rng.uniform(0.45, 1) * strength * uneven + rim
    return 1 - amount.clip(0, 1)[..., None] * (1 - np.array(tint, "float32") / 255)
