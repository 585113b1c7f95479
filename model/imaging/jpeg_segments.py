"""The segments of a JPEG file, and a check that refuses those that would keep a decoder busy for nothing.

Nothing is decoded. Compressed data are searched, not stepped through, so that the time follows the file's size alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
APP0, APP1, APP2, APP14, APP15, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
EXIF_HEAD = b"Exif\0\0"  # how the APP1 segments of EXIF begin

MAX_SCANS = 100  # progressive files have about ten; each is a pass over all pixels, however few bytes it takes
MAX_SEGMENTS = 2000  # a colour profile has at most 255; depth maps and other large extras a few hundred, of 64 KB each
MAX_EXIF_SEGMENTS = 100  # one is usual; Pillow copies all earlier ones for each
MAX_FILL_BYTES = 1 << 16  # between the segments of the header, which Pillow reads byte by byte

# Within compressed data 0xFF is followed by zero, and restart markers are a part of them; any number of 0xFF may
# stand before a marker.
_MARKER_PATTERN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_WITHOUT_LENGTH = frozenset({*range(0x01, 0xC0), 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})
_FIRST_READ, _LARGEST_READ = 1 << 8, 1 << 20


class Segment(NamedTuple):
    """start: the place of its 0xFF. end: that after its parameters; compressed data follow those of a scan."""

    marker: int
    start: int
    end: int


def read_segments(file: BinaryIO) -> Iterator[Segment]:
    """Yield all segments until the picture ends, or the file does. An end before the first scan is passed over, as
    Pillow does."""
    position, scanned = 0, False
    while found := _find_marker(file, position):
        start, marker = found
        position = start + 2 if marker in _WITHOUT_LENGTH else _end_of_segment(file, start)
        yield Segment(marker, start, position)
        scanned = scanned or marker == SOS
        if scanned and marker == EOI:
            return


def check_jpeg(file: BinaryIO) -> None:
    """Raise ValueError for more scans, segments or filling than any camera or program writes."""
    scans = segments = exif_segments = header_end = fill_bytes = 0
    for segment in read_segments(file):
        if not scans:
            fill_bytes += segment.start - header_end
            header_end = segment.end
        scans += segment.marker == SOS
        segments += segment.marker != SOS
        exif_segments += segment.marker == APP1 and read_payload(file, segment, len(EXIF_HEAD)) == EXIF_HEAD
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise ValueError(f"a JPEG of more than {MAX_SCANS} scans or {MAX_SEGMENTS} segments")
        if exif_segments > MAX_EXIF_SEGMENTS or fill_bytes > MAX_FILL_BYTES:
            raise ValueError(f"a JPEG of more than {MAX_EXIF_SEGMENTS} EXIF segments or {MAX_FILL_BYTES} bytes of fill")


def read_payload(file: BinaryIO, segment: Segment, count: int) -> bytes:
    """Return the first `count` bytes of a segment's parameters, or fewer."""
    file.seek(segment.start + 4)
    return file.read(max(0, min(count, segment.end - segment.start - 4)))


def _find_marker(file: BinaryIO, position: int) -> tuple[int, int] | None:
    """Return place and number of the next marker."""
    size = _FIRST_READ  # grows, as most segments follow one another at once
    file.seek(position)
    while len(data := file.read(size)) > 1:
        if match := _MARKER_PATTERN.search(data):
            return position + match.start(), data[match.start() + 1]
        position += len(data) - data.endswith(b"\xff")
        file.seek(position)
        size = min(16 * size, _LARGEST_READ)
    return None


def _end_of_segment(file: BinaryIO, start: int) -> int:
    """Return where its stated length ends; one that is too short for itself is taken as libjpeg and Pillow take it."""
    file.seek(start + 2)
    return start + 2 + max(2, int.from_bytes(file.read(2)))
