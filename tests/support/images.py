"""Small pictures for tests, their files, and what is seen in them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from model.imaging.pixel_ops import Picture

PHOTO = Path(__file__).resolve().parents[2] / "static" / "styles" / "cat.jpg"
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, kind: int, pixels: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of `height` equal rows without a filter, of kinds that Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + b"".join(chunk(*extra) for extra in chunks)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress((b"\0" + pixels) * height)) + chunk(b"IEND", b"")


def quarters(size: int = 64) -> Image.Image:
    """Return red and green above blue and white, which every orientation changes."""
    corners = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8)
    return Image.fromarray(corners.repeat(size // 2, 0).repeat(size // 2, 1))


def levels(picture: Picture) -> np.ndarray:
    assert picture.rgb.dtype == np.float32
    return (picture.rgb * 255).round().astype(int)


def corners(picture: Picture) -> list[tuple[int, ...]]:
    rgb = levels(picture)
    height, width = rgb.shape[:2]
    spots = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(value > 127) * 255 for value in rgb[spot]) for spot in spots]


STORED: dict[
    int, Callable[[np.ndarray], np.ndarray]
] = {  # EXIF's orientation -> the file's rows; the sides where row 0 and column 0 lie
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda upright: upright[::-1].swapaxes(0, 1),  # left, bottom
}


def swapped_profile() -> bytes:
    """Return an sRGB profile with red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tttt").replace(b"bXYZ", b"rXYZ").replace(b"tttt", b"bXYZ")


def photo_with_secrets() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0131], exif[0x013B] = "SECRET camera", "SECRET software", "SECRET artist"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (48.0, 51.0, 29.0)
    exif.get_ifd(0x8769)[0x927C] = b"SECRET maker note"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0SECRET comment"
    exif.get_ifd(0x8769)[0xA431] = "SECRET serial number"
    file = io.BytesIO()
    image = Image.effect_noise((64, 48), 60).convert("RGB")
    image.save(file, "JPEG", exif=exif, comment=b"SECRET note", xmp=b"<x>SECRET xmp</x>", dpi=(240, 240))
    return file.getvalue()
