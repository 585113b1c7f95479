"""The chunks of a PNG file, and a check that refuses those that would keep a decoder busy for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_DATA_CHUNKS = 500_000  # of 8 KB each, as libpng writes them, they would fill more than may be read
MAX_OTHER_CHUNKS = 500  # a file has a few dozen; each may be a profile that unfolds to a megabyte
_DATA_CHUNKS = frozenset({b"IDAT", b"fcTL", b"fdAT"})  # which an animation has for each frame


class Chunk(NamedTuple):
    """start: the place of its length. end: that after its checksum."""

    name: bytes
    start: int
    end: int


def read_chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield all chunks until the picture ends, or the file does."""
    position = file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        name, end = head[4:], position + 12 + int.from_bytes(head[:4])
        yield Chunk(name, position, end)
        if name == b"IEND":
            return
        position = file.seek(end)


def check_png(file: BinaryIO) -> None:
    """Raise ValueError for more chunks than any program writes."""
    data_chunks = other_chunks = 0
    for chunk in read_chunks(file):
        data_chunks += chunk.name in _DATA_CHUNKS
        other_chunks += chunk.name not in _DATA_CHUNKS
        if data_chunks > MAX_DATA_CHUNKS or other_chunks > MAX_OTHER_CHUNKS:
            raise ValueError(f"a PNG of more than {MAX_DATA_CHUNKS} chunks of pixels or {MAX_OTHER_CHUNKS} of others")
