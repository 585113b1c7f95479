from __future__ import annotations

import numpy as np

from docs.paintings.fields import engraved, grid, lay, noise, smooth
from docs.paintings.studio import Size, painting

ORBS = ((0.36, 0.42, 0.27), (0.86, 0.60, 0.21), (1.08, 0.20, 0.13), (0.13, 0.84, 0.11), (0.62, 0.90, 0.09))


@painting(12)
def engraving(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Globes on folds of cloth, in sepia: lines along every form, crossed twice where the shadow is deep."""
    x, y = grid(size)
    folds = noise(rng, size, (0.55, 0.30), 3)
    down, right = np.gradient(folds)
    tone = 0.50 + 110 * (down + 0.8 * right) * size[1] / 1024
    first, second = 46 * (y + 0.34 * folds), 46 * (0.8 * x - 0.5 * y + 0.2 * folds)
    for cx, cy, radius in ORBS:
        away = np.hypot(x - cx - 0.35 * radius, y - cy - 0.45 * radius)
        tone = tone + 0.75 * smooth(1.25 * radius, 0.7 * radius, away)
    for cx, cy, radius in ORBS:
        u, v = (x - cx) / radius, (y - cy) / radius
        depth = np.sqrt((1 - u**2 - v**2).clip(0))
        on = u**2 + v**2 < 1
        light = (-0.55 * u - 0.6 * v + 0.58 * depth).clip(0)
        tone = np.where(on, 1.02 - 1.15 * light + 0.5 * smooth(0.12, 0, depth), tone)
        first = np.where(on, radius * 40 * np.arctan2(0.9 * v + 0.4 * depth, 1.1 * depth + 0.35), first)
        second = np.where(on, radius * 40 * np.arctan2(0.8 * u - 0.4 * v, 1.1 * depth + 0.35), second)
    hand = 0.25 * noise(rng, size, 0.05, 2)
    tone = tone + 0.25 * (noise(rng, size, 0.04, 2) - 0.5)
    lines = engraved(first + hand, (0.75 * tone).clip(0, 0.7))
    crossed = engraved(second + hand, 0.9 * (tone - 0.45).clip(0, 0.7))
    deep = engraved(first - second + hand, 1.1 * (tone - 0.8).clip(0, 0.7))
    ink = np.maximum.reduce([lines, crossed, deep]) * (0.75 + 0.25 * noise(rng, size, 0.01, 2))
    paper = np.array((240, 219, 176)) * (0.88 + 0.2 * noise(rng, size, 0.15, 5))[..., None]
    return lay(paper, (84, 40, 16), ink)
