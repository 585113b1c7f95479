"""GIFs of very many blocks before their first frame are refused before Pillow sees them."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from model.errors import BrokenImage
from model.imaging.gif_blocks import APPLICATION, MAX_HEAD_PIECES, header_length, read_blocks
from model.imaging.image_files import peek_size, read
from tests.support.hostile_images import MANY, gif_with
from tests.support.images import quarters, saved

HOSTILE = {
    "a comment in pieces": lambda: gif_with(b"!\xfe" + b"\x01a" * (MANY // 2) + b"\0"),
    "comments": lambda: gif_with(b"!\xfe\x01a\0" * (MANY // 5)),
    "extensions": lambda: gif_with(b"!\xff\x01a\0" * (MANY // 5)),
    "nothing": lambda: gif_with(b"x" * MANY),
    "extensions that hide a frame": lambda: gif_with(b"!\xf9\0\x01,\0" + b"!\xff\x01a\0" * (MANY // 5)),
    "a loop that hides a frame": lambda: gif_with(b"!\xff\x0bNETSCAPE2.0\0\x01,\0" + b"!\xff\x01a\0" * (MANY // 5)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once(name: str) -> None:
    data = HOSTILE[name]()
    started = time.process_time()
    for look in (read, peek_size):
        with pytest.raises(BrokenImage, match="damaged or incomplete"):
            look(data)
    assert time.process_time() - started < 2


def test_many_pieces_are_read() -> None:
    data = gif_with(b"!\xfe" + b"\x01a" * (MAX_HEAD_PIECES - 9) + b"\0")
    assert read(data).rgb.shape == (64, 64, 3)


def test_of_many_frames_only_the_first_is_looked_at() -> None:
    data = saved(quarters(8), "GIF")
    frame = data[header_length(io.BytesIO(data)) : -1]
    started = time.process_time()
    assert read(data[:-1] + frame * 50_000 + b";").rgb.shape == (8, 8, 3)
    assert time.process_time() - started < 1


def test_blocks_of_an_animation() -> None:
    frames = [quarters(8), Image.new("RGB", (8, 8))]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0)
    blocks = list(read_blocks(io.BytesIO(data)))
    assert sum(block.is_frame for block in blocks) == 2
    assert [block.name for block in blocks if block.label == APPLICATION] == [b"NETSCAPE2.0"]
    for length in range(len(data)):
        cut = list(read_blocks(io.BytesIO(data[:length])))
        assert len(cut) <= len(blocks)
