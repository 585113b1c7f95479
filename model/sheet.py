"""A contact sheet: one photo in many styles, strengths and brush sizes at once, small, to choose from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image

from model import images, transfer
from model.errors import InvalidOption
from model.images import ImageSource, Picture
from model.options import SheetOptions, StylizeOptions
from model.progress import Cancelled, OnStep, Step
from model.sheet_page import Page, Row
from model.transfer import STYLE_LIMIT, ModelPath, Pastiche
from model.vectors import StyleFile

THUMBNAIL = 320  # pixels, long side of a painting beside its row


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
class Sheet:
    picture: Picture
    cells: list[Cell]
    seconds: float
    weights: str


def contact_sheet(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: SheetOptions | None = None,
    names: Sequence[str] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> Sheet:
    """A row for each style and brush size, a column for each strength. Each is what `stylize` makes at that size.

    names: of the styles; "" or left out: a style file's own, or its number. on_step hears of each picture; if it raises
    Cancelled, the sheet comes back with those that are done.
    Raises InvalidOption, ImageError or WeightsError; all pictures are read before the network is loaded.
    """
    start, options = time.perf_counter(), options or SheetOptions()
    total = options.cells(len(styles))
    photo = transfer.as_array(images.read(content, long_side=options.size))
    held = [_held(style) for style in styles]
    named = [*names, *[""] * len(styles)]
    rows = [row for number, style in enumerate(held) for row in _rows(style, number + 1, named[number], options)]
    page = Page((photo.shape[1], photo.shape[0]), options.strengths, rows)
    weights, cells = transfer.identity(model_path)[0], list[Cell]()
    with suppress(Cancelled):
        for cell, pastiche in _made(photo, held, options, page, model_path):
            page.put(pastiche.picture, cell.x, cell.y)
            cells.append(cell)
            if on_step:
                passed = time.perf_counter() - start
                on_step(Step(len(cells), total, passed / len(cells) * (total - len(cells))))
    return Sheet(Picture(page.pixels()), cells, time.perf_counter() - start, weights)


def _held(style: ImageSource) -> ImageSource:
    """What can be read again and again."""
    return style if isinstance(style, np.ndarray | Image.Image) else images.contents(style, field="style")


def _rows(style: ImageSource, number: int, name: str, options: SheetOptions) -> list[Row]:
    readied = transfer.read_style(style, limit=THUMBNAIL)
    painting = readied if isinstance(readied, np.ndarray) and readied.ndim == 3 else None
    if painting is None and any(scale != 1 for scale in options.style_scales):
        sentence = "Brush sizes other than 1 need the painting itself: of a style file only the strokes are left."
        raise InvalidOption(sentence, "style_scales")
    name = name or (readied.name if isinstance(readied, StyleFile) else f"style {number}")
    first, *others = options.style_scales
    several = bool(others) or first != 1
    heading = Row(name, first if several else None, painting)
    return [heading, *(Row(None, scale) for scale in others)]


def _made(
    photo: np.ndarray, styles: Sequence[ImageSource], options: SheetOptions, page: Page, model_path: ModelPath
) -> Iterator[tuple[Cell, Pastiche]]:
    lines = [(number, style, scale) for number, style in enumerate(styles, 1) for scale in options.style_scales]
    for row, (number, style, scale) in enumerate(lines):
        readied = transfer.read_style(style, limit=round(STYLE_LIMIT * max(1.0, scale)))
        painting = style if isinstance(readied, StyleFile) else readied
        for column, strength in enumerate(options.strengths):
            cell = Cell(number, strength, scale, *page.box(row, column))
            yield cell, transfer.stylize(photo, [painting], _single(options, strength, scale), model_path)


def _single(options: SheetOptions, strength: float, style_scale: float) -> StylizeOptions:
    shared = options.model_dump(include={"steady", "keep_colours", "keep_light", "match_colours"})
    return StylizeOptions(strength=strength, style_scale=style_scale, **shared)
