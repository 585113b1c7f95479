"""Reading pictures of every kind, by their content: sources, limits, modes and sizes."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.errors import BrokenImage, ImageError, ImageTooLarge, InvalidOption, UnsupportedImage
from model.imaging import image_files
from model.imaging.image_files import read, read_eight_bit
from tests.support.images import BLUE, GREEN, RED, STORED, WHITE, corners, levels, png, quarters, saved, swapped_profile


def test_every_source_gives_the_same_picture(tmp_path: Path) -> None:
    image = quarters()
    data = saved(image, "PNG")
    path = tmp_path / "photo.bin"
    path.write_bytes(data)
    array = np.asarray(image)
    sources = (path, str(path), data, bytearray(data), io.BytesIO(data), image, array, array[None], array / 255)
    for source in sources:
        picture = read(source)
        np.testing.assert_allclose(picture.rgb, array / np.float32(255), atol=1e-6)
        assert picture.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4), (1, 2, 3, 4), (1, 1)])
def test_arrays_of_every_shape_and_kind(dtype: type, shape: tuple[int, ...]) -> None:
    top = 1 if dtype in (np.float16, np.float32, np.float64) else np.iinfo(dtype).max
    picture = read(np.full(shape, top // 5 if top > 1 else 0.2).astype(dtype))
    height, width = shape[:2] if len(shape) < 4 else shape[1:3]
    assert picture.rgb.shape == (height, width, 3)
    np.testing.assert_allclose(picture.rgb, 0.2, atol=1e-3)
    assert (picture.alpha is not None) == (shape[-1] == 4)


def test_a_picture_shares_no_memory_with_its_array() -> None:
    array = np.full((2, 2, 3), 0.5, np.float32)
    read(array).rgb[:] = 0
    assert array.min() == 0.5


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4), bool),
        np.full((4, 4, 3), 1.5),
        np.full((4, 4, 3), -0.1),
        np.full((4, 4, 3), np.nan),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros(4),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray) -> None:
    with pytest.raises(UnsupportedImage, match=r"^style: ") as raised:
        read(array, field="style")
    assert raised.value.field == "style"


@pytest.mark.parametrize("source", [None, 7, "", "nowhere.png", "a\0b", ".", io.StringIO("text"), b"", b"%PDF-1.7"])
def test_sources_that_are_no_picture(source: Any) -> None:
    with pytest.raises(UnsupportedImage, match=r"^content: .+\.$") as raised:
        read(source)
    assert raised.value.field == "content"
    assert "PIL." not in str(raised.value)
    assert "BytesIO" not in str(raised.value)


@pytest.mark.parametrize("format", ["BMP", "TIFF", "PPM", "ICO", "TGA"])
def test_formats_that_are_not_read(format: str) -> None:
    with pytest.raises(UnsupportedImage, match="Use JPEG, PNG, WebP, GIF, AVIF or HEIC"):
        read(saved(quarters(), format))


def test_what_can_be_used_instead_is_what_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "_readable_formats", lambda: ["JPEG", "PNG", "WEBP", "GIF"])
    with pytest.raises(UnsupportedImage, match=r"Use JPEG, PNG, WebP or GIF\."):
        read(b"no picture")


def test_a_file_cut_short_is_broken() -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        data = saved(Image.effect_noise((64, 64), 80).convert("RGB"), format)
        with pytest.raises(ImageError, match="content: "):
            read(data[: len(data) // 2])
    with pytest.raises(BrokenImage, match="damaged or incomplete"):
        read(saved(quarters(), "JPEG")[:-200])


def test_too_many_bytes_are_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(image_files, "MAX_BYTES", 1000)
    path = tmp_path / "large"
    path.write_bytes(bytes(5000))
    file = io.BytesIO(bytes(5000))
    for source in (file, bytes(1001), path):
        with pytest.raises(ImageTooLarge, match="MB"):
            read(source)
    assert file.tell() == 1001
    with pytest.raises(UnsupportedImage):
        read(bytes(1000))


def test_too_many_pixels_are_refused_from_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(20_000, 10_001, 8, 2, b"")
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    for file in (data, png(65_000, 65_000, 8, 2, b"")):
        for refusing in (read, read_eight_bit, image_files.peek_size):
            with pytest.raises(ImageTooLarge, match="200 million pixels"):
                refusing(file)
    with pytest.raises(ImageTooLarge):
        read(np.broadcast_to(np.uint8(0), (14_200, 14_200)))


def test_a_server_has_smaller_limits_and_names_them(tmp_path: Path) -> None:
    data = png(10, 11, 8, 2, bytes(30))
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    for refusing in (read, image_files.peek_size):
        for source in (data, path):
            with pytest.raises(ImageTooLarge, match=r"content: .* 0\.0001 million pixels"):
                refusing(source, most_pixels=100)
            assert refusing(source, most_pixels=110, most_bytes=len(data))
    for refusing in (read, image_files.peek_size, image_files.read_bytes):
        for source in (data, path, io.BytesIO(data)):
            with pytest.raises(ImageTooLarge, match=r"content: .* 5e-05 MB"):
                refusing(source, most_bytes=50)


def test_more_pixels_than_pillow_allows_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read(saved(quarters(), "PNG")).rgb.shape == (64, 64, 3)
    assert read(saved(quarters(), "JPEG"), limit=8).rgb.shape == (8, 8, 3)


def test_only_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    for format, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("MPO", {"quality": 95})):
        data = saved(frames[0], format, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_allclose(read(data).rgb[4, 4], [1, 0, 0], atol=0.02)


def test_the_process_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    read(saved(quarters(), "JPEG"))
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (1, 1), (10, 20, 30)), (10, 20, 30)),
        (Image.new("L", (1, 1), 70), (70, 70, 70)),
        (Image.new("1", (1, 1), 1), (255, 255, 255)),
        (Image.new("I;16", (1, 1), 200 * 257), (200, 200, 200)),
        (Image.new("RGB", (1, 1), (10, 20, 30)).quantize(4), (10, 20, 30)),
    ],
)
def test_opaque_modes(image: Image.Image, expected: tuple[int, ...]) -> None:
    for source in (image, saved(image, "PNG")):
        picture = read(source)
        assert tuple(levels(picture)[0, 0]) == expected
        assert picture.alpha is None


@pytest.mark.parametrize("image", [Image.new("I", (1, 1), 200 * 257), Image.new("L", (1, 1), 200).convert("I")])
def test_whole_numbers_of_16_or_8_bits(image: Image.Image) -> None:
    assert tuple(levels(read(image))[0, 0]) == (200, 200, 200)


@pytest.mark.parametrize(
    ("image", "expected", "alpha"),
    [
        (Image.new("RGBA", (1, 1), (10, 20, 30, 40)), (10, 20, 30), 40),
        (Image.new("LA", (1, 1), (70, 128)), (70, 70, 70), 128),
    ],
)
def test_modes_with_alpha(image: Image.Image, expected: tuple[int, ...], alpha: int) -> None:
    for source in (image, saved(image, "PNG"), saved(image.convert("RGBA"), "WEBP", lossless=True)):
        picture = read(source)
        assert tuple(levels(picture)[0, 0]) == expected
        assert picture.alpha is not None
        assert picture.alpha.shape == (1, 1)
        assert picture.alpha.dtype == np.float32
        assert round(float(picture.alpha[0, 0]) * 255) == alpha


def test_an_opaque_alpha_channel_is_none() -> None:
    assert read(quarters().convert("RGBA")).alpha is None
    assert read(np.ones((4, 4, 4), np.float32)).alpha is None


def test_transparent_palette_entries() -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([*RED, *GREEN, *BLUE])
    for data in (saved(image, "PNG", transparency=b"\x80\x00\xff"), saved(image, "PNG", transparency=1)):
        picture = read(data)
        assert picture.alpha is not None
        assert [tuple(pixel) for pixel in levels(picture)[0]] == [RED, GREEN, BLUE]
        assert picture.alpha[0, 1] == 0
        assert picture.alpha[0, 2] == 1
    gif = read(saved(image, "GIF", transparency=2))
    assert gif.alpha is not None
    assert gif.alpha.tolist() == [[1, 1, 0]]


@pytest.mark.parametrize(
    ("depth", "kind", "pixels", "clear"),
    [
        (8, 0, bytes([50, 60]), struct.pack(">H", 50)),
        (8, 2, bytes([1, 2, 3, 4, 5, 6]), struct.pack(">3H", 1, 2, 3)),
        (16, 0, struct.pack(">2H", 300, 301), struct.pack(">H", 300)),
    ],
)
def test_one_colour_of_a_png_declared_clear(depth: int, kind: int, pixels: bytes, clear: bytes) -> None:
    picture = read(png(2, 1, depth, kind, pixels, (b"tRNS", clear)))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0, 1]]


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.arange(0, 65536, 257, np.uint16)[None]
    expected = np.arange(256)[None, :, None].repeat(3, 2)
    for source in (saved(Image.fromarray(ramp), "PNG"), ramp, Image.fromarray(ramp.astype(np.int32))):
        np.testing.assert_array_equal(levels(read(source)), expected)
    colour = png(1, 1, 16, 2, struct.pack(">3H", 65535, 128 * 257, 0))
    assert levels(read(colour))[0, 0].tolist() == [255, 128, 0]


def test_floats_of_pillow_are_taken_as_0_to_1() -> None:
    image = Image.fromarray(np.full((2, 2), 0.25, np.float32))
    assert read(image).rgb[0, 0].tolist() == [0.25] * 3
    with pytest.raises(UnsupportedImage, match="from 0 to 1"):
        read(Image.fromarray(np.full((2, 2), 90, np.float32)))


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, WHITE, (0, 0, 0)])
def test_cmyk_is_not_inverted(colour: tuple[int, ...]) -> None:
    image = Image.new("RGB", (16, 16), colour).convert("CMYK")
    data = saved(image, "JPEG", quality=100)
    assert b"Adobe" in data  # whose CMYK is stored inverted
    for source in (data, image):
        np.testing.assert_allclose(levels(read(source))[8, 8], colour, atol=4)


def test_avif_where_pillow_has_it() -> None:
    if "AVIF" not in image_files._readable_formats():
        pytest.skip("this Pillow is built without AVIF")
    assert corners(read(saved(quarters(), "AVIF", quality=90))) == [RED, GREEN, BLUE, WHITE]


def test_decode_gives_the_bytes_of_read() -> None:
    rgba = np.random.default_rng(2).integers(0, 256, (20, 30, 4), np.uint8)
    for source in (saved(Image.fromarray(rgba), "PNG"), rgba, rgba / np.float32(255), rgba.astype(np.uint16) * 257):
        pixels = read_eight_bit(source)
        assert pixels.rgb.dtype == np.uint8
        np.testing.assert_array_equal(pixels.rgb, rgba[..., :3])
        np.testing.assert_array_equal(pixels.alpha, rgba[..., 3])
    assert read_eight_bit(rgba[..., :3], limit=10).rgb.shape == (7, 10, 3)
    assert read_eight_bit(rgba[..., :3]).alpha is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("tag", STORED)
def test_strips_make_the_same_picture_as_the_whole(mode: str, tag: int, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (23, 17, 4), np.uint8)
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(noise).convert("RGB" if mode == "CMYK" else "RGBA").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(image, "JPEG" if mode == "CMYK" else "PNG", exif=exif, icc_profile=swapped_profile())
    whole = read_eight_bit(data)
    monkeypatch.setattr(image_files, "_STRIP_PIXELS", 40)
    strips = read_eight_bit(data)
    np.testing.assert_array_equal(strips.rgb, whole.rgb)
    assert (strips.alpha is None) == (whole.alpha is None)
    assert strips.alpha is None or np.array_equal(strips.alpha, whole.alpha)
    assert strips.rgb.shape == ((17, 23, 3) if tag > 4 else (23, 17, 3))


def test_little_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(image_files, "_to_plain_mode", none_left)
    with pytest.raises(ImageTooLarge, match="smaller"):
        read(saved(quarters(), "PNG"))


def test_a_target_tells_the_size() -> None:
    assert read(saved(quarters(), "PNG"), target=lambda width, height: (width // 2, height // 4)).rgb.shape[:2] == (
        16,
        32,
    )


def test_what_a_target_refuses_is_no_damage() -> None:
    def refusing(width: int, height: int) -> tuple[int, int]:
        raise InvalidOption("Ask for less.", "size")

    for source in (saved(quarters(), "PNG"), np.asarray(quarters()), quarters()):
        with pytest.raises(InvalidOption, match="Ask for less"):
            read(source, target=refusing)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (30, 90)),
        ({"limit": 200}, (30, 90)),
        ({"limit": 45}, (15, 45)),
        ({"long_side": 45}, (15, 45)),
        ({"long_side": 180}, (60, 180)),
        ({"long_side": 180, "limit": 45}, (60, 180)),
        ({"limit": 1}, (1, 1)),
    ],
)
def test_size(options: dict[str, int], size: tuple[int, int]) -> None:
    image = Image.new("RGB", (90, 30), (10, 20, 30))
    for source in (saved(image, "PNG"), saved(image, "JPEG"), np.asarray(image), np.asarray(image) / 255):
        picture = read(source, **options)
        assert picture.rgb.shape == (*size, 3)
        np.testing.assert_allclose(levels(picture), np.broadcast_to([10, 20, 30], (*size, 3)), atol=4)


def test_a_long_thin_picture_keeps_a_pixel() -> None:
    assert read(np.zeros((1, 5000, 3), np.uint8), limit=100).rgb.shape == (1, 100, 3)


def test_hidden_colours_do_not_bleed_when_resized() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :32] = (*RED, 255)
    rgba[:, 32:] = (*GREEN, 0)
    for source in (saved(Image.fromarray(rgba), "PNG"), rgba, rgba / np.float32(255)):
        picture = read(source, limit=15)
        assert picture.alpha is not None
        seen = picture.rgb[picture.alpha > 0.1]
        assert seen[:, 1].max() < 0.05
        assert seen[:, 0].min() > 0.95


def test_a_large_jpeg_is_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(quarters(2048), "JPEG")
    sizes = []
    plain = image_files._to_plain_mode
    monkeypatch.setattr(
        image_files, "_to_plain_mode", lambda image, scale: sizes.append(image.size) or plain(image, scale)
    )
    assert corners(read(data, limit=200)) == [RED, GREEN, BLUE, WHITE]
    assert sizes == [(512, 512), (200, 200)]  # decoded at a quarter, then scaled


@pytest.mark.parametrize(("limit", "decoded"), [(512, 1000), (540, 2000), (256, 500), (2000, 2000)])
def test_nearly_twice_as_large_as_wanted_is_enough(limit: int, decoded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    upright = image_files._from_image
    monkeypatch.setattr(
        image_files, "_from_image", lambda image, size: sizes.append(image.size) or upright(image, size)
    )
    assert corners(read(saved(quarters(2000), "JPEG"), limit=limit)) == [RED, GREEN, BLUE, WHITE]
    assert sizes == [(decoded, decoded)]


def test_an_open_picture_of_the_caller_keeps_its_size() -> None:
    image = Image.open(io.BytesIO(saved(quarters(512), "JPEG")))
    read(image, limit=32)
    assert image.size == (512, 512)


def test_warnings_do_not_leak_and_errors_name_their_field() -> None:
    for data in (png(64, 64, 8, 2, b""), b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff\xe0" + bytes(50)):
        with pytest.raises((BrokenImage, UnsupportedImage), match=r"^style: this .+\.$") as raised:
            read(data, field="style")
        assert raised.value.field == "style"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_header_tells_the_upright_size(orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "JPEG", exif=exif)
    assert image_files.peek_size(file.getvalue()) == ((30, 20) if orientation < 5 else (20, 30))
    assert image_files.read(file.getvalue()).rgb.shape[1::-1] == image_files.peek_size(file.getvalue())


def test_nothing_is_decoded_for_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [saved(quarters(), format) for format in ("PNG", "JPEG", "WEBP", "GIF")]
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    for data in files:
        assert image_files.peek_size(data) == image_files.source_size(data) == (64, 64)
        assert not image_files.has_alpha(data)


def test_sides_of_anything() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.new("RGB", (30, 20)), "PNG", exif=exif)
    for source in (data, Image.open(io.BytesIO(data)), *(np.zeros(s) for s in ((30, 20), (30, 20, 3), (1, 30, 20, 4)))):
        assert image_files.source_size(source) == (20, 30)


def test_what_has_no_sides(photo_png: bytes) -> None:
    for source in (np.zeros(5), np.zeros(()), np.zeros((0, 4, 3)), Image.open(io.BytesIO(photo_png[:200]))):
        with pytest.raises(ImageError, match=r"^content: "):
            image_files.source_size(source)


def test_a_header_is_refused_as_the_picture_would_be(photo_png: bytes):
    with pytest.raises(UnsupportedImage, match=r"style: this is not a picture"):
        image_files.peek_size(b"no picture", "style")
    with pytest.raises(ImageTooLarge, match="million pixels"):
        image_files.peek_size(png(20_000, 20_000, 8, 2, b""))
    assert image_files.peek_size(photo_png[:200]) == image_files.peek_size(photo_png)
