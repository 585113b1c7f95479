"""Paintings made by code, one seed each: style images that belong to nobody but this project.

    from paintings import PAINTINGS
    PAINTINGS["flow"]().save("flow.jpg")

Positions are in units of the picture's height: y from 0 at the top to 1, x from 0 at the left to width / height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Size = tuple[int, int]  # width, height in pixels
SIZE = (480, 384)
FINE = 2  # painted this many times larger, then shrunk, for smooth edges


class Painting(Protocol):
    def __call__(self, size: Size = SIZE, seed: int | None = None) -> Image.Image: ...


PAINTINGS: dict[str, Painting] = {}


def painting(own_seed: int) -> Callable[[Callable[[np.random.Generator, Size], np.ndarray]], Painting]:
    """Enters a function, which paints (H, W, 3) in 0..255 on the size it is given, in the table."""

    def enter(draw: Callable[[np.random.Generator, Size], np.ndarray]) -> Painting:
        def paint(size: Size = SIZE, seed: int | None = None) -> Image.Image:
            rng = np.random.default_rng(own_seed if seed is None else seed)
            pixels = draw(rng, (size[0] * FINE, size[1] * FINE))
            return Image.fromarray(pixels.clip(0, 255).astype("uint8")).resize(size, Image.Resampling.LANCZOS)

        PAINTINGS[draw.__name__] = paint
        return paint

    return enter


# Fields and colours


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


# Brushes


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
            bristle = ((path + normal * side * width) * self.scale)[short : len(path) - short]
            tint = (colour * self.rng.normal(1, 0.07) + self.rng.normal(0, 5, 3)).clip(0, 255)
            points = [tuple(point) for point in bristle.tolist()]
            self.colour.line(points, tuple(int(c) for c in tint), 4)
            self.paint.line(points, int(self.rng.integers(60, 256)), 4)

    def seen(self, strength: float = 2.2) -> np.ndarray:
        relief = self.relief.filter(ImageFilter.GaussianBlur(1.2))
        return lit(np.asarray(self.canvas, "float32"), np.asarray(relief, "float32") / 255, strength)


# Paintings


@painting(11)
def flow(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Lights in a night sky that turns around them, in thick paint."""
    x, y = grid(size)
    lights = [(0.30, 0.30, 0.13, 1), (0.93, 0.22, 0.17, -1), (0.63, 0.50, 0.09, 1), (0.08, 0.60, 0.07, -1)]
    lights += [(0.62, 0.10, 0.05, 1), (1.18, 0.56, 0.06, 1), (0.36, 0.66, 0.05, -1)]
    right, down = np.ones_like(x), 0.5 * np.sin(5 * x + 2) + noise(rng, size, 0.3) - 0.5
    glow = 0.22 * noise(rng, size, (0.5, 0.08), 2)
    for cx, cy, radius, turn in lights:
        away = np.hypot(x - cx, y - cy) / radius
        pull = turn * 3.5 * np.exp(-((away / 1.9) ** 2)) / (away + 0.3)
        right, down = right - pull * (y - cy) / radius, down + pull * (x - cx) / radius
        glow += np.exp(-(away**2)) + 0.33 * np.exp(-away / 1.3) * (1 + np.cos(away * 4.2))
    hill = y - 0.78 - 0.06 * np.sin(4 * x + 1) - 0.04 * np.sin(9 * x)
    land = smooth(-0.005, 0.005, hill)
    angle = np.arctan2(down, right) * (1 - land) + land * (0.25 * np.cos(4 * x + 1) + 9 * hill.clip(0, 0.12))
    sky = ramp(glow, "0b1440 16318a 1f57b4 3f93c8 9ccfc0 f3e29a fbcf4e f39a2b")
    soil = ramp(3.2 * hill + 0.5 * noise(rng, size, 0.08), "12102c 3a2138 84402f c98330 f0c860")
    picture = lay(sky, soil, land)
    easel = Easel(rng, size, "0b1440")
    for gap, length, width in ((0.022, 0.17, 0.046), (0.019, 0.12, 0.032), (0.020, 0.08, 0.021)):
        paths = traced(angle, scattered(rng, size, gap), length)
        for path, colour in zip(paths, at(picture, paths[:, 3]), strict=True):
            easel.stroke(path, colour * rng.normal(1, 0.12), width)
    return easel.seen()


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
        shape = ((corners + rng.normal(0, 0.0012, (4, 2))) @ turn + site) * size[1]
        outline = [tuple(corner) for corner in shape.tolist()]
        shade = (tint * rng.normal(1, 0.13) + rng.normal(0, 9, 3)).clip(0, 255)
        colour.polygon(outline, tuple(int(c) for c in shade))
        paint.polygon(outline, int(rng.integers(150, 256)))
    height = np.asarray(relief.filter(ImageFilter.GaussianBlur(2)), "float32") / 255
    return lit(np.asarray(canvas, "float32"), height + 0.08 * noise(rng, size, 0.01), 2.4)


ROSE = (  # each ring's radius, panes and two colours
    (0.00, 1, "ffe9a0 ffd257"),
    (0.09, 8, "e0163a f7b733"),
    (0.21, 12, "2a3fd0 8a6cf0"),
    (0.30, 24, "c3103f 8a1ca0"),
    (0.43, 20, "1f2fb0 d8327a"),
    (0.56, 32, "a3122f f0a23a"),
    (0.69, 28, "3a1f96 7a4fe0"),
    (0.83, 36, "b01450 2a1f8a"),
)


@painting(8)
def stained_glass(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A rose window: panes in rings, lead between them, the day behind."""
    x, y = grid(size)
    middle = np.array([0.625, 0.5])
    sites, colours = [], []
    for index, (radius, count, pair) in enumerate(ROSE):
        turn = (np.arange(count) + 0.5 * (index % 2)) * 2 * np.pi / count + rng.normal(0, 0.12 / (index + 1), count)
        reach = radius + rng.normal(0, 0.006, count)
        sites.append(middle + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1))
        colours.append(ramp((np.arange(count) % 2 + rng.normal(0, 0.12, count)).clip(0, 1), pair))
    sites, colours = np.concatenate(sites).astype("float32"), np.concatenate(colours)
    owner, edge = panes(sites, x, y)
    centre = np.hypot(x - sites[owner, 0], y - sites[owner, 1])
    light = 1.25 - 0.7 * smooth(0, 0.09, centre) + 0.55 * (noise(rng, size, (0.25, 0.015), 3) - 0.5)
    light += 0.5 * (noise(rng, size, 0.03, 2) - 0.5) - 0.35 * np.hypot(x - middle[0], y - middle[1])
    glowing = colours[owner] * light[..., None] + 90 * ((light - 0.85).clip(0) ** 1.5)[..., None]
    lead = 0.0075 + 0.003 * noise(rng, size, 0.05)
    shine = ramp(smooth(0.2, 1, 1 - edge / lead), "06060a 101016 3c3c48")
    return lay(shine, glowing, smooth(-0.0015, 0.0015, edge - lead))


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


def engraved(phase: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """Lines one unit of phase apart, as wide as it is dark: ink (H, W) in 0..1."""
    return smooth(0, 0.1, dark - abs(2 * (phase % 1) - 1))


@painting(3)
def woodcut(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Mountains, a lake and a red sun, cut in lines that swell with the shadow."""
    x, y = grid(size)
    hand = 0.5 * noise(rng, size, 0.09, 2)
    away = np.hypot(x - 0.86, y - 0.27)
    grain = 0.22 * (noise(rng, size, (0.12, 0.02), 2) - 0.5)
    ink = engraved(away * 44 + hand, 0.16 + 0.62 * smooth(0.1, 0.75, away) + grain)
    peaks = ((0.98, 0.36, 0.5, 0.62, 40), (0.34, 0.17, 0.95, 0.8, 36), (0.7, 0.44, 0.5, 0.7, 40))
    for peak, top, left, right, dense in peaks:
        crag = 0.09 * (noise(rng, size, (0.11, 0.9), 3) - 0.5)
        ridge = peak + 0.10 * (y - top) + 0.9 * (noise(rng, size, (2, 0.12), 2) - 0.5) * (y - top)
        side = x - ridge
        slope = y - top - crag - np.where(side < 0, -left, right) * (x - peak)
        facing = np.where(side < 0, 0.16, 0.80) + 0.3 * (noise(rng, size, 0.12) - 0.5) + grain
        lines = np.where(side < 0, 0.85 * x + 0.5 * y, 0.55 * x - y) * dense + 2 * hand
        rock = engraved(lines, facing + 0.25 * smooth(0.25, 0.0, slope) * (side > 0))
        rock = np.maximum(rock, smooth(0.012, 0.008, slope))
        ink = np.where(slope > 0, rock, ink)
    lake = y + 0.008 * np.sin(18 * x + 30 * y)
    gleam = smooth(0.16, 0.03, abs(x - 0.86 + 0.25 * (noise(rng, size, (0.3, 0.02)) - 0.5)))
    water = engraved(lake * 40 + hand, 0.35 + 0.75 * smooth(0.66, 1, y) - 0.6 * gleam + 1.6 * grain)
    ink = np.where(lake > 0.66, water, ink)
    red = np.maximum(away < 0.15, (lake > 0.66) * (gleam > 0.35)) * 1.0
    ink = np.where((away < 0.15) & (ink > 0) & (y < 0.42), ink * (away > 0.13), ink)
    paper = 1 - 0.08 * noise(rng, size, 0.006, 2)[..., None]
    inked = lay(lay(np.full((*x.shape, 3), (243, 232, 208)), (214, 60, 38), red), (24, 20, 24), ink)
    return inked * paper


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
            tint = (opposite if rng.random() < stray * 0.45 else lively).clip(0, 255)
            cx, cy = place * size[1]
            r = radius * size[1] * rng.uniform(0.75, 1.2)
            pen.ellipse((cx - r, cy - r, cx + r, cy + r), tuple(int(c) for c in tint))
    return np.asarray(canvas, "float32")


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
        shape = (middle + edge[:, None] * np.stack([1.15 * np.cos(around), 0.9 * np.sin(around)], -1)) * size[1]
        pen.polygon([tuple(point) for point in shape.tolist()], int(rng.uniform(150, 255)))
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
    return [tuple(point) for point in (np.concatenate([spine + half, (spine - half)[::-1]]) * scale).tolist()]


TINTS = ((250, 232, 190), (222, 150, 60), (178, 66, 36), (52, 108, 136), (24, 38, 70), (140, 172, 164))


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
        ImageDraw.Draw(mask).polygon([tuple(p) for p in (shard * size[1]).tolist()], 255)
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
        colour = colour * 0.55 + tint * 0.45 + 60 * (bristle - 0.5)[:, None]
        canvas[inside] = colour * (shade * (1 - 0.7 * hatch))[:, None]
        pen.line([tuple(p) for p in (np.append(shard, shard[:1], 0) * size[1]).tolist()], 255, int(rng.integers(2, 8)))
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
    scene = ramp(0.8 * y + 0.25 * x, "c9b48a a98a5c 8c7a66 5f6f80 39485c")
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


@painting(9)
def marble(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Marbled paper: colours floating on water, stirred in circles, then combed."""
    x, y = grid(size)
    swirls = ((0.35, 0.36, 0.22, 2.6), (0.92, 0.62, 0.26, -3.0), (1.05, 0.14, 0.12, 2.2), (0.2, 0.86, 0.13, -2.2))
    for cx, cy, radius, turn in swirls:
        angle = turn * np.exp(-np.hypot(x - cx, y - cy) / radius)
        dx, dy = x - cx, y - cy
        x, y = cx + dx * np.cos(angle) - dy * np.sin(angle), cy + dx * np.sin(angle) + dy * np.cos(angle)
    y = y + 0.10 * (abs(2 * ((x * 9) % 1) - 1) ** 1.6 - 0.5) + 0.02 * np.sin(31 * x)
    x = x + 0.03 * np.sin(17 * y)
    t = 15 * y + 1.3 * np.sin(5.3 * x + 2 * np.sin(4.1 * y)) + 0.6 * np.sin(11 * x - 7 * y)
    steep = np.hypot(*np.gradient(t)).clip(0, 0.3) + 0.004
    band = np.floor(t)
    palette = ramp(np.arange(7) / 6, "0f5f5a f3ead0 1f9a86 e9f0dc 123a4a e0786a 8fcfae")
    colour = palette[(band % 7).astype(int)] * (0.82 + 0.3 * noise(rng, size, 0.01, 2))[..., None]
    inked = lay(colour, (22, 22, 38), smooth(3.5, 2, (0.5 - abs(t - band - 0.5)) / steep))
    return lay(inked, (236, 214, 150), 0.8 * smooth(2.5, 1, abs(t - band - 0.3) / steep))
