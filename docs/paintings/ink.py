from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from docs.paintings.brushes import points
from docs.paintings.fields import grid, lay, noise, smooth
from docs.paintings.studio import Size, painting


@painting(17)
def ink(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Bamboo before a moon and misty hills: a wet wash, a dry brush, splashes and a seal."""
    x, y = grid(size)
    moon = smooth(0.135, 0.145, np.hypot(x - 0.58, y - 0.25) + 0.006 * noise(rng, size, 0.05))
    dark = 0.42 * moon * smooth(0.42, 0.75, noise(rng, size, (0.5, 0.3), 4)) * smooth(0.75, 0.2, y)
    for base, tone in ((0.50, 0.30), (0.64, 0.5), (0.82, 0.8)):
        below = y - base - 0.42 * (noise(rng, size, (0.35, 9), 4) - 0.5)
        wash = tone * (np.exp(-below.clip(0) / 0.07) + 0.4 * np.exp(-below.clip(0) / 0.006))
        wash *= 0.6 + 0.7 * (noise(rng, size, (0.09, 0.05), 3) - 0.2)
        dark = np.where(below > 0, np.maximum(wash, dark * smooth(0.25, 0, below)), dark)
    for stalk, lean, width, tone in ((0.26, 0.05, 0.026, 0.6), (0.98, -0.10, 0.040, 1), (0.80, 0.12, 0.020, 0.85)):
        dark = np.maximum(dark, tone * bamboo(rng, size, x - stalk - lean * (y - 0.5), y, width))
    brush = Image.new("L", size)
    pen = ImageDraw.Draw(brush)
    for *tuft, tone in ((0.30, 0.20, 130), (0.20, 0.50, 110), (0.83, 0.28, 250), (1.03, 0.14, 255), (0.97, 0.50, 250)):
        for _ in range(10):
            pen.polygon(leaf_shape(rng, np.array(tuft), size[1]), int(tone * rng.uniform(0.75, 1)))
    wet = np.asarray(brush.filter(ImageFilter.GaussianBlur(1)), "float32") / 255
    dry = smooth(0.22, 0.42, noise(rng, size, (0.04, 0.01), 2))
    dark = 1 - (1 - dark.clip(0, 1)) * (1 - wet * (0.5 + 0.5 * dry)) * (1 - splashes(rng, size))
    paper = np.array((247, 233, 203)) * (0.94 + 0.09 * noise(rng, size, (0.02, 0.006), 3))[..., None]
    inked = lay(paper, (18, 18, 26), 0.98 * dark)
    seal = (abs(x - 0.12) < 0.032) & (abs(y - 0.86) < 0.04) & (noise(rng, size, 0.02) > 0.28)
    return lay(inked, (196, 38, 28), 0.92 * seal)


def splashes(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Drops flung from a brush, most of them small, no two round: ink (H, W) in 0..1."""
    drops = Image.new("L", size)
    pen = ImageDraw.Draw(drops)
    around = np.linspace(0, 2 * np.pi, 24)
    for flung in rng.random(110):
        middle = np.array((0.35 + 0.45 * flung, 0.62 - 0.35 * flung)) + rng.normal(0, 0.10, 2)
        radius = min(0.0022 * (1 + rng.pareto(1.3)), 0.016)
        uneven = np.sin(around * 3 + rng.random() * 6) + np.sin(around * 5 + rng.random() * 6)
        edge = radius * (1 + 0.06 * uneven)
        shape = middle + edge[:, None] * np.stack([1.15 * np.cos(around), 0.9 * np.sin(around)], -1)
        pen.polygon(points(shape, size[1]), int(rng.uniform(150, 255)))
    return np.asarray(drops.filter(ImageFilter.GaussianBlur(1)), "float32") / 255


def bamboo(rng: np.random.Generator, size: Size, side: np.ndarray, y: np.ndarray, width: float) -> np.ndarray:
    """A stalk `side` away, in joints, with the streaks of a brush that runs dry: ink (H, W) in 0..1."""
    joint = (y * 4.2 + rng.random()) % 1
    half = width * (1 + 0.22 * (2 * abs(joint - 0.5)) ** 6)
    across = abs(side) / half
    streak = noise(rng, size, (0.006, 0.35), 2)
    body = smooth(1, 0.86, across) * (0.75 + 0.25 * across**2) * smooth(0.22, 0.36, streak + 0.3 * across**2 - 0.05)
    return body * smooth(0.0, 0.035, 0.5 - abs(joint - 0.5))


def leaf_shape(rng: np.random.Generator, root: np.ndarray, scale: int) -> list[tuple[float, float]]:
    """A bamboo leaf from near `root`, hanging and bending: its outline in pixels."""
    turn, bend, length = rng.uniform(-0.4, 2.9), rng.normal(0, 0.5), rng.uniform(0.12, 0.26)
    t = np.linspace(0, 1, 16)
    way = turn + bend * t
    spine = root + rng.normal(0, 0.02, 2) + np.cumsum(np.stack([np.cos(way), np.sin(way)], -1), 0) * length / 16
    half = (0.017 * np.sin(np.pi * t**0.6))[:, None] * np.stack([-np.sin(way), np.cos(way)], -1)
    return points(np.concatenate([spine + half, (spine - half)[::-1]]), scale)
