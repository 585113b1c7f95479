"""The places of EXIF and XMP within AVIF and HEIC files, which are made of boxes (ISO/IEC 14496-12 and 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_EXTENTS = 1000  # of metadata; one item of each kind, in one part, is usual
_METADATA_TYPES = (b"Exif", b"mime")  # of items; XMP is the only MIME type in use


class Extent(NamedTuple):
    """A part of an item: bytes from `start` to `end` of the file."""

    type: bytes
    start: int
    end: int


class _Box(NamedTuple):
    type: bytes
    start: int  # of what it holds
    end: int


def metadata_extents(data: bytes) -> list[Extent]:
    """Return where items of metadata are; raise ValueError or IndexError where the boxes make no sense."""
    meta = next((box for box in _boxes(data, 0, len(data)) if box.type == b"meta"), None)
    if meta is None:
        return []
    boxes = {box.type: box for box in _boxes(data, meta.start + 4, meta.end)}
    types = dict(_item_types(data, boxes[b"iinf"])) if b"iinf" in boxes else {}
    return list(_extents(data, boxes, types)) if types and b"iloc" in boxes else []


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        size, head = int.from_bytes(data[start : start + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        stop = min(start + size, end) if size else end
        if stop < start + head:
            raise ValueError("a box shorter than its head")
        yield _Box(data[start + 4 : start + 8], start + head, stop)
        start = stop


def _item_types(data: bytes, iinf: _Box) -> Iterator[tuple[int, bytes]]:
    """Yield the ids and types of items that are metadata."""
    entries = iinf.start + (6 if data[iinf.start] == 0 else 8)
    for entry in _boxes(data, entries, iinf.end):
        id_length = 2 if data[entry.start] == 2 else 4
        id_end = entry.start + 4 + id_length
        item_type = data[id_end + 2 : id_end + 6]
        if item_type in _METADATA_TYPES:
            yield int.from_bytes(data[entry.start + 4 : id_end]), item_type


def _extents(data: bytes, boxes: dict[bytes, _Box], types: dict[int, bytes]) -> Iterator[Extent]:
    """Yield the extents of those items, as the box of locations has them."""
    reader = _Integers(data, boxes[b"iloc"])
    version = reader.read(1)
    reader.read(3)
    sizes = reader.read(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    extent_size = (index_size if version else 0) + offset_size + length_size
    left = MAX_EXTENTS
    for _ in range(reader.read(2 if version < 2 else 4)):
        item = reader.read(2 if version < 2 else 4)
        in_idat = version > 0 and reader.read(2) & 15 == 1
        reader.read(2)
        base = reader.read(base_size) + (boxes[b"idat"].start if in_idat and b"idat" in boxes else 0)
        count = reader.read(2)
        if item not in types:
            reader.position += count * extent_size
            continue
        left -= count
        if left < 0:
            raise ValueError(f"metadata in more than {MAX_EXTENTS} parts")
        for _ in range(count):
            reader.read(index_size if version else 0)
            start = base + reader.read(offset_size)
            yield Extent(types[item], start, min(start + reader.read(length_size), len(data)))


class _Integers:
    """Reads numbers of any width within a box."""

    def __init__(self, data: bytes, box: _Box) -> None:
        self._data = data
        self._end = box.end
        self.position = box.start

    def read(self, size: int) -> int:
        if self.position + size > self._end:
            raise ValueError("a box that ends too early")
        self.position += size
        return int.from_bytes(self._data[self.position - size : self.position])
