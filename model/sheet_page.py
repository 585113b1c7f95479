"""A contact sheet's layout: where each picture lies, and the words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model.images import Picture

PAPER, INK, FAINT = (255, 255, 255), (34, 34, 34), (110, 110, 110)
SMALLEST_TEXT, LARGEST_TEXT = 12, 22  # pixels
LABEL = 0.62  # width of the labels' column, as a share of the pictures' long side
LEADING = 1.4  # height of a line, as a share of the text's


@dataclass(frozen=True)
class Row:
    """name and painting: in a style's first row. style_scale: the brush size, where it is worth telling."""

    name: str | None
    style_scale: float | None
    painting: np.ndarray | None = None  # (H, W, 3) floats in 0..1

    def lines(self) -> list[str]:
        brush = f"brush size {self.style_scale:g}" if self.style_scale is not None else None
        return [line for line in (self.name, brush) if line]


class Page:
    """Paper with labels, and room for a picture of `cell`, (width, height), in each row and column."""

    def __init__(self, cell: tuple[int, int], strengths: Sequence[float], rows: Sequence[Row]) -> None:
        self._width, self._height = cell
        self._text = min(LARGEST_TEXT, max(SMALLEST_TEXT, round(max(cell) / 15)))
        self._font = ImageFont.load_default(self._text)
        self._gap, self._line = self._text, round(LEADING * self._text)
        self._label = max(round(LABEL * max(cell)), 8 * self._text)
        headings = [f"strength {strength:g}" for strength in strengths]
        self._pitch = max(self._width, *(round(self._font.getlength(heading)) for heading in headings)) + self._gap
        self._tops, bottom = self._placed(rows)
        right = self._left(len(strengths)) + self._gap
        self._image = Image.new("RGB", (right, bottom), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._head(headings)
        for row, top in zip(rows, self._tops, strict=True):
            self._describe(row, top)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """x, y, width and height."""
        x = self._left(column) + (self._pitch - self._gap - self._width) // 2
        return x, self._tops[row], self._width, self._height

    def put(self, picture: Picture, x: int, y: int) -> None:
        """Where it is clear the paper shows."""
        clear = None if picture.alpha is None else Image.fromarray(_bytes(picture.alpha))
        self._image.paste(Image.fromarray(_bytes(picture.rgb)), (x, y), clear)

    def pixels(self) -> np.ndarray:
        """(H, W, 3) float32 in 0..1."""
        return np.asarray(self._image) / np.float32(255)

    def _left(self, column: int) -> int:
        return 2 * self._gap + self._label + self._gap + column * self._pitch

    def _placed(self, rows: Sequence[Row]) -> tuple[list[int], int]:
        """Each row's top, and where the paper ends; between styles there is more air than between brush sizes."""
        tops: list[int] = []
        y = 2 * self._gap + self._line
        for row in rows:
            y += self._gap if row.name and tops else 0
            tops.append(y)
            y += max(self._height, len(row.lines()) * self._line) + self._gap
        return tops, y + self._gap

    def _head(self, headings: Sequence[str]) -> None:
        for column, heading in enumerate(headings):
            middle = self._left(column) + (self._pitch - self._gap) / 2
            self._draw.text((middle, 2 * self._gap), heading, FAINT, self._font, anchor="mm")

    def _describe(self, row: Row, top: int) -> None:
        """Beside a style's first row its painting, as large as there is room, with its name below it."""
        lines = row.lines()
        room = self._height - len(lines) * self._line
        if row.painting is not None and room >= self._line:
            thumbnail = Image.fromarray(_bytes(row.painting))
            thumbnail.thumbnail((self._label, room), Image.Resampling.LANCZOS)
            self._image.paste(thumbnail, (2 * self._gap, top))
            top += thumbnail.height + self._gap // 3
        for line in lines:
            ink = INK if line == row.name else FAINT
            self._draw.text((2 * self._gap, top), self._cut(line), ink, self._font)
            top += self._line

    def _cut(self, text: str) -> str:
        """With an ellipsis, where it is wider than its column."""
        kept = text
        while self._font.getlength(kept) > self._label and len(kept) > 1:
            text = text[:-1]
            kept = f"{text.rstrip()}…"
        return kept


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return (pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8)
