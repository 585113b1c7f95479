"""What a file says of its picture: orientation, colour profile and resolution."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from model.imaging import image_files
from model.imaging.image_files import encode, read, read_eight_bit
from model.imaging.pixel_ops import Picture
from tests.support.images import BLUE, GREEN, RED, STORED, WHITE, corners, levels, quarters, saved, swapped_profile


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("tag", STORED)
def test_orientation(tag: int, format: str) -> None:
    upright = np.asarray(quarters().resize((64, 32)))
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(Image.fromarray(np.ascontiguousarray(STORED[tag](upright))), format, exif=exif)
    for options in ({}, {"limit": 16}, {"long_side": 100}):
        picture = read(data, **options)
        assert corners(picture) == [RED, GREEN, BLUE, WHITE]
        assert picture.rgb.shape[1] == 2 * picture.rgb.shape[0]
    assert corners(read(Image.open(io.BytesIO(data)))) == [RED, GREEN, BLUE, WHITE]


def test_alpha_turns_with_its_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    rgba = np.full((1, 2, 4), 255, np.uint8)
    rgba[0, 0, 3] = 0
    picture = read(saved(Image.fromarray(rgba), "PNG", exif=exif))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0], [1]]


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_broken_exif_breaks_nothing(exif: bytes) -> None:
    assert corners(read(saved(quarters(), "JPEG", exif=exif))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_embedded_profile_is_followed(format: str) -> None:
    image = Image.new("RGB", (16, 16), RED)
    picture = read(saved(image, format, icc_profile=swapped_profile()))
    np.testing.assert_allclose(levels(picture)[8, 8], BLUE, atol=6)


def test_a_profile_leaves_alpha_alone() -> None:
    image = Image.new("RGBA", (2, 2), (*RED, 77))
    picture = read(saved(image, "PNG", icc_profile=swapped_profile()))
    np.testing.assert_allclose(levels(picture)[0, 0], BLUE, atol=2)
    assert picture.alpha is not None
    np.testing.assert_allclose(picture.alpha, 77 / 255)


def test_srgb_profile_changes_nothing() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    np.testing.assert_allclose(levels(read(saved(Image.fromarray(ramp), "PNG", icc_profile=profile))), ramp, atol=1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_srgb_under_another_name_is_not_converted(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    apply = ImageCms.ImageCmsTransform.apply
    monkeypatch.setattr(
        ImageCms.ImageCmsTransform, "apply", lambda self, image: sizes.append(image.size) or apply(self, image)
    )
    pixels = np.random.default_rng(4).integers(0, 256, (40, 50, len(mode)), np.uint8)
    renamed = image_files.srgb_profile().replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    assert renamed != image_files.srgb_profile()
    assert (
        read_eight_bit(saved(Image.fromarray(pixels), "PNG", icc_profile=renamed)).rgb.tolist()
        == pixels[..., :3].tolist()
    )
    assert (50, 40) not in sizes
    read_eight_bit(saved(Image.fromarray(pixels), "PNG", icc_profile=swapped_profile()))
    assert (50, 40) in sizes


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("profile", [b"nonsense", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_broken_or_unfit_profile_is_ignored(mode: str, profile: bytes) -> None:
    image = Image.new("RGB", (16, 16), (90, 90, 90)).convert(mode)
    picture = read(saved(image, "JPEG", quality=100, icc_profile=profile))
    np.testing.assert_allclose(levels(picture)[8, 8], 90, atol=3)


def with_resolution(x: float, y: float, unit: int = 2) -> Image.Exif:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = x, y, unit
    return exif


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_resolution_is_read(format: str) -> None:
    stored = {"exif": with_resolution(300, 150)} if format == "WEBP" else {"dpi": (300, 150)}
    data = saved(quarters(), format, **stored)
    assert read(data).dpi == read_eight_bit(data).dpi == (300.0, 150.0)
    assert read(saved(quarters(), format)).dpi is None


def test_resolution_in_exif_alone() -> None:
    assert read(saved(quarters(), "JPEG", exif=with_resolution(240, 240))).dpi == (240.0, 240.0)
    assert read(saved(quarters(), "JPEG", exif=with_resolution(100, 100, unit=3))).dpi == (254.0, 254.0)
    assert read(saved(quarters(), "JPEG", exif=with_resolution(1, 1, unit=1))).dpi is None


def test_resolution_that_pillow_makes_up_is_none() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    data = saved(quarters(), "JPEG", exif=exif)
    assert Image.open(io.BytesIO(data)).info["dpi"] == (72, 72)
    assert read(data).dpi is None


@pytest.mark.parametrize("dpi", [(1, 1), (60_000, 60_000), (300, 0)])
def test_resolution_of_no_printer_is_none(dpi: tuple[int, int]) -> None:
    assert read(saved(quarters(), "PNG", dpi=dpi)).dpi is None


def test_resolution_turns_with_its_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(saved(quarters(), "PNG", exif=exif, dpi=(300, 150))).dpi == (150.0, 300.0)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_resolution_is_written(format: Any) -> None:
    flat = np.full((16, 16, 3), 0.6, np.float32)
    data = encode(Picture(flat, dpi=(300.0, 150.0)), format, recipe={"method": "magenta", "styles": []})
    with Image.open(io.BytesIO(data)) as image:
        assert image_files._read_dpi(image) == (300.0, 150.0)
    with Image.open(io.BytesIO(encode(Picture(flat, dpi=(300.0, 300.0)), format))) as image:
        assert image_files._read_dpi(image) == (300.0, 300.0)
