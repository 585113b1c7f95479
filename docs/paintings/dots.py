from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from docs.paintings.brushes import rgb, scattered
from docs.paintings.fields import at, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(21)
def dots(rng: np.random.Generator, size: Size) -> np.ndarray:
    """An evening by a river, all in dots: each colour sits among specks of its opposite."""
    x, y = grid(size)
    sky = ramp(y / 0.55, "5560b8 8f8cdc d29fdc f5a8c0 ffcba0 fff3bd")
    sky = lay(sky, (255, 250, 214), np.exp(-((np.hypot(x - 0.42, y - 0.44) / 0.11) ** 2)))
    shore = 0.55 + 0.03 * np.sin(5 * x) * (x > 0.5) - 0.05 * noise(rng, size, (0.2, 3), 2)
    river = ramp((y - 0.55) / 0.45, "ffe0a8 f7a6b4 b98ad6 6a78cc 34468f")
    river = lay(river, (255, 226, 130), np.exp(-(((x - 0.42) / (0.05 + 0.2 * (y - 0.5).clip(0))) ** 2)) * 0.8)
    far = ramp(noise(rng, size, 0.06), "4b3f8f 5b5aa8 7a68ae")
    picture = np.where((y > 0.56)[..., None], river, lay(sky, far, y > shore - 0.05))
    crowns = ((1.02, 0.27, 0.22), (0.86, 0.40, 0.13), (1.20, 0.40, 0.16), (0.08, 0.42, 0.10), (0.17, 0.47, 0.06))
    tree = np.max([1 - np.hypot(x - cx, (y - cy) * 0.9) / r for cx, cy, r in crowns], 0)
    tree = tree + 0.45 * (noise(rng, size, 0.09, 2) - 0.5)
    sunny = 0.9 * noise(rng, size, 0.10, 2) + np.where(x > 0.5, 1.0 - x, 0.2 - x) * 1.6 + 0.25 * (0.3 - y)
    leaf = ramp(sunny, "1b2260 1f4f62 2f7a4c 8fae3c f0c64a f6964a")
    trunk = (abs(x - 1.02 - 0.02 * np.sin(9 * y)) < 0.018) & (y > 0.3) & (y < 0.8)
    picture = lay(lay(picture, (58, 32, 72), trunk), leaf, tree > 0)
    bank = y - 0.93 + 0.26 * smooth(0.45, 1.25, x) + 0.02 * noise(rng, size, 0.05)
    grass = ramp(3 * bank + 0.4 * noise(rng, size, (0.03, 0.09)), "9fae3e 4f8a3c 1f5a52 1f2f66")
    picture = lay(picture, grass, bank > 0)
    return dotted(rng, size, picture)


def dotted(rng: np.random.Generator, size: Size, picture: np.ndarray) -> np.ndarray:
    canvas = Image.new("RGB", size, "#e9dcc0")
    pen = ImageDraw.Draw(canvas)
    for gap, radius, stray in ((0.016, 0.0135, 0.1), (0.0165, 0.0108, 0.3), (0.023, 0.0085, 0.5)):
        for place in scattered(rng, size, gap):
            colour = at(picture, place + rng.normal(0, 0.006, 2))
            grey = colour.mean()
            lively = grey + (colour - grey) * rng.uniform(1.0, 1.7) + rng.normal(0, 16, 3)
            opposite = grey * 1.15 - (colour - grey) * 0.9
            tint = opposite if rng.random() < stray * 0.45 else lively
            cx, cy = place * size[1]
            r = radius * size[1] * rng.uniform(0.75, 1.2)
            pen.ellipse((cx - r, cy - r, cx + r, cy + r), rgb(tint))
    return np.asarray(canvas, "float32")
