from __future__ import annotations

import numpy as np

from docs.paintings.brushes import Easel, points, rgb, scattered, traced
from docs.paintings.fields import at, grid, lit, noise, ramp
from docs.paintings.studio import Size, painting

BRANCHES = (  # where each starts, its direction, length and width
    ((-0.05, 0.95), -0.75, 1.5, 0.060),
    ((0.35, 0.60), -0.10, 1.0, 0.034),
    ((0.62, 0.42), -1.30, 0.5, 0.020),
    ((1.30, 0.98), -2.75, 0.9, 0.042),
    ((0.10, 0.80), -1.70, 0.7, 0.024),
    ((1.00, 0.80), -1.60, 0.5, 0.018),
    ((0.20, 1.02), -0.30, 0.7, 0.024),
)


@painting(26)
def blossom(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Cherry branches in flower before a rosy morning, petals laid on thick."""
    _, y = grid(size)
    sky = ramp(0.75 * y + 0.5 * noise(rng, size, 0.3, 2), "ffd9dc ffb3c4 f58ab0 ffc3c9 fff0e6")
    easel = Easel(rng, size, "f5a0b8")
    for gap, length, width in ((0.035, 0.12, 0.040), (0.030, 0.08, 0.024)):
        paths = traced(2.5 * noise(rng, size, 0.4, 2), scattered(rng, size, gap), length)
        for path, colour in zip(paths, at(sky, paths[:, 5]), strict=True):
            easel.stroke(path, colour * rng.normal(1, 0.05), width)
    twigs = [branch(easel, rng, np.array(start), turn, length, width) for start, turn, length, width in BRANCHES]
    for middle in rng.permutation(np.concatenate(twigs))[:340]:
        flower(easel, rng, middle + rng.normal(0, 0.055, 2), rng.uniform(0.018, 0.046))
    return lit(easel.seen(2.0), noise(rng, size, 0.01, 2), 0.6)


def branch(
    easel: Easel, rng: np.random.Generator, start: np.ndarray, turn: float, length: float, width: float
) -> np.ndarray:
    """A crooked branch, thinner to its end; where it went, (steps, 2)."""
    steps = 60
    way = turn + np.cumsum(rng.normal(0, 0.13, steps))
    path = start + np.cumsum(np.stack([np.cos(way), np.sin(way)], -1), 0) * length / steps
    for first in range(0, steps - 6, 2):
        easel.stroke(path[first : first + 7], ramp(rng.random(), "2a0f22 4a1c34 6a3040"), width * (1.1 - first / steps))
    return path


def flower(easel: Easel, rng: np.random.Generator, middle: np.ndarray, radius: float) -> None:
    """Five notched petals around a crimson heart."""
    around = np.linspace(-1, 1, 13)
    shape = np.stack(
        [1 - 0.9 * abs(around) ** 2.4 - 0.25 * (abs(around) < 0.1), 0.55 * np.sin(around * np.pi * 0.9)], -1
    )
    tone, squash = rng.random(), rng.uniform(0.7, 1)
    for angle in rng.random() * 6 + np.arange(5) * 2 * np.pi / 5:
        turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        petal = points(middle + radius * (shape @ turn) * (1, squash), easel.scale)
        tint = ramp(np.clip(tone + rng.normal(0, 0.2), 0, 1), "d83a78 f76fa0 ffa6c2 ffe0e6 fffaf6")
        easel.colour.polygon(petal, rgb(tint), rgb(tint * (0.82, 0.6, 0.72)))
        easel.paint.polygon(petal, int(rng.integers(90, 256)))
    heart = middle + rng.normal(0, 0.22 * radius, (7, 2))
    for cx, cy in points(heart, easel.scale):
        easel.colour.ellipse((cx - 4, cy - 4, cx + 4, cy + 4), rgb(ramp(rng.random(), "8a1040 c8204a ffd050")))
