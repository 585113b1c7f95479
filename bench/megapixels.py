"""Time and memory against megapixels, of `python -m model stylize` with the weights that ship; draws both.

Each size has a process of its own, which paints it several times. Its seconds are what it reports itself, so without
its start; the first painting warms up and does not count.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from skimage import data

from bench._measure import ROOT, on_the_processor, table
from bench.big import photo, stylize
from model.inference.tiling.renderer import TILING_THRESHOLD

PLOT = ROOT / "docs" / "images" / "megapixels.png"
WHOLE, BANDS = "in one piece", "in bands"
SIZES = {WHOLE: (0.25, 0.5, 1, 2, 4), BANDS: (2, 4, 8, 16)}  # megapixels; both where they meet
TILES = {WHOLE: "never", BANDS: "always"}  # as --tiles has it
PANELS = {"seconds": "seconds", "gigabytes": "GB of memory"}  # of the plot: a field of Point, and its axis
COLOURS = {WHOLE: "#c2571a", BANDS: "#1f5f8b"}
LARGE = 4  # megapixels, above which there are
REPEATS, FEWER = 5, 3
ROWS_HEAD = "megapixels | painted | seconds | seconds a megapixel | GB of memory"
LINES_HEAD = "painted | megapixels | seconds a megapixel | off | R² | GB a megapixel | off"


class Point(NamedTuple):
    way: str
    megapixels: float
    seconds: float
    gigabytes: float


class Line(NamedTuple):
    """Least squares."""

    slope: float  # a megapixel
    start: float
    off: float  # the largest distance of a point, as a share of the line there
    r2: float


def point(way: str, megapixels: float, painting: Path) -> Point:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        first = Path(folder) / "0.jpg"
        width, height = photo(first, megapixels)
        for number in range(1, 1 + (FEWER if megapixels > LARGE else REPEATS)):
            shutil.copy(first, first.with_stem(str(number)))
        run = stylize(Path(folder), painting, Path(folder) / "results", width, TILES[way])
    return Point(way, width * height / 1e6, statistics.median(run.seconds[1:]), run.rss / 1e9)


def points() -> list[Point]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        painting = Path(folder) / "painting.png"
        Image.fromarray(data.immunohistochemistry()).save(painting)
        return [point(way, megapixels, painting) for way, sizes in SIZES.items() for megapixels in sizes]


def chosen(found: Sequence[Point]) -> list[Point]:
    """Those of the way that such a picture is painted in where nobody says otherwise."""
    return [point for point in found if (point.way == BANDS) == (point.megapixels * 1e6 >= TILING_THRESHOLD)]


def line(found: Sequence[Point], field: str) -> Line:
    """Of "seconds" or of "gigabytes"."""
    x, y = np.array([(point.megapixels, getattr(point, field)) for point in found]).T
    slope, start = np.polyfit(x, y, 1)
    on_it = slope * x + start
    r2 = 1 - np.square(y - on_it).sum() / np.square(y - y.mean()).sum()
    return Line(float(slope), float(start), float(np.abs(y / on_it - 1).max()), float(r2))


def line_row(name: str, found: Sequence[Point]) -> str:
    sizes = f"{found[0].megapixels:.2g} to {found[-1].megapixels:.2g}"
    time, memory = line(found, "seconds"), line(found, "gigabytes")
    told = f"{time.slope:.3f} | {time.off:.0%} | {time.r2:.4f} | {memory.slope:.3f} | {memory.off:.0%}"
    return f"{name} | {sizes} | {told}"


def of(way: str, found: Sequence[Point]) -> list[Point]:
    return [point for point in found if point.way == way]


def draw(found: Sequence[Point], path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (field, name) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
        for way in SIZES:
            _draw_way(axes, of(way, found), field)
        axes.axvline(
            TILING_THRESHOLD / 1e6, color="grey", linestyle=":", linewidth=1, label="in bands by default from here on"
        )
        highest = max(getattr(point, field) for point in found)
        axes.set(xlabel="megapixels", ylabel=name, xlim=(0, 17), ylim=(0, 1.1 * highest))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def _draw_way(axes: Axes, found: Sequence[Point], field: str) -> None:
    """Its points, and the line through them."""
    way, fit = found[0].way, line(found, field)
    megapixels = np.array([point.megapixels for point in found])
    axes.plot(megapixels, [getattr(point, field) for point in found], "o", color=COLOURS[way])
    label = f"{way}: {fit.slope:.2f} {PANELS[field].partition(' ')[0]} a megapixel"
    axes.plot(megapixels, fit.start + fit.slope * megapixels, color=COLOURS[way], label=label)


def section() -> str:
    on_the_processor()
    found = points()
    draw(found, PLOT)
    rows = [
        f"{p.megapixels:.2f} | {p.way} | {p.seconds:.2f} | {p.seconds / p.megapixels:.2f} | {p.gigabytes:.2f}"
        for p in found
    ]
    fits = [line_row(way, of(way, found)) for way in (WHOLE, BANDS)]
    fits.append(line_row("as by default", chosen(found)))
    return f"""## Time and memory against megapixels

`python -m model stylize photos painting.png -o results --size …` with the weights that ship: reading a JPEG, painting
and writing a PNG, without the program's start. Medians of {REPEATS} pictures, above {LARGE} megapixels of {FEWER}.
Memory is the most that was resident, of the whole program. From {TILING_THRESHOLD / 1e6:.1f} megapixels on, pictures
are painted in bands, unless `--tiles` says otherwise; where the two ways meet, both are shown.

![Seconds and gigabytes against megapixels, in one piece and in bands, with a line through each](images/megapixels.png)

{table(ROWS_HEAD, rows)}

Straight lines through these, by least squares. "Off" is the point farthest from its line, as a share of the line there.

{table(LINES_HEAD, fits)}"""


if __name__ == "__main__":
    print(section())
