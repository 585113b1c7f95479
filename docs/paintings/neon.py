from __future__ import annotations

import numpy as np

from docs.paintings.brushes import flecks
from docs.paintings.fields import engraved, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting


@painting(80)
def neon(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A striped sun over a glowing grid and a skyline of tubes, magenta and cyan on near black."""
    x, y = grid(size)
    night = ramp(y / 0.6 + 0.15 * noise(rng, size, 0.3, 2), "280a70 6416b4 d41cb4 ff6ab0")
    away = np.hypot(x - 0.625, y - 0.36)
    sun = smooth(0.275, 0.27, away) * (1 - engraved(y * 22, smooth(0.25, 0.6, y) * 0.7))
    picture = lay(night, ramp((y - 0.1) / 0.5, "fff06a ff9a3a ff2f7a d010a0"), sun)
    light = np.zeros_like(picture)
    depth = (y - 0.6).clip(0.004)
    rows, columns = 0.12 / depth, 0.9 * (x - 0.625) / depth
    floor = (y > 0.6)[..., None]
    picture = np.where(floor, ramp(depth * 2.5, "a01090 4a0a80 1c0650"), picture)
    across = glowing(near(rows * 2) * depth**2 / 0.24, 0.008) * smooth(0, 0.06, depth)
    light += floor * across[..., None] * (40, 230, 255)
    light += floor * glowing(near(columns) * depth / 0.9, 0.008)[..., None] * (255, 40, 200)
    awake = noise(rng, size, 0.02) > 0.55
    for index in range(26):
        left, width, top = rng.uniform(-0.05, 1.25), rng.uniform(0.04, 0.12), 0.6 - rng.beta(1.3, 2.5) * 0.5
        inside = (abs(x - left) < width / 2) & (y > top) & (y < 0.6)
        picture = np.where(inside[..., None], picture * 0.25 + (8, 2, 20), picture)
        light = np.where(inside[..., None], light * 0.35, light)
        box = np.maximum(abs(x - left) - width / 2, np.maximum(top - y, y - 0.6))
        tint = np.array(((255, 40, 190), (30, 220, 255), (150, 70, 255), (255, 150, 60))[index % 4])
        windows = (near(x * 60) > 0.25) & (near(y * 45) > 0.25) & inside & awake
        light += glowing(abs(box), 0.007)[..., None] * tint + 0.6 * windows[..., None] * tint
    stars = flecks(rng, size, 500, 0.0025) * (y < 0.55) * (away > 0.28)
    scan = 0.88 + 0.12 * np.sin(y * 2 * np.pi * 90)
    return (picture + light + 200 * stars[..., None]) * scan[..., None]


def near(t: np.ndarray) -> np.ndarray:
    """How far it is to the nearest whole number."""
    return abs(t - np.round(t))


def glowing(away: np.ndarray, width: float) -> np.ndarray:
    """The light of a tube, by the distance from it."""
    return np.exp(-((away / width) ** 2) * 4) + 0.35 * np.exp(-away / width / 1.6)
