"""The chunks of a WebP file, and a check that refuses those that would keep a decoder busy for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

HEADER_LENGTH = 12  # "RIFF", a length, and "WEBP"
MAX_CHUNKS = 50_000  # an animation has one for each frame


class RiffChunk(NamedTuple):
    """start: the place of its name. end: that after its data, which are filled to an even length."""

    name: bytes
    start: int
    end: int


def read_riff_chunks(file: BinaryIO) -> Iterator[RiffChunk]:
    """Yield all chunks until the file ends, or what its header says is its end."""
    file.seek(4)
    end_of_picture = 8 + int.from_bytes(file.read(4), "little")
    position = file.seek(HEADER_LENGTH)
    while position < end_of_picture and len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], "little")
        end = position + 8 + length + length % 2
        yield RiffChunk(head[:4], position, end)
        position = file.seek(end)


def check_webp(file: BinaryIO) -> None:
    """Raise ValueError for more chunks than any program writes."""
    for count, _ in enumerate(read_riff_chunks(file)):
        if count >= MAX_CHUNKS:
            raise ValueError(f"a WebP of more than {MAX_CHUNKS} chunks")
