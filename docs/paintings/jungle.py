from __future__ import annotations

import numpy as np

from docs.paintings.brushes import Easel, points, rgb
from docs.paintings.fields import lit, noise, ramp
from docs.paintings.studio import Size, painting


@painting(23)
def jungle(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Leaf over leaf in every green, each with its ribs, and small pink flowers between them."""
    easel = Easel(rng, size, "04140f")
    for near in np.linspace(0, 1, 300):
        blade(easel, rng, near)
        if rng.random() < 0.25:
            flower(easel, rng)
    shade = 0.72 + 0.55 * noise(rng, size, 0.03, 3)
    return lit(easel.seen(1.6) * shade[..., None], noise(rng, size, 0.008, 2), 0.5)


def blade(easel: Easel, rng: np.random.Generator, near: float) -> None:
    """A pointed leaf, bent, one half of it in the light; the nearer, the brighter."""
    root, turn, bend = rng.random(2) * (1.4, 1.25) - 0.07, rng.uniform(-2.8, -0.3), rng.normal(0, 0.7)
    length, along = rng.uniform(0.14, 0.34), np.linspace(0, 1, 24)
    way = turn + bend * along
    spine = root + np.cumsum(np.stack([np.cos(way), np.sin(way)], -1), 0) * length / 24
    reach = 0.22 * length * np.sin(np.pi * along**0.75)
    side = reach[:, None] * np.stack([-np.sin(way), np.cos(way)], -1)
    tint = ramp(0.15 + 0.55 * near + rng.normal(0, 0.18), "06281c 0c4a2c 1a7038 46983c 8abf48 cfe27a")
    for rim, light in ((spine + side, 1.0), (spine - side, 0.7)):
        outline = points(np.concatenate([spine, rim[::-1]]), easel.scale)
        easel.colour.polygon(outline, rgb(tint * light), rgb(tint * 0.35))
        easel.paint.polygon(outline, int(120 + 60 * light))
        for foot in range(3, 22, 2):
            rib = points(np.stack([spine[foot], 0.1 * spine[foot + 2] + 0.9 * rim[foot + 2]]), easel.scale)
            easel.colour.line(rib, rgb(tint * 1.25 + 30), 3)
            easel.paint.line(rib, 250, 3)
    easel.colour.line(points(spine, easel.scale), rgb(tint * 1.3 + 50), 5)


def flower(easel: Easel, rng: np.random.Generator) -> None:
    middle, tint = rng.random(2) * (1.25, 1), ramp(rng.random(), "e8407a ff8fb0 ffd0d8 ff7050")
    turn = rng.random() + np.arange(5) * 2 * np.pi / 5
    for x, y in points(middle + 0.014 * np.stack([np.cos(turn), np.sin(turn)], -1), easel.scale):
        easel.colour.ellipse((x - 11, y - 11, x + 11, y + 11), rgb(tint * rng.normal(1, 0.08)))
    x, y = middle * easel.scale
    easel.colour.ellipse((x - 6, y - 6, x + 6, y + 6), (255, 220, 90))
