from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from docs.paintings.brushes import points, rgb
from docs.paintings.fields import at, grid, lay, lit, noise, ramp
from docs.paintings.studio import Size, painting

STONE = 0.026  # from one stone of the mosaic to the next


@painting(5)
def mosaic(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A sun over the sea in small stones, laid in rings around the sun and in rows along the waves."""
    x, y = grid(size)
    away, around = np.hypot(x - 0.62, y - 0.40), np.arctan2(y - 0.40, x - 0.62)
    wave = y + swell(x)
    sea = wave > 0.66
    rays = 0.07 * np.sign(np.sin(9 * around + 14 * away))
    sky = ramp((away - 0.17) * 1.5 + rays, "fff4cc f8d978 e9b23c c08a2e 8f8a4a 3f8574 1d5560")
    sun = ramp(away / 0.17, "fff6cf ffdf6b ffb52e e8501e b0241e")
    water = ramp(((wave - 0.66) * 6.4) % 1 * 0.85 + (wave - 0.66), "f6f1dc 8fd8c0 2fa08f 126a70 0c3a4c")
    picture = lay(lay(sky, sun, away < 0.17), water, sea)
    rings = [ring(rng, np.array([0.62, 0.40]), radius) for radius in np.arange(0.0125, 1.2, STONE)]
    sky_stones, rows = np.concatenate(rings), np.arange(0.66 + STONE / 2, 1.1, STONE)
    columns, levels = np.meshgrid(np.arange(0, size[0] / size[1], STONE), rows)
    columns = columns + rng.random((len(rows), 1)) * STONE
    sea_stones = np.stack([columns, levels - swell(columns)], -1).reshape(-1, 2)
    sites = np.concatenate([sky_stones[~at(sea, sky_stones)], sea_stones])
    down, right = np.gradient(np.where(sea, wave, away))
    return stones(rng, size, sites, at(np.arctan2(down, right), sites), at(picture, sites))


def swell(x: np.ndarray) -> np.ndarray:
    return 0.035 * np.sin(7 * x + 1) + 0.02 * np.sin(13 * x)


def ring(rng: np.random.Generator, middle: np.ndarray, radius: float) -> np.ndarray:
    """Places for stones in a circle, (N, 2)."""
    turn = np.arange(0, 2 * np.pi, STONE / radius)
    turn = turn * (2 * np.pi / (turn[-1] + turn[1])) + rng.random() * 6
    return middle + radius * np.stack([np.cos(turn), np.sin(turn)], -1)


def stones(
    rng: np.random.Generator, size: Size, sites: np.ndarray, angles: np.ndarray, colours: np.ndarray
) -> np.ndarray:
    """Square stones, none quite square, in dark mortar; each tilted a little, so that they catch the light."""
    canvas, relief = Image.new("RGB", size, "#2b2522"), Image.new("L", size)
    colour, paint = ImageDraw.Draw(canvas), ImageDraw.Draw(relief)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 0.44 * STONE
    for site, angle, tint in zip(sites, angles, colours, strict=True):
        turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
        shape = (corners + rng.normal(0, 0.0012, (4, 2))) @ turn + site
        outline = points(shape, size[1])
        colour.polygon(outline, rgb(tint * rng.normal(1, 0.13) + rng.normal(0, 9, 3)))
        paint.polygon(outline, int(rng.integers(150, 256)))
    height = np.asarray(relief.filter(ImageFilter.GaussianBlur(2)), "float32") / 255
    return lit(np.asarray(canvas, "float32"), height + 0.08 * noise(rng, size, 0.01), 2.4)
