"""WebPs of very many chunks are refused before Pillow sees them."""

from __future__ import annotations

import io

import pytest

from model.errors import BrokenImage
from model.imaging.image_files import peek_size, read
from model.imaging.riff_chunks import MAX_CHUNKS, read_riff_chunks
from tests.support.hostile_images import MANY, webp_with


def test_a_hostile_file_is_refused() -> None:
    data = webp_with(b"JUNK\0\0\0\0" * (MANY // 8))
    for look in (read, peek_size):
        with pytest.raises(BrokenImage, match="damaged or incomplete"):
            look(data)


def test_many_chunks_are_read() -> None:
    assert read(webp_with(b"JUNK\0\0\0\0" * (MAX_CHUNKS - 9))).rgb.shape == (8, 8, 3)


def test_chunks_end_where_the_header_says() -> None:
    data = webp_with(b"")
    names = [chunk.name for chunk in read_riff_chunks(io.BytesIO(data + b"JUNK\0\0\0\0"))]
    assert (names[0], names[-1]) == (b"VP8X", b"EXIF")
    for length in range(12, len(data)):
        cut = [chunk.name for chunk in read_riff_chunks(io.BytesIO(data[:length]))]
        assert cut == names[: len(cut)]
