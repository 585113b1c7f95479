"""JPEGs that cost far more than their size are refused before Pillow sees them; what cameras write is read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import BrokenImage, NoRecipe
from model.imaging import image_files
from model.imaging.image_files import peek_size, read
from model.imaging.jpeg_segments import (
    EOI,
    MAX_EXIF_SEGMENTS,
    MAX_FILL_BYTES,
    MAX_SCANS,
    MAX_SEGMENTS,
    SOI,
    SOS,
    check_jpeg,
    read_segments,
)
from model.pipelines import recipes
from tests.support.hostile_images import MANY, jpeg_of_scans, jpeg_segment, jpeg_with
from tests.support.images import PHOTO, quarters, saved

EMPTY = jpeg_segment(0xE5, b"")
HOSTILE = {
    "scans": lambda: jpeg_of_scans(5000),
    "one scan too many": lambda: jpeg_of_scans(MAX_SCANS + 1),
    "segments": lambda: jpeg_with(EMPTY * (MANY // 4)),
    "segments behind an early end": lambda: jpeg_with(b"\xff\xd9" + EMPTY * (MANY // 4)),
    "segments of a length too short": lambda: jpeg_with(b"\xff\xe5\0\0" * (MAX_SEGMENTS + 1)),
    "comments": lambda: jpeg_with(jpeg_segment(0xFE, b"") * (MAX_SEGMENTS + 1)),
    "EXIF": lambda: jpeg_with(jpeg_segment(0xE1, b"Exif\0\0" + bytes(6000)) * (MANY // 6010)),
    "fill": lambda: jpeg_with(b"\xff" * (MANY // 10)),
    "zeros for fill": lambda: jpeg_with(EMPTY + bytes(MAX_FILL_BYTES + 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = HOSTILE[name]()
    Image.init()
    monkeypatch.setitem(Image.OPEN, "JPEG", (lambda *_: pytest.fail("opened"), Image.OPEN["JPEG"][1]))
    for look in (read, peek_size, image_files.has_alpha, image_files.display_exif):
        with pytest.raises(BrokenImage, match=r"this picture is damaged or incomplete\. Save it again"):
            look(data)
    with pytest.raises(NoRecipe, match="damaged or incomplete"):
        recipes.extract(data)


def test_a_hostile_path_is_refused_as_well(tmp_path: Path) -> None:
    path = tmp_path / "scans.jpg"
    path.write_bytes(jpeg_of_scans(MAX_SCANS + 1))
    with pytest.raises(BrokenImage, match="content: this picture is damaged"):
        read(path)


def test_as_many_as_are_allowed_are_read() -> None:
    assert read(jpeg_of_scans(MAX_SCANS)).rgb.shape == (64, 64, 3)
    for head in (
        EMPTY * (MAX_SEGMENTS - 100),
        jpeg_segment(0xE1, b"Exif\0\0" + bytes(64)) * MAX_EXIF_SEGMENTS,
        b"\xff" * MAX_FILL_BYTES,
    ):
        assert read(jpeg_with(head)).rgb.shape == (64, 64, 3)


def test_the_largest_profile_is_read() -> None:
    chunks = [b"ICC_PROFILE\0" + bytes([number, 255]) + bytes(65_000) for number in range(1, 256)]
    extended_xmp = jpeg_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000)) * 300
    assert read(jpeg_with(b"".join(jpeg_segment(0xE2, chunk) for chunk in chunks) + extended_xmp), limit=8)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"quality": 100}])
def test_segments_of_a_good_file(options: dict[str, int]) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8))
    data = saved(noise, "JPEG", **options)
    segments = list(read_segments(io.BytesIO(data)))
    assert (segments[0].marker, segments[-1].marker, segments[-1].end) == (SOI, EOI, len(data))
    scans = sum(segment.marker == SOS for segment in segments)
    assert scans > 5 if "progressive" in options else scans == 1
    assert all(data[segment.start] == 0xFF and data[segment.start + 1] == segment.marker for segment in segments)


def test_what_follows_the_end_is_not_looked_at() -> None:
    assert list(read_segments(io.BytesIO(saved(quarters(), "JPEG") + EMPTY * 9)))[-1].marker == EOI


def test_a_file_cut_anywhere_ends_the_scan() -> None:
    data = jpeg_of_scans(3)
    for length in range(len(data)):
        check_jpeg(io.BytesIO(data[:length]))


def test_any_bytes_end_the_scan() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        check_jpeg(io.BytesIO(b"\xff\xd8\xff" + rng.choice([0, 0xFF, 0xD0, 0xD9, 0xDA], 90).astype(np.uint8).tobytes()))


@pytest.mark.parametrize("filling", [b"\xff\0", b"\xff", b"\xff\xd0", b"\0", b"\x7f\xff\0"])
def test_whatever_is_in_it_a_long_scan_is_one_scan(filling: bytes) -> None:
    data = PHOTO.read_bytes()
    scan = data.index(b"\xff\xda")
    file = io.BytesIO(data[: scan + 20] + filling * (MANY // len(filling)) + b"\xff\xd9")
    check_jpeg(file)
