from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from docs.paintings.brushes import points
from docs.paintings.fields import at, engraved, grid, lay, noise, ramp, smooth
from docs.paintings.studio import Size, painting

TINTS = ((250, 236, 206), (240, 132, 44), (190, 44, 36), (40, 104, 176), (16, 30, 84), (120, 176, 214))


@painting(4)
def cubes(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A guitar, a bottle and a bowl on a table, each shard seen from elsewhere."""
    scene = still_life(size)
    x, y = grid(size)
    canvas = np.zeros_like(scene)
    edges = Image.new("L", size)
    pen = ImageDraw.Draw(edges)
    weave = noise(rng, size, (0.12, 0.009), 2)
    for shard in shards(rng, size):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon(points(shard, size[1]), 255)
        inside = np.asarray(mask) > 0
        turn = np.arctan2(*(shard[1] - shard[0])[::-1])
        along = (x * np.cos(turn) + y * np.sin(turn))[inside]
        across = (y * np.cos(turn) - x * np.sin(turn))[inside]
        shift = rng.normal(0, 0.028, 2)
        colour = at(scene, np.stack([x[inside], y[inside]], -1) + shift)
        fade = (across - across.min()) / (np.ptp(across) + 1e-6)
        shade = 0.62 + 0.75 * (fade if rng.random() < 0.5 else 1 - fade)
        hatch = engraved(along * 40, rng.choice([0, 0, 0.55]) * smooth(1.0, 0.2, fade))
        bristle = at(weave, np.stack([abs(along % 2 - 1), abs(across % 2 - 1)], -1))
        tint = np.array(TINTS[rng.integers(len(TINTS))])
        colour = colour * 0.4 + tint * 0.6 + 60 * (bristle - 0.5)[:, None]
        canvas[inside] = colour * (shade * (1 - 0.7 * hatch))[:, None]
        pen.line(points(np.append(shard, shard[:1], 0), size[1]), 255, int(rng.integers(2, 8)))
    line = np.asarray(edges.filter(ImageFilter.GaussianBlur(1)), "float32") / 255
    return lay(canvas, (30, 22, 20), line * (0.6 + 0.4 * noise(rng, size, 0.05)))


def shards(rng: np.random.Generator, size: Size) -> list[np.ndarray]:
    """The canvas cut again and again by straight lines of a few directions."""
    across = size[0] / size[1]
    whole, done = [np.array([(0, 0), (across, 0), (across, 1), (0, 1)], float)], []
    while whole:
        shape = whole.pop()
        x, y = shape.T
        area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
        if area < rng.uniform(0.006, 0.030):
            done.append(shape)
            continue
        turn = rng.choice([0.35, 1.2, 1.75, 2.6]) + rng.normal(0, 0.14)
        side = (shape - shape.mean(0) - rng.normal(0, 0.1 * np.sqrt(area), 2)) @ (np.cos(turn), np.sin(turn))
        halves = [halved(shape, side), halved(shape, -side)]
        whole += [half for half in halves if len(half) > 2] if min(map(len, halves)) > 2 else [shape]
    return done


def halved(shape: np.ndarray, side: np.ndarray) -> np.ndarray:
    """The part of a convex outline where `side`, one number for each corner, is not negative."""
    kept = []
    for a, b, at_a, at_b in zip(shape, np.roll(shape, -1, 0), side, np.roll(side, -1), strict=True):
        kept += [a] if at_a >= 0 else []
        kept += [a + (b - a) * at_a / (at_a - at_b)] if at_a * at_b < 0 else []
    return np.array(kept)


def still_life(size: Size) -> np.ndarray:
    x, y = grid(size)
    scene = ramp(0.8 * y + 0.25 * x, "c9c8c4 9aa8b8 7a8498 55688c 2c3a5c")
    scene = lay(scene, (196, 138, 62), y > 0.68 - 0.12 * (x - 0.6))
    scene = lay(scene, (236, 222, 190), (abs(x - 0.30 + 0.3 * (y - 0.7)) < 0.17) & (abs(y - 0.76) < 0.14))
    lean = x - 0.78 + 0.45 * (y - 0.5)
    body = np.minimum(np.hypot(lean / 0.9, y - 0.62) / 0.21, np.hypot(lean / 0.9, y - 0.40) / 0.155)
    scene = lay(scene, (176, 84, 36), body < 1)
    scene = lay(scene, (226, 168, 88), body < 0.82)
    scene = lay(scene, (70, 38, 26), (abs(lean) < 0.028) & (y < 0.55))
    scene = lay(scene, (30, 20, 20), np.hypot(lean, y - 0.52) < 0.065)
    flask = (abs(x - 0.28) < 0.085) & (y > 0.33) & (y < 0.74) | (abs(x - 0.28) < 0.032) & (y > 0.12) & (y < 0.4)
    scene = lay(scene, (34, 78, 84), flask)
    scene = lay(scene, (120, 164, 158), flask & (abs(x - 0.25) < 0.015))
    bowl = (np.hypot((x - 1.06) / 1.3, y - 0.66) < 0.13) & (y > 0.66)
    fruit = np.min([np.hypot(x - cx, y - 0.63) for cx in (1.0, 1.08, 1.15)], 0) < 0.055
    return lay(lay(scene, (168, 40, 34), fruit), (226, 222, 214), bowl)
