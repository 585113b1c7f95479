"""PNGs of very many chunks are refused before Pillow sees them; bombs of text are Pillow's to refuse."""

from __future__ import annotations

import io
import zlib

import pytest

from model.errors import BrokenImage
from model.imaging.image_files import peek_size, read
from model.imaging.png_chunks import MAX_DATA_CHUNKS, MAX_OTHER_CHUNKS, read_chunks
from tests.support.hostile_images import MANY, png_chunk, png_with
from tests.support.images import quarters, saved

MEGABYTE = zlib.compress(bytes(1_000_000), 9)
HOSTILE = {
    "private chunks": lambda: png_with(png_chunk(b"abCd") * (MANY // 12)),
    "profiles": lambda: png_with(png_chunk(b"iCCP", b"k\0\0" + MEGABYTE) * (MANY // len(MEGABYTE))),
    "profiles at the end": lambda: png_with(
        png_chunk(b"iCCP", b"k\0\0" + MEGABYTE) * (MANY // len(MEGABYTE)), at_the_end=True
    ),
    "one chunk too many": lambda: png_with(png_chunk(b"abCd") * (MAX_OTHER_CHUNKS - 1)),
    "empty pixels": lambda: png_with(png_chunk(b"IDAT") * (MAX_DATA_CHUNKS + 1), at_the_end=True),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str) -> None:
    data = HOSTILE[name]()
    with pytest.raises(BrokenImage, match="damaged or incomplete"):
        peek_size(data)


def test_a_bomb_of_text_is_refused() -> None:
    data = png_with(png_chunk(b"zTXt", b"k\0\0" + MEGABYTE) * (MAX_OTHER_CHUNKS - 9))
    with pytest.raises(BrokenImage, match="damaged or incomplete"):
        read(data)


def test_many_chunks_are_read() -> None:
    assert read(png_with(png_chunk(b"tEXt", b"k\0v") * (MAX_OTHER_CHUNKS - 9))).rgb.shape == (64, 64, 3)
    assert read(png_with(png_chunk(b"IDAT") * 10_000, at_the_end=True)).rgb.shape == (64, 64, 3)


def test_chunks_of_files_cut_anywhere() -> None:
    data = saved(quarters(8), "PNG", dpi=(300, 300))
    names = [chunk.name for chunk in read_chunks(io.BytesIO(data))]
    assert names == [b"IHDR", b"pHYs", b"IDAT", b"IEND"]
    for length in range(len(data)):
        cut = [chunk.name for chunk in read_chunks(io.BytesIO(data[:length]))]
        assert cut == names[: len(cut)]
