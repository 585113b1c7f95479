"""Coarse to fine: strokes as broad as in a picture of BRUSH_SIDE pixels, with the detail of the full size.

A network's strokes are so many pixels wide. So a large photo is painted small; that picture is enlarged and painted
again, and of the new strokes only what is finer than the enlarged picture is added to it, as in a Laplacian pyramid
(Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", 1983). Made small again, the result is what was
painted first, so that a preview, a result and a print look alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeAlias

import numpy as np
from PIL import Image

from model.imaging import pixel_ops
from model.imaging.pixel_ops import RowSource, WriteRows, row_bands
from model.options import scaled_size
from model.progress import OnStage

BRUSH_SIDE = 640  # pixels, long side of what is painted first
MIN_BRUSH_SIDE = 256  # pixels, its short side: of a panorama more would be lost than strokes gain
LARGEST_STEP = 3.5  # from one size to the next; with larger ones the strokes' edges are soft
FILTER_ROWS = 3  # of the smaller picture that a bicubic filter reaches beyond a row
BLUR = 0.4  # standard deviation, in pixels of the smaller picture, of what counts as its share of the larger one
BLUR_RADIUS = 3  # standard deviations that are computed
PROGRESS_UNITS = 1000

Size: TypeAlias = tuple[int, int]  # height, width
Paint: TypeAlias = Callable[[RowSource, WriteRows, OnStage | None], list[str]]  # it returns notes


def level_sizes(height: int, width: int) -> list[Size]:
    """Return the sizes that are painted one after the other; the last is the picture's own."""
    smallest = max(BRUSH_SIDE / max(height, width), MIN_BRUSH_SIDE / min(height, width))
    if smallest >= 1:
        return [(height, width)]
    steps = math.ceil(math.log(1 / smallest) / math.log(LARGEST_STEP))
    return [scaled_size(height, width, smallest ** (1 - step / steps)) for step in range(steps)] + [(height, width)]


def painted_pixels(height: int, width: int) -> int:
    """Return how many pixels are painted at all sizes together."""
    return sum(rows * columns for rows, columns in level_sizes(height, width))


def render(paint: Paint, photo: RowSource, write: WriteRows, on_stage: OnStage | None = None) -> list[str]:
    """Hand the pastiche of `photo` to `write`, band by band from the top, and return the notes of `paint`.

    on_stage(done, of): called as `paint` calls it, for all sizes together; what it raises stops the render.
    """
    first, *larger = level_sizes(*photo.shape[:2])
    if not larger:
        return paint(photo, write, on_stage)
    progress = _level_progress(on_stage, [first, *larger])
    source = pixel_ops.resize(pixel_ops.as_uint8(photo[0 : photo.shape[0]]), first)
    picture = np.empty((*first, 3), "uint8")
    notes = paint(source, _writer_into(picture), progress[0])
    for size, report in zip(larger, progress[1:], strict=True):
        enlarged, picture = EnlargedRows(picture, size), np.empty((*size, 3) if size != larger[-1] else 0, "uint8")
        add_detail = DetailWriter(enlarged, write if size == larger[-1] else _writer_into(picture))
        notes += paint(enlarged, add_detail, report)
    return notes


class EnlargedRows:
    """A picture (H, W, 3) uint8 at a larger size, whose rows are computed when they are read as rows[a:b]."""

    def __init__(self, picture: np.ndarray, size: Size) -> None:
        self.shape, self.dtype = (*size, 3), picture.dtype
        self.scale = size[0] / picture.shape[0]
        self._image = Image.fromarray(picture)

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        first, last, _ = rows.indices(self.shape[0])
        top, bottom = first / self.scale, last / self.scale
        above = max(0, math.floor(top) - FILTER_ROWS)
        below = min(self._image.height, math.ceil(bottom) + FILTER_ROWS)
        # across and then down: Pillow would choose the order by the size, and clip other pixels in between
        wide = _resize(self._image, self.shape[1], below - above, (above, below))
        return np.asarray(_resize(wide, wide.width, last - first, (top - above, bottom - above)))


def _resize(image: Image.Image, width: int, height: int, rows: tuple[float, float]) -> Image.Image:
    return image.resize((width, height), Image.Resampling.BICUBIC, (0, rows[0], image.width, rows[1]))


class DetailWriter:
    """Called with a picture's rows from the top: writes `enlarged` with the detail that they have beyond a blur."""

    def __init__(self, enlarged: EnlargedRows, write: WriteRows) -> None:
        self._enlarged, self._write = enlarged, write
        self._deviation = BLUR * enlarged.scale
        self._radius = math.ceil(BLUR_RADIUS * self._deviation)
        self._rows = np.empty((0, *enlarged.shape[1:]), "float32")  # that are still needed
        self._top = self._written = 0  # of those rows; of what is to be written next

    def __call__(self, top: int, painted: np.ndarray) -> None:
        for band in row_bands(len(painted)):
            self._rows = np.concatenate([self._rows, painted[band]])
            known, height = self._top + len(self._rows), self._enlarged.shape[0]
            self._write_until(known if known == height else known - self._radius)

    def _write_until(self, end: int) -> None:
        """Write the rows before `end`, and forget those that later ones do not need."""
        if end <= self._written:
            return
        own = slice(self._written - self._top, end - self._top)
        detail = self._rows[own] - _blurred(self._rows, self._deviation, self._radius)[own]
        detail += pixel_ops.as_float(self._enlarged[self._written : end])
        self._write(self._written, detail.clip(0, 1, out=detail))
        self._written, top = end, max(self._top, end - self._radius)
        self._rows, self._top = self._rows[top - self._top :], top


def _blurred(pixels: np.ndarray, deviation: float, radius: int) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d  # loads much

    for axis in (0, 1):
        pixels = gaussian_filter1d(pixels, deviation, axis, mode="nearest", radius=radius)
    return pixels


def _writer_into(picture: np.ndarray) -> WriteRows:
    def write(top: int, rows: np.ndarray) -> None:
        picture[top : top + len(rows)] = pixel_ops.as_uint8(rows)

    return write


def _level_progress(on_stage: OnStage | None, sizes: Sequence[Size]) -> list[OnStage | None]:
    """Return the callback of each size: the time that it takes goes with its pixels."""
    if on_stage is None:
        return [None] * len(sizes)
    ends = list(accumulate(height * width for height, width in sizes))

    def reporter(begin: int, end: int) -> OnStage:
        return lambda done, of: on_stage(
            math.floor(PROGRESS_UNITS * (begin + (end - begin) * done / of) / ends[-1]), PROGRESS_UNITS
        )

    return [reporter(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
