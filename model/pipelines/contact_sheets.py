"""Contact sheets: one photo in many styles, strengths and brush sizes on one page, small, to choose from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.errors import InvalidOption
from model.imaging import image_files, pixel_ops
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import Picture, as_float, as_uint8
from model.options import SheetOptions, StylizeOptions
from model.pipelines import gallery, stylization
from model.pipelines.stylization import ModelPath, Pastiche
from model.progress import Cancelled, OnStep, Step
from model.style_file import StyleFile

PAPER, INK, FAINT_INK = (255, 255, 255), (34, 34, 34), (110, 110, 110)
MIN_TEXT_SIZE, MAX_TEXT_SIZE = 12, 22  # pixels
LABEL_WIDTH = 0.62  # of the labels' column, as a share of the pictures' long side
LEADING = 1.4  # line height, as a multiple of the text size
CELL_SIDE = 320  # pixels, long side to which a painting beside its row is read


@dataclass(frozen=True)
class SheetRow:
    """A row's label. name, painting: only in a style's first row. style_scale: None where all are 1."""

    name: str | None
    style_scale: float | None
    painting: np.ndarray | None = None  # (H, W, 3) floats in 0..1

    def label_lines(self) -> list[str]:
        brush = f"brush size {self.style_scale:g}" if self.style_scale is not None else None
        return [line for line in (self.name, brush) if line]


class SheetPage:
    """A page with labels, and an empty cell of (width, height) pixels in each row and column."""

    def __init__(self, cell: tuple[int, int], strengths: Sequence[float], rows: Sequence[SheetRow]) -> None:
        self._width, self._height = cell
        self._text = min(MAX_TEXT_SIZE, max(MIN_TEXT_SIZE, round(max(cell) / 15)))
        self._font = ImageFont.load_default(self._text)
        self._gap, self._line = self._text, round(LEADING * self._text)
        self._label = max(round(LABEL_WIDTH * max(cell)), 8 * self._text)
        headings = [f"strength {strength:g}" for strength in strengths]
        self._pitch = max(self._width, *(round(self._font.getlength(heading)) for heading in headings)) + self._gap
        self._tops, bottom = self._lay_out_rows(rows)
        right = self._column_left(len(strengths)) + self._gap
        self._image = Image.new("RGB", (right, bottom), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._draw_headings(headings)
        for row, top in zip(rows, self._tops, strict=True):
            self._draw_label(row, top)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return x, y, width and height of a cell."""
        x = self._column_left(column) + (self._pitch - self._gap - self._width) // 2
        return x, self._tops[row], self._width, self._height

    def paste(self, picture: Picture, x: int, y: int) -> None:
        """Paste a picture; the paper shows through where it is transparent."""
        opacity = None if picture.alpha is None else Image.fromarray(as_uint8(picture.alpha))
        self._image.paste(Image.fromarray(as_uint8(picture.rgb)), (x, y), opacity)

    def pixels(self) -> np.ndarray:
        """Return the page as (H, W, 3) float32 in 0..1."""
        return as_float(np.asarray(self._image))

    def _column_left(self, column: int) -> int:
        return 2 * self._gap + self._label + self._gap + column * self._pitch

    def _lay_out_rows(self, rows: Sequence[SheetRow]) -> tuple[list[int], int]:
        """Return each row's top and the page's height, with more space between styles than between brush sizes."""
        tops: list[int] = []
        y = 2 * self._gap + self._line
        for row in rows:
            y += self._gap if row.name and tops else 0
            tops.append(y)
            y += max(self._height, len(row.label_lines()) * self._line) + self._gap
        return tops, y + self._gap

    def _draw_headings(self, headings: Sequence[str]) -> None:
        for column, heading in enumerate(headings):
            middle = self._column_left(column) + (self._pitch - self._gap) / 2
            self._draw.text((middle, 2 * self._gap), heading, FAINT_INK, self._font, anchor="mm")

    def _draw_label(self, row: SheetRow, top: int) -> None:
        """Draw a row's text, in a style's first row below the painting, as large as fits."""
        lines = row.label_lines()
        room = self._height - len(lines) * self._line
        if row.painting is not None and room >= self._line:
            thumbnail = Image.fromarray(as_uint8(row.painting))
            thumbnail.thumbnail((self._label, room), Image.Resampling.LANCZOS)
            self._image.paste(thumbnail, (2 * self._gap, top))
            top += thumbnail.height + self._gap // 3
        for line in lines:
            ink = INK if line == row.name else FAINT_INK
            self._draw.text((2 * self._gap, top), self._ellipsize(line), ink, self._font)
            top += self._line

    def _ellipsize(self, text: str) -> str:
        """Shorten a text that is wider than its column."""
        shortened = text
        while self._font.getlength(shortened) > self._label and len(shortened) > 1:
            text = text[:-1]
            shortened = f"{text.rstrip()}…"
        return shortened


@dataclass(frozen=True)
class Cell:
    """One small pastiche, in pixels of the sheet."""

    style: int  # from 1
    strength: float
    style_scale: float
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ContactSheet:
    picture: Picture
    cells: list[Cell]
    seconds: float
    weights: str


PaintCell = Callable[[np.ndarray, Sequence[ImageSource], StylizeOptions], Pastiche]


def make_contact_sheet(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: SheetOptions | None = None,
    names: Sequence[str] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    *,
    paint: PaintCell | None = None,
) -> ContactSheet:
    """Paint a sheet with a row for each style and brush size and a column for each strength, by `stylize` at that size.

    names: of the styles; "" or left out: a style file's own, or its number.
    on_step: called after each picture. If it raises Cancelled, the sheet so far is returned.
    paint: what makes each cell, in place of `stylize`.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before the network is loaded.
    """
    start, options = time.perf_counter(), options or SheetOptions()
    total = options.count_cells(len(styles))
    photo = pixel_ops.stack_alpha(image_files.read(content, long_side=options.size))
    sources = [_reusable_source(style) for style in styles]
    names = [*names, *[""] * len(styles)]
    rows = [row for index, style in enumerate(sources) for row in _build_rows(style, index + 1, names[index], options)]
    page = SheetPage((photo.shape[1], photo.shape[0]), options.strengths, rows)
    weights, cells = "", list[Cell]()
    paint = paint or partial(stylization.stylize, model_path=model_path)
    with suppress(Cancelled):
        for cell, pastiche in _paint_cells(photo, sources, options, page, paint):
            weights = pastiche.weights
            page.paste(pastiche.picture, cell.x, cell.y)
            cells.append(cell)
            if on_step:
                elapsed = time.perf_counter() - start
                on_step(Step(len(cells), total, elapsed / len(cells) * (total - len(cells))))
    return ContactSheet(Picture(page.pixels()), cells, time.perf_counter() - start, weights)


def _reusable_source(style: ImageSource) -> ImageSource:
    """Return the style as something that can be read more than once."""
    if isinstance(style, np.ndarray | Image.Image):
        return style
    return image_files.read_bytes(gallery.find(style) or style, field="style")


def _build_rows(style: ImageSource, number: int, name: str, options: SheetOptions) -> list[SheetRow]:
    read = stylization.read_style(style, limit=CELL_SIDE)
    painting = read if stylization.is_painting(read) else None
    if painting is None and any(scale != 1 for scale in options.style_scales):
        sentence = "Brush sizes other than 1 need the painting itself: of a style file only the strokes are left."
        raise InvalidOption(sentence, "style_scales")
    name = name or (read.name if isinstance(read, StyleFile) else f"style {number}")
    first, *others = options.style_scales
    several = bool(others) or first != 1
    heading = SheetRow(name, first if several else None, painting)
    return [heading, *(SheetRow(None, scale) for scale in others)]


def _paint_cells(
    photo: np.ndarray, styles: Sequence[ImageSource], options: SheetOptions, page: SheetPage, paint: PaintCell
) -> Iterator[tuple[Cell, Pastiche]]:
    lines = [(number, style, scale) for number, style in enumerate(styles, 1) for scale in options.style_scales]
    for row, (number, style, scale) in enumerate(lines):
        read = stylization.read_style(style, limit=stylization.style_limit(StylizeOptions(style_scale=scale)))
        painting = style if isinstance(read, StyleFile) else read
        for column, strength in enumerate(options.strengths):
            cell = Cell(number, strength, scale, *page.box(row, column))
            yield cell, paint(photo, [painting], _cell_options(options, strength, scale))


def _cell_options(options: SheetOptions, strength: float, style_scale: float) -> StylizeOptions:
    shared = options.model_dump(include={"steady", "network", "keep_colours", "keep_light", "match_colours"})
    return StylizeOptions(strength=strength, style_scale=style_scale, **shared)
