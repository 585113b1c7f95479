"""What there is before a brush: coordinates, noise, colour and light, for every pixel at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from docs.paintings.studio import Size


def grid(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel, (H, W) each."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype("float32") / height
    return x, y


def noise(rng: np.random.Generator, size: Size, cell: float | tuple[float, float], octaves: int = 1) -> np.ndarray:
    """(H, W) of soft random hills, about 0..1. `cell`: their width, or width and height."""
    width, height = size
    across, down = cell if isinstance(cell, tuple) else (cell, cell)
    total = np.zeros((height, width), "float32")
    for octave in range(octaves):
        rows, columns = int(2**octave / down) + 3, int(width / height * 2**octave / across) + 3
        coarse = Image.fromarray(rng.random((rows, columns)).astype("float32"))
        total += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    return total / (2 - 0.5 ** (octaves - 1))


def ramp(t: np.ndarray, colours: str) -> np.ndarray:
    """t in 0..1 -> colours (..., 3) in 0..255, mixed between those named, as in "102040 ffe9a0"."""
    stops = np.array([list(bytes.fromhex(c)) for c in colours.split()], "float32")
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(t, places, stops[:, channel]) for channel in range(3)], -1)


def smooth(low: float, high: float, t: np.ndarray) -> np.ndarray:
    """0 up to `low`, 1 from `high`, soft between."""
    t = ((t - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def lay(under: np.ndarray, over: np.ndarray | Sequence[float], cover: np.ndarray) -> np.ndarray:
    """`over` painted on `under` where `cover`, (H, W) in 0..1, says."""
    return under + (np.asarray(over) - under) * np.asarray(cover, "float32")[..., None]


def at(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The field's values at points (..., 2)."""
    height, width = field.shape[:2]
    column = (points[..., 0] * height).astype(int).clip(0, width - 1)
    row = (points[..., 1] * height).astype(int).clip(0, height - 1)
    return field[row, column]


def lit(colour: np.ndarray, thickness: np.ndarray, strength: float) -> np.ndarray:
    """Paint of some thickness, (H, W) in 0..1, under a lamp at the upper left."""
    down, right = np.gradient(thickness)
    return colour * (1 + strength * (down + right)).clip(0.45, 1.7)[..., None]


def engraved(phase: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """Lines one unit of phase apart, as wide as it is dark: ink (H, W) in 0..1."""
    return smooth(0, 0.1, dark - abs(2 * (phase % 1) - 1))


def panes(sites: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voronoi cells: each pixel's site, and how far it is from its cell's edge."""
    first, second = np.full_like(x, np.inf), np.full_like(x, np.inf)
    owner, other = np.zeros(x.shape, int), np.zeros(x.shape, int)
    for index, (cx, cy) in enumerate(sites):
        away = (x - cx) ** 2 + (y - cy) ** 2
        wins, places = away < first, (away >= first) & (away < second)
        second = np.where(wins, first, np.where(places, away, second))
        other = np.where(wins, owner, np.where(places, index, other))
        first, owner = np.where(wins, away, first), np.where(wins, index, owner)
    apart = np.hypot(*(sites[owner] - sites[other]).transpose(2, 0, 1))
    return owner, (second - first) / (2 * apart + 1e-9)
