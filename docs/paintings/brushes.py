"""Strokes, one at a time."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from docs.paintings.fields import at, lit
from docs.paintings.studio import Size


def points(path: np.ndarray, scale: int) -> list[tuple[float, float]]:
    """A path (N, 2) in pixels, as Pillow takes it."""
    return [(x, y) for x, y in (path * scale).tolist()]


def rgb(colour: np.ndarray) -> tuple[int, ...]:
    """As Pillow takes it."""
    return tuple(int(c) for c in colour.clip(0, 255))


def scattered(rng: np.random.Generator, size: Size, gap: float) -> np.ndarray:
    """(N, 2) points, about one to each square of side `gap`, a little past the edges too, in random order."""
    columns, rows = np.arange(-gap, size[0] / size[1] + gap, gap), np.arange(-gap, 1 + gap, gap)
    corners = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    return rng.permutation(corners + rng.random(corners.shape) * gap)


def traced(angle: np.ndarray, starts: np.ndarray, length: float, steps: int = 10) -> np.ndarray:
    """(N, steps, 2): from each start (N, 2) along the field of angles (H, W)."""
    path = [starts]
    for _ in range(steps - 1):
        turn = at(angle, path[-1])
        path.append(path[-1] + length / steps * np.stack([np.cos(turn), np.sin(turn)], -1))
    return np.stack(path, 1)


def flecks(rng: np.random.Generator, size: Size, count: int, radius: float) -> np.ndarray:
    """Stars, foam or drops anywhere, most of them small: (H, W) in 0..1."""
    canvas = Image.new("L", size)
    pen = ImageDraw.Draw(canvas)
    for x, y in points(rng.random((count, 2)) * (size[0] / size[1], 1), size[1]):
        r = size[1] * min(0.35 * radius * (1 + rng.pareto(1.5)), 2 * radius)
        pen.ellipse((x - r, y - r, x + r, y + r), int(rng.integers(120, 256)))
    return np.asarray(canvas, "float32") / 255


class Easel:
    """A canvas and the thickness of the paint on it."""

    def __init__(self, rng: np.random.Generator, size: Size, ground: str) -> None:
        self.rng, self.scale = rng, size[1]
        self.canvas, self.relief = Image.new("RGB", size, f"#{ground}"), Image.new("L", size)
        self.colour, self.paint = ImageDraw.Draw(self.canvas), ImageDraw.Draw(self.relief)

    def stroke(self, path: np.ndarray, colour: np.ndarray, width: float) -> None:
        """Bristles side by side along a path (steps, 2), each with a little more or less paint."""
        along = np.gradient(path, axis=0)
        normal = along[:, ::-1] * (-1, 1) / (np.hypot(*along.T)[:, None] + 1e-9)
        bristles = max(3, round(width * self.scale / 3))
        for side in self.rng.permutation(np.linspace(-0.5, 0.5, bristles)):
            short = int(self.rng.integers(0, 2 + round(4 * abs(side))))
            bristle = (path + normal * side * width)[short : len(path) - short]
            tint = colour * self.rng.normal(1, 0.07) + self.rng.normal(0, 5, 3)
            line = points(bristle, self.scale)
            self.colour.line(line, rgb(tint), 4)
            self.paint.line(line, int(self.rng.integers(60, 256)), 4)

    def seen(self, strength: float = 2.2) -> np.ndarray:
        relief = self.relief.filter(ImageFilter.GaussianBlur(1.2))
        return lit(np.asarray(self.canvas, "float32"), np.asarray(relief, "float32") / 255, strength)
