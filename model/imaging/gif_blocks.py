"""The blocks of a GIF file, and a check that refuses those that would keep a decoder busy for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_HEAD_PIECES = 100_000  # before the first frame; a megabyte of XMP reads as ten thousand, a profile as two thousand
MAX_PIECES = 2_000_000  # of the whole file: programs write them of 255 bytes
COMMENT, APPLICATION = 0xFE, 0xFF  # labels of extensions
_HEADER_LENGTH = 13


class Block(NamedTuple):
    """start, end: its place; compressed data follow a frame. label: of an extension. name: of its application."""

    start: int
    end: int
    label: int | None = None
    name: bytes = b""

    @property
    def is_frame(self) -> bool:
        return self.label is None


def header_length(file: BinaryIO) -> int:
    """Return the bytes before the first block: the header with its palette."""
    file.seek(0)
    header = file.read(_HEADER_LENGTH)
    return _HEADER_LENGTH + (_palette_length(header[10]) if len(header) == _HEADER_LENGTH else 0)


def read_blocks(file: BinaryIO, most_pieces: int = MAX_PIECES) -> Iterator[Block]:
    """Yield extensions and frames until the picture ends, or the file does; other bytes are passed over.

    Raises ValueError for more pieces, which a block is made of, than `most_pieces`.
    """
    reader = _PieceReader(file, most_pieces)
    start = file.seek(header_length(file))
    while (kind := reader.read_byte()) not in (b";", b""):
        if kind == b"!":
            label = ord(reader.read_byte() or b"\0")
            name = reader.skip_extension(label)
            end = file.tell()
            yield Block(start, end, label, name)
            file.seek(end)
        elif kind == b",":
            reader.skip_frame_header()
            end = file.tell()
            yield Block(start, end)
            file.seek(end)
            reader.skip_pieces()
        start = file.tell()


def check_gif(file: BinaryIO) -> None:
    """Raise ValueError for more pieces before the first frame than any program writes: Pillow keeps them all."""
    for block in read_blocks(file, MAX_HEAD_PIECES):
        if block.is_frame:
            return


class _PieceReader:
    """Reads a file as Pillow does, where it is damaged too, and counts the pieces."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._left = most

    def read_byte(self) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError("a GIF of more pieces than any program writes")
        return self._file.read(1)

    def skip_extension(self, label: int) -> bytes:
        """Return its first piece: of an application its name."""
        first = self._read_piece()
        if label == APPLICATION and first.startswith(b"NETSCAPE2.0"):
            self._read_piece()
        if first or label != COMMENT:
            self.skip_pieces()
        return first

    def skip_frame_header(self) -> None:
        descriptor = self._file.read(9)
        if len(descriptor) == 9:
            self._file.read(_palette_length(descriptor[8]) + 1)  # and the size of its codes

    def skip_pieces(self) -> None:
        while self._read_piece():
            pass

    def _read_piece(self) -> bytes:
        size = self.read_byte()
        return self._file.read(size[0]) if size else b""


def _palette_length(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
