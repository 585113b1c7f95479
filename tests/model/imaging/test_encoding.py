"""Encoding pictures into files of every format."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.errors import ImageTooLarge
from model.imaging import image_files, pixel_ops
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.image_files import encode, read, read_eight_bit
from model.imaging.pixel_ops import Picture
from tests.support.images import PHOTO, levels, quarters, saved


def noise(alpha: bool = False) -> Picture:
    random = np.random.default_rng(1)
    return Picture(random.random((20, 30, 3), np.float32), random.random((20, 30), np.float32) if alpha else None)


def test_png_loses_less_than_half_a_level() -> None:
    picture = noise(alpha=True)
    again = read(encode(picture))
    assert picture.alpha is not None
    assert again.alpha is not None
    assert np.abs(again.rgb - picture.rgb).max() <= 0.5001 / 255
    assert np.abs(again.alpha - picture.alpha).max() <= 0.5001 / 255


def test_values_outside_are_clipped() -> None:
    assert levels(read(encode(Picture(np.array([[[-1, 0.5, 2]]], np.float32)))))[0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(("format", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP"), ("tiff", "TIFF")])
def test_formats_written(format: Any, name: str) -> None:
    flat = Picture(np.full((16, 16, 3), 0.6, np.float32))
    image = Image.open(io.BytesIO(encode(flat, format)))
    assert image.format == name
    np.testing.assert_allclose(np.asarray(image.convert("RGB")), 153, atol=2)
    assert encode(flat, format) == encode(flat, format)


@pytest.mark.parametrize(("format", "most"), [("png", 1.08), ("webp", 1.02)])
def test_what_is_quickly_written_is_hardly_larger(format: Any, most: float) -> None:
    picture = read_eight_bit(PHOTO)
    default = saved(Image.fromarray(picture.rgb), format, quality=92, icc_profile=image_files.srgb_profile())
    assert len(encode(picture, format)) < most * len(default)


def test_tiff_loses_less_than_half_a_level() -> None:
    picture = noise(alpha=True)
    with Image.open(io.BytesIO(encode(picture, "tiff"))) as image:
        assert image.info["compression"] == "tiff_adobe_deflate"
        again = read(image)
    assert again.alpha is not None
    assert np.abs(again.rgb - picture.rgb).max() <= 0.5001 / 255


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_bytes_are_encoded_as_floats_are(format: Any) -> None:
    picture = noise(alpha=format != "jpeg")
    assert encode(pixel_ops.to_eight_bit(picture), format) == encode(picture, format)


def test_every_file_has_the_srgb_profile() -> None:
    for format in OUTPUT_FORMATS:
        with Image.open(io.BytesIO(encode(noise(), format))) as image:
            assert image.info["icc_profile"] == image_files.srgb_profile()


def test_alpha_in_webp_and_jpeg() -> None:
    half = Picture(np.zeros((16, 16, 3), np.float32), np.full((16, 16), 0.5, np.float32))
    webp = read(encode(half, "webp"))
    assert webp.alpha is not None
    np.testing.assert_allclose(webp.alpha, 128 / 255)
    jpeg = read(encode(half, "jpeg"))
    assert jpeg.alpha is None
    np.testing.assert_allclose(jpeg.rgb, 0.5, atol=0.01)


def test_hidden_pixels_turn_white_in_jpeg() -> None:
    hidden = Picture(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.float32))
    assert levels(read(encode(hidden, "jpeg"))).min() >= 254


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_quality_counts(format: Any) -> None:
    assert len(encode(noise(), format, 20)) < len(encode(noise(), format, 95))


@pytest.mark.parametrize(("format", "longest"), [("webp", 16_383), ("jpeg", 65_500)])
def test_longest_side_of_a_format(format: Any, longest: int) -> None:
    with pytest.raises(ImageTooLarge, match=str(longest)) as raised:
        encode(Picture(np.zeros((1, longest + 1, 3), np.float32)), format)
    assert raised.value.field == "format"
    assert encode(Picture(np.zeros((1, longest, 3), np.float32)), format)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_no_metadata_survives(format: Any) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    data = saved(quarters(), "JPEG", exif=exif, comment=b"SECRET note", xmp=b"<x>SECRET</x>")
    assert data.count(b"SECRET") == 3
    result = encode(read(data), format)
    again = Image.open(io.BytesIO(result))
    assert b"SECRET" not in result
    assert format == "tiff" or dict(again.getexif()) == {}  # TIFF keeps its own size there
    assert not {0x010F, 0x8825, 700} & set(again.getexif())
    assert not {"exif", "xmp", "comment", "Software"} & set(again.info)
    assert len(again.info["icc_profile"]) < 1000
