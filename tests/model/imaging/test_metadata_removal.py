"""What is taken out of picture files, and what stays: pixels to the bit, orientation, profile and resolution."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from model.errors import BrokenImage, UnsupportedImage
from model.imaging import image_files
from model.imaging.image_files import encode, read
from model.imaging.metadata_removal import remove_metadata
from tests.support.hostile_images import gif_with, jpeg_of_scans, jpeg_segment, jpeg_with, png_chunk, png_with
from tests.support.images import PHOTO, photo_with_secrets, quarters, saved, swapped_profile

SECRET = b"SECRET"
XMP = b"<x:xmpmeta>SECRET place</x:xmpmeta>"


def secret_exif(orientation: int = 6, dpi: float = 240) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8298] = orientation, "SECRET camera", "SECRET owner"
    exif[0x011A], exif[0x011B], exif[0x0128] = dpi, dpi, 2
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[29] = "N", "SECRET day"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0SECRET comment"
    return exif


def secret_file(format: str, **options: Any) -> bytes:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8))
    return saved(noise, format, exif=secret_exif(), xmp=XMP, icc_profile=swapped_profile(), **options)


FORMATS = {"JPEG": {}, "PNG": {}, "WEBP": {"lossless": True}, "AVIF": {}, "HEIF": {}}


@pytest.mark.parametrize("format", FORMATS)
def test_only_what_shows_the_picture_stays(format: str) -> None:
    data = secret_file(format, **FORMATS[format])
    assert SECRET in data
    removed = remove_metadata(data)
    assert SECRET not in removed
    before, after = read(data), read(removed)
    assert (after.rgb == before.rgb).all()
    assert after.dpi == before.dpi
    assert remove_metadata(removed) == removed


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation_and_resolution_stay(format: str) -> None:
    picture = read(remove_metadata(secret_file(format)))
    assert picture.rgb.shape == (60, 40, 3)
    assert picture.dpi == (240, 240)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_that_only_xmp_has_stays(format: str) -> None:
    xmp = b'<x:xmpmeta><a tiff:Orientation="8">SECRET</a></x:xmpmeta>'
    data = saved(quarters().resize((64, 32)), format, **({} if format == "PNG" else {"xmp": xmp}))
    if format == "PNG":
        data = png_with(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert (read(removed).rgb == read(data).rgb).all()
    assert image_files.display_exif(removed) == image_files.display_exif(data) != b""


def test_of_a_camera_nothing_stays_but_its_resolution() -> None:
    data = photo_with_secrets()
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert read(removed).dpi == (240, 240)
    assert not Image.open(io.BytesIO(removed)).getexif().get_ifd(0x8825)


@pytest.mark.parametrize(
    "place",
    [
        lambda segment: jpeg_with(segment),
        lambda segment: saved(quarters(), "JPEG")[:-2] + segment + b"\xff\xd9",
        lambda segment: saved(quarters(), "JPEG") + segment,
        lambda segment: jpeg_of_scans(5).replace(b"\xff\xda", segment + b"\xff\xda"),
    ],
)
@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xE5, 0xEB, 0xED, 0xEE, 0xEF, 0xFE])
def test_a_segment_is_found_wherever_it_is(place: Any, marker: int) -> None:
    data = place(jpeg_segment(marker, b"SECRET segment"))
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert (read(removed).rgb == read(data).rgb).all()


def test_a_second_picture_and_what_fills_a_header_go() -> None:
    data = jpeg_with(jpeg_segment(0xE5, b"") + b"SECRET") + photo_with_secrets()
    assert SECRET not in remove_metadata(data)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_colours_of_every_mode_stay(mode: str) -> None:
    data = saved(quarters().convert(mode), "JPEG", comment=SECRET, progressive=True)
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert (read(removed).rgb == read(data).rgb).all()


@pytest.mark.parametrize("at_the_end", [False, True])
@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"caBX", b"prVt"])
def test_chunks_of_a_png(name: bytes, at_the_end: bool) -> None:
    removed = remove_metadata(png_with(png_chunk(name, b"k\0\0SECRET"), at_the_end=at_the_end))
    assert removed == saved(quarters(), "PNG")


def test_exif_behind_the_pixels_of_a_png_still_turns_it() -> None:
    data = png_with(png_chunk(b"eXIf", secret_exif(orientation=3).tobytes()[6:]), at_the_end=True)
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert (read(removed).rgb == read(data).rgb).all()
    assert (read(removed).rgb != read(saved(quarters(), "PNG")).rgb).any()


def test_what_a_png_shows_with_stays() -> None:
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET")
    data = saved(palette, "PNG", transparency=0, dpi=(300, 300), pnginfo=text)
    removed = remove_metadata(data)
    assert SECRET not in removed
    assert read(removed).dpi == (300, 300)
    assert (read(removed).alpha == read(data).alpha).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_stays_one(format: str) -> None:
    frames = [quarters(16), Image.new("RGB", (16, 16)), Image.new("RGB", (16, 16), "red")]
    data = saved(frames[0], format, save_all=True, append_images=frames[1:], duration=70, loop=3)
    before, after = (Image.open(io.BytesIO(file)) for file in (data, remove_metadata(data)))
    assert after.n_frames == 3
    for index in range(3):
        before.seek(index)
        after.seek(index)
        assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()
        assert after.info.get("duration") == before.info.get("duration")
    assert after.info["loop"] == before.info["loop"]


def test_comments_and_xmp_of_a_gif() -> None:
    data = gif_with(b"!\xfe\x06SECRET\0!\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\0")
    removed = remove_metadata(data + b"SECRET")
    assert SECRET not in removed
    assert (read(removed).rgb == read(data).rgb).all()


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_what_has_none_stays_as_it_is(format: Any) -> None:
    plain = encode(read(PHOTO, limit=64), format)
    assert remove_metadata(plain) == plain


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_a_recipe_goes_as_well(format: Any) -> None:
    picture = read(PHOTO, limit=64)
    assert remove_metadata(encode(picture, format, recipe={"method": "magenta"})) == encode(picture, format)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"\0\0\0\x20ftypmp42" + bytes(40)])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="mask: "):
        remove_metadata(data, "mask")


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_anywhere_raises_nothing_else(format: str) -> None:
    data = secret_file(format, **FORMATS[format])
    for length in range(0, len(data), 97):
        try:
            remove_metadata(data[:length])
        except (BrokenImage, UnsupportedImage):
            continue
