"""Dead leaves: pictures without end in which shapes hide one another, as things do in photos.

Lee, Mumford and Huang, "Occlusion Models for Natural Images", IJCV 2001: with radii by a power law of exponent 3 their
statistics are those of natural images; Baradad et al., "Learning to See by Looking at Noise", NeurIPS 2021, train on
them in place of photos.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from model.finetuning.noise_pictures import clouds

SMALLEST, LARGEST = 4, 0.6  # radius: pixels; share of the picture's side
LEAVES = 400
PALETTE = 12  # colours that a picture's leaves are near to
CORNERS = (3, 8)  # of polygons


def dead_leaves(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ellipses and polygons of soft texture over one another, large ones first: (size, size, 3) in 0..1."""
    palette = rng.uniform(0, 255, (PALETTE, 3))
    picture = Image.new("RGB", (size, size), _colour(palette, rng))
    draw = ImageDraw.Draw(picture)
    for radius in _radii(size, rng):
        centre = rng.uniform(-radius / 2, size + radius / 2, 2)
        draw.polygon(_outline(centre, radius, rng), fill=_colour(palette, rng))
    light = np.sum([rng.uniform(0, 0.12) * clouds(size, rng) for _ in range(3)], axis=0)
    grain = rng.normal(0, rng.uniform(0, 6) / 255, (size, size, 3))
    leaves: np.ndarray = np.asarray(picture, "float32") / 255 + light[..., None] + grain
    return leaves.clip(0, 1).astype("float32")


def _radii(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw radii, the largest first, with a density that falls with their third power."""
    low, high = SMALLEST**-2.0, (LARGEST * size) ** -2.0
    radii: np.ndarray = rng.uniform(high, low, LEAVES) ** -0.5
    return np.sort(radii)[::-1]


def _outline(centre: np.ndarray, radius: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return the corners of a polygon, or of an ellipse by a polygon of many."""
    corners = int(rng.integers(*CORNERS)) if rng.random() < 0.4 else 24
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 24 else np.linspace(0, 2 * np.pi, 24)
    turn, flatness = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
    x, y = radius * np.cos(angles), radius * flatness * np.sin(angles)
    turned = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)
    return [(float(a), float(b)) for a, b in turned + centre]


def _colour(palette: np.ndarray, rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (palette[rng.integers(PALETTE)] + rng.normal(0, 20, 3)).clip(0, 255).astype(int).tolist()
    return red, green, blue
