"""Where EXIF and XMP are in files that are made of boxes."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest

from model.imaging.bmff_items import metadata_extents
from tests.support.images import quarters, saved

EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + name + data


def meta(infe: bytes, iloc: bytes, *more: bytes) -> bytes:
    items = box(b"iinf", bytes(4) + b"\0\1" + box(b"infe", infe))
    return box(b"ftyp", b"avif") + box(b"meta", b"".join([bytes(4), items, box(b"iloc", iloc), *more]))


EXIF_ITEM = b"\2\0\0\0" + b"\0\7" + b"\0\0" + b"Exif\0"


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_those_of_a_file(format: str) -> None:
    data = saved(quarters(), format, exif=EXIF, xmp=b"<x>here</x>")
    held = {extent.type: data[extent.start : extent.end] for extent in metadata_extents(data)}
    assert held.keys() == {b"Exif", b"mime"}
    assert b"MM\0*" in held[b"Exif"]
    assert held[b"mime"] == b"<x>here</x>"
    assert metadata_extents(saved(quarters(), format)) == []


def test_those_that_are_among_the_boxes() -> None:
    location = b"\1\0\0\0" + b"\x44\0" + b"\0\1" + b"\0\7" + b"\0\1" + b"\0\0" + b"\0\1" + struct.pack(">2I", 2, 4)
    data = meta(EXIF_ITEM, location, box(b"idat", b"..here.."))
    [extent] = metadata_extents(data)
    assert data[extent.start : extent.end] == b"here"


def test_locations_without_end_are_refused_at_once() -> None:
    item = b"\0\0" + b"\0\0" + b"\0\0" + b"\xff\xff"  # 65,535 parts of no bytes
    location = b"\1\0\0\0" + b"\0\0" + b"\xff\xff" + item * 65_535
    started = time.process_time()
    assert metadata_extents(meta(EXIF_ITEM, location)) == []
    with pytest.raises(ValueError, match="parts"):
        metadata_extents(meta(EXIF_ITEM, location.replace(item, b"\0\7" + item[2:])))
    assert time.process_time() - started < 2


def test_any_bytes_raise_nothing_else() -> None:
    rng, data = np.random.default_rng(2), bytearray(saved(quarters(), "AVIF", exif=EXIF))
    for _ in range(500):
        damaged = data.copy()
        damaged[rng.integers(len(data))] = rng.integers(256)
        try:
            metadata_extents(bytes(damaged))
        except (ValueError, IndexError):
            continue
