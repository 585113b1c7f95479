"""Any picture a user may bring <-> upright sRGB in 0..1. The only reader of pictures, for every door."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError, features

from model.errors import BrokenImage, ImageError, ImageTooLarge, UnsupportedImage

MAX_BYTES = 25_000_000
MAX_PIXELS = 40_000_000
LONGEST = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}  # pixels a side that each kind of file can hold

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray
Target: TypeAlias = Callable[[int, int], tuple[int, int]]  # width, height -> those to scale to; refuses too many

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


@dataclass(frozen=True)
class Picture:
    rgb: np.ndarray  # (H, W, 3) float32 in 0..1, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) float32 in 0..1; None: opaque


def read(
    source: ImageSource, *, field: str = "content", long_side: int | None = None, limit: int | None = None
) -> Picture:
    """The first frame of `source`, upright, in sRGB.

    long_side: scaled up or down until the longer side is exactly that.
    limit: where no long_side is given, scaled down until the longer side is at most that.
    Whatever cannot be read raises an ImageError whose sentence begins with `field`.
    """

    def target(width: int, height: int) -> tuple[int, int]:
        _check_area(width, height)
        longest = max(width, height)
        scale = (long_side or min(longest, limit or longest)) / longest
        return max(1, round(width * scale)), max(1, round(height * scale))

    with _named(field):
        if isinstance(source, Image.Image) and source.mode == "F":
            source = np.asarray(source)
        if isinstance(source, np.ndarray):
            return _from_array(source, target)
        if isinstance(source, Image.Image):
            return _from_image(source, target(*source.size))
        return _from_file(_bytes(source), target)


def peek(source: str | os.PathLike[str] | bytes | BinaryIO, field: str = "content") -> tuple[int, int]:
    """Width and height as the header tells, upright; raises as `read` does, but decodes nothing."""
    with _named(field):
        with _decoding():
            image = Image.open(io.BytesIO(_bytes(source)), formats=_formats())
        _check_area(*image.size)
    return image.size[::-1] if _turn(image) in _QUARTER_TURNS else image.size


def resize(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C), uint8 or floats in 0..1 -> (height, width, C) of the same dtype, by Lanczos."""
    if rgb.shape[:2] == size:
        return rgb
    pixels = rgb if rgb.dtype == np.uint8 else rgb.astype(np.float32, copy=False)
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(pixels, 2, 0)]
    small = np.stack([np.asarray(plane.resize(size[::-1], Image.Resampling.LANCZOS)) for plane in planes], axis=2)
    return small if rgb.dtype == np.uint8 else small.clip(0, 1).astype(rgb.dtype, copy=False)


def encode(picture: Picture, format: Literal["png", "jpeg", "webp"] = "png", quality: int = 92) -> bytes:
    """A file of `picture` tagged sRGB and nothing else; JPEG, which knows no alpha, gets it on white."""
    if max(picture.rgb.shape) > LONGEST[format]:
        sentence = f"format: {format} holds at most {LONGEST[format]} pixels a side. Ask for png, or a smaller size."
        raise ImageTooLarge(sentence, "format")
    pixels = picture.rgb
    if picture.alpha is not None:
        alpha = picture.alpha[..., None]
        pixels = pixels * alpha + (1 - alpha) if format == "jpeg" else np.concatenate([pixels, alpha], axis=2)
    file = io.BytesIO()
    image = Image.fromarray((pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8))
    image.save(file, format, quality=quality, icc_profile=_srgb().tobytes())
    return file.getvalue()


def contents(source: str | os.PathLike[str] | bytes | BinaryIO, field: str = "content") -> bytes:
    """Everything in `source`; raises as `read` does where that is nothing, or more than MAX_BYTES."""
    with _named(field):
        return _bytes(source)


@contextmanager
def _named(field: str) -> Iterator[None]:
    """An ImageError's sentence begins with the field at fault."""
    try:
        yield
    except ImageError as error:
        raise type(error)(f"{field}: {error}", field) from error


def _bytes(source: Any) -> bytes:
    """Everything in `source`, but never more than one byte over MAX_BYTES."""
    if isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb") as file:
                return _bytes(file)
        except (OSError, ValueError) as error:
            raise UnsupportedImage(f"there is no file '{source}' that can be opened. Check the path.") from error
    data = source.read(MAX_BYTES + 1) if hasattr(source, "read") else source
    if not isinstance(data, bytes | bytearray):
        raise UnsupportedImage("give a path, bytes, a file opened in binary mode, a PIL image or a numpy array.")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(f"this file is larger than {MAX_BYTES / 1e6:g} MB. Use a smaller one.")
    if not data:
        raise UnsupportedImage("this file is empty. Choose a picture.")
    return bytes(data)


def _check_area(width: int, height: int) -> None:
    if not width * height:
        raise UnsupportedImage("this picture has no pixels. Use another one.")
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> ImageTooLarge:
    return ImageTooLarge(f"this picture has more than {MAX_PIXELS / 1e6:g} million pixels. Make it smaller first.")


@cache
def _formats() -> list[str]:
    """Never "MPO": Pillow reads those as JPEG, and so their first picture."""
    formats = ["JPEG", "PNG", "WEBP", "GIF", *(["AVIF"] if features.check("avif") else [])]
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
        formats.append("HEIF")
    return formats


@contextmanager
def _decoding() -> Iterator[None]:
    """Decoders fail on bad files with nearly any exception, and warn of what is refused or mended here anyway."""
    with warnings.catch_warnings():  # narrow, since threads share their filters
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
        try:
            yield
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise UnsupportedImage("this is not a picture that can be read. Use JPEG, PNG, WebP or GIF.") from error
        except Image.DecompressionBombError as error:
            raise _too_many_pixels() from error
        except Exception as error:
            raise BrokenImage("this picture is damaged or incomplete. Save it again, or use another one.") from error


def _from_file(data: bytes, target: Target) -> Picture:
    with _decoding():
        image = Image.open(io.BytesIO(data), formats=_formats())
        size = target(*image.size)
        image.draft(None, (2 * size[0], 2 * size[1]))  # a JPEG decodes at a fraction of its size, when that is enough
    return _from_image(image, size)


def _from_image(image: Image.Image, size: tuple[int, int]) -> Picture:
    """Resized first, so that colours and turning, and all that is float, meet the small picture only."""
    with _decoding():
        image.load()
        plain, turn = _plain(image), _turn(image)
    if plain.size != size:  # Pillow weighs colours by alpha here, so that what is hidden stays so
        plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    upright = _to_srgb(plain, image.info.get("icc_profile"))
    if turn is not None:  # FLIP_LEFT_RIGHT is 0
        upright = upright.transpose(turn)
    return _split(np.asarray(upright) / np.float32(255))


def _plain(image: Image.Image) -> Image.Image:
    """As L, RGB, RGBA or CMYK, of eight bits."""
    if image.mode.startswith("I"):
        image = _from_16_bits(image)
    mode = "RGBA" if image.has_transparency_data else image.mode if image.mode in ("L", "CMYK") else "RGB"
    return image if image.mode == mode else image.convert(mode)  # Pillow copies even where nothing changes


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Pillow's own conversion clips at 255; this scales. Mode "I" has no range of its own: it may hold 8 bits."""
    values = np.asarray(image)
    scale = 1 if image.mode == "I" and values.max() <= 255 else 257
    grey = Image.fromarray((values.clip(0, 65535) / np.float32(scale) + 0.5).astype(np.uint8))
    if "transparency" in image.info:
        grey.putalpha(Image.fromarray((values != image.info["transparency"]).astype(np.uint8) * 255))
    return grey


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # as with decoding: damaged EXIF fails in many ways, and the picture is fine without it
        return None


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA. A picture without a profile, or with a broken one, is taken as sRGB."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if converted := ImageCms.profileToProfile(image, source, _srgb(), outputMode=mode):
                return converted
    return image if image.mode == mode else image.convert(mode)


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    """Dated 1 January 2000, not this moment, so that the same picture always gives the same file."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return ImageCms.ImageCmsProfile(io.BytesIO(made[:24] + b"\x07\xd0\0\1\0\1" + bytes(6) + made[36:]))


def _split(pixels: np.ndarray) -> Picture:
    """(H, W, 3 or 4) -> a picture, its alpha None where nothing is clear."""
    alpha = pixels[..., 3] if pixels.shape[2] == 4 and pixels[..., 3].min() < 1 else None
    return Picture(np.ascontiguousarray(pixels[..., :3]), alpha)


def _from_array(array: np.ndarray, target: Target) -> Picture:
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UnsupportedImage(f"an array must be height x width, or that by 1, 3 or 4 channels, not {array.shape}.")
    height, width, channels = array.shape
    size = target(width, height)
    if channels == 1:
        array = np.repeat(array, 3, axis=2)
    if array.dtype == np.uint8:
        return _from_image(Image.fromarray(array), size)
    pixels = _unit(array)
    scale = _weighed if channels == 4 and size != (width, height) else resize
    return _split(scale(pixels, size[::-1]))


def _unit(array: np.ndarray) -> np.ndarray:
    """float32 in 0..1."""
    if array.dtype == np.uint16:
        return array / np.float32(65535)
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):  # what is not a number is neither
        raise UnsupportedImage("an array must be uint8, uint16, or floats from 0 to 1: divide 0..255 by 255.")
    return array.astype(np.float32)


def _weighed(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized with colours weighed by alpha, so that what is hidden stays so."""
    alpha = resize(rgba[..., 3:], size)
    rgb = resize(rgba[..., :3] * rgba[..., 3:], size) / np.maximum(alpha, 1e-6)
    return np.concatenate([rgb.clip(0, 1), alpha], axis=2)
