"""Picture files: reading any kind that users bring into upright sRGB, and encoding results.

All pictures that enter the program are read here.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError, features

from model.errors import BrokenImage, ImageError, ImageTooLarge, StyleTransferError, UnsupportedImage
from model.imaging import pixel_ops
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.gif_blocks import check_gif
from model.imaging.jpeg_segments import check_jpeg
from model.imaging.metadata import build_exif, pillow_save_options
from model.imaging.pixel_ops import EightBitPicture, Picture, Resolution
from model.imaging.png_chunks import check_png
from model.imaging.riff_chunks import check_webp
from model.imaging.scratch import atomic_write
from model.options import Format, join_words, scaled_size

MAX_BYTES = 2_000_000_000
MAX_PIXELS = 200_000_000

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray
FileSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
TargetSize: TypeAlias = Callable[[int, int], tuple[int, int]]  # (width, height) -> those to scale to; may refuse

# For each EXIF orientation, the view of an upright array in which the file's rows are stored.
_ORIENTATION_VIEWS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: upright[::-1].swapaxes(0, 1),
}
_FIRST_QUARTER_TURN = 5
# What looks at a file before Pillow does, and raises ValueError (docs/benchmarks.md: what it saves).
_STRUCTURE_CHECKS: dict[str, Callable[[BinaryIO], None]] = {
    "JPEG": check_jpeg,
    "PNG": check_png,
    "WEBP": check_webp,
    "GIF": check_gif,
}
MIN_DPI, MAX_DPI = 2, 20_000  # resolutions that printers and scanners have; others are ignored
# A JPEG is decoded to at least this many times the wanted size: a camera's 4000 pixels are 3.9 times 1024.
_DRAFT_SCALE = 1.9
_STRIP_PIXELS = 1 << 21  # converted to sRGB at a time, so that a large picture is never in memory more than twice


def read(
    source: ImageSource,
    *,
    field: str = "content",
    long_side: int | None = None,
    limit: int | None = None,
    target: TargetSize | None = None,
    most_bytes: int | None = None,
    most_pixels: int | None = None,
) -> Picture:
    """Read the first frame of `source`, upright, in sRGB.

    long_side: scaled up or down until the longer side is exactly that.
    limit: where no long_side is given, scaled down until the longer side is at most that.
    target: returns the size in place of both, and must not depend on whether the picture lies on its side.
    most_bytes, most_pixels: of the source; by default MAX_BYTES and MAX_PIXELS.
    Raises an ImageError, whose sentence begins with `field`, for whatever cannot be read.
    """
    wanted = target or _long_side_target(long_side, limit)
    return pixel_ops.to_float(_read_source(source, field, wanted, _Limits.of(most_bytes, most_pixels)))


def read_eight_bit(
    source: ImageSource,
    *,
    field: str = "content",
    limit: int | None = None,
    target: TargetSize | None = None,
) -> EightBitPicture:
    """Read as `read` does, in a quarter of the memory."""
    wanted = target or _long_side_target(None, limit)
    return pixel_ops.to_eight_bit(_read_source(source, field, wanted, _Limits.of(None, None)))


def peek_size(
    source: FileSource, field: str = "content", *, most_bytes: int | None = None, most_pixels: int | None = None
) -> tuple[int, int]:
    """Return the upright width and height that the header declares; raise as `read` does, but decode nothing."""
    most = _Limits.of(most_bytes, most_pixels)
    with prefixed_errors(field), _open_source(source, most) as file:
        with translated_errors():
            image = _open_image(file)
        most.check_area(*image.size)
        return image.size[::-1] if _orientation(image) >= _FIRST_QUARTER_TURN else image.size


def source_size(source: ImageSource) -> tuple[int, int]:
    """Return the upright width and height of any kind of source; of files as `peek_size` does."""
    if not isinstance(source, np.ndarray | Image.Image):
        return peek_size(source)
    with prefixed_errors("content"), translated_errors():
        if isinstance(source, np.ndarray):
            height, width = _with_channel_axis(source).shape[:2]
            _Limits.of(None, None).check_area(width, height)
            return width, height
        source.load()  # a PNG may have its EXIF at the end
        return source.size[::-1] if _orientation(source) >= _FIRST_QUARTER_TURN else source.size


def has_alpha(source: FileSource) -> bool:
    """Tell from the header whether the picture may have transparent parts."""
    with prefixed_errors("content"), _open_source(source, _Limits.of(None, None)) as file, translated_errors():
        return bool(_open_image(file).has_transparency_data)


def display_exif(source: FileSource) -> bytes:
    """Return an EXIF block with what shows the picture: orientation, and a resolution that only EXIF states.

    It is empty where there is neither, and where the file's own is broken.
    """
    with _open_source(source, _Limits.of(None, None)) as file, translated_errors():
        image = _open_image(file)
        orientation, dpi = _orientation(image), None if _header_dpi(image) else _read_dpi(image)
    return build_exif(dpi, orientation).tobytes() if dpi or orientation != 1 else b""


@contextmanager
def open_header(source: FileSource, kinds: Sequence[str]) -> Iterator[ImageFile.ImageFile]:
    """Open a file of one of `kinds`, by Pillow's names, for its metadata; nothing is decoded."""
    with _open_source(source, _Limits.of(None, None)) as file, translated_errors():
        yield _open_image(file, kinds)


def encode(
    picture: Picture | EightBitPicture,
    format: Format = "png",
    quality: int = 92,
    recipe: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a file of `picture`, tagged sRGB, with its resolution and `recipe`, and no other metadata of its source.

    JPEG has no alpha: there the picture is flattened on white.
    """
    check_format_sides(picture.rgb.shape, format)
    about = OUTPUT_FORMATS[format]
    pixels = pixel_ops.stack_alpha(pixel_ops.to_eight_bit(picture)) if about.has_alpha else _flatten_on_white(picture)
    image = Image.fromarray(pixels)
    metadata = pillow_save_options(recipe, format, picture.dpi)
    options = {**about.pillow_options, "icc_profile": srgb_profile(), **metadata}
    if about.lossy:
        options["quality"] = quality
    file = io.BytesIO()
    image.save(file, about.pillow_name, **options)
    return file.getvalue()


def check_format_sides(shape: tuple[int, ...], format: Format) -> None:
    """Raise ImageTooLarge for a picture that this kind of file cannot hold."""
    longest = OUTPUT_FORMATS[format].longest_side
    if max(shape) > longest:
        sentence = f"format: {format} holds at most {longest} pixels a side. Ask for png, or a smaller size."
        raise ImageTooLarge(sentence, "format")


def _flatten_on_white(picture: Picture | EightBitPicture) -> np.ndarray:
    if picture.alpha is None:
        return pixel_ops.as_uint8(picture.rgb)
    rgb, alpha = (pixel_ops.as_float(values) for values in (picture.rgb, picture.alpha[..., None]))
    return pixel_ops.as_uint8(rgb * alpha + (1 - alpha))


def read_bytes(source: FileSource, field: str = "content", *, most_bytes: int | None = None) -> bytes:
    """Read all of `source`; raise as `read` does where it is empty, or has more than `most_bytes`."""
    with prefixed_errors(field), _open_source(source, _Limits.of(most_bytes, None)) as file:
        return file.read()


def write_bytes(path: Path, data: bytes) -> None:
    """Write the whole file or nothing: a full disk must not leave half a picture under a good name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_bytes(data)


@dataclass(frozen=True)
class _Limits:
    """The most bytes of a file, and the most pixels of a picture, that are accepted."""

    bytes: int
    pixels: int

    @classmethod
    def of(cls, bytes: int | None, pixels: int | None) -> _Limits:
        return cls(MAX_BYTES if bytes is None else bytes, MAX_PIXELS if pixels is None else pixels)

    def check_bytes(self, count: int) -> None:
        if count > self.bytes:
            raise ImageTooLarge(f"this file is larger than {self.bytes / 1e6:g} MB. Use a smaller one.")
        if not count:
            raise UnsupportedImage("this file is empty. Choose a picture.")

    def check_area(self, width: int, height: int) -> None:
        if not width * height:
            raise UnsupportedImage("this picture has no pixels. Use another one.")
        if width * height > self.pixels:
            sentence = f"this picture has more than {self.pixels / 1e6:g} million pixels. Make it smaller first."
            raise ImageTooLarge(sentence)


@contextmanager
def prefixed_errors(field: str) -> Iterator[None]:
    """Begin the sentence of an ImageError with the field at fault."""
    try:
        yield
    except ImageError as error:
        raise type(error)(f"{field}: {error}", field) from error


@contextmanager
def _open_source(source: Any, most: _Limits) -> Iterator[BinaryIO]:
    """Open `source`, reading at most one byte more of it than the limit."""
    if isinstance(source, str | os.PathLike):
        with _open_path(source, most) as file:
            yield file
        return
    data = source.read(most.bytes + 1) if hasattr(source, "read") else source
    if not isinstance(data, bytes | bytearray):
        raise UnsupportedImage("give a path, bytes, a file opened in binary mode, a PIL image or a numpy array.")
    most.check_bytes(len(data))
    yield io.BytesIO(data)


@contextmanager
def _open_path(path: str | os.PathLike[str], most: _Limits) -> Iterator[BinaryIO]:
    with _open_file(path) as file:
        about = os.fstat(file.fileno())
        if stat.S_ISREG(about.st_mode):
            most.check_bytes(about.st_size)
            yield file
        else:  # a pipe has no size
            with _open_source(file, most) as copy:
                yield copy


def _open_file(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise UnsupportedImage(f"there is no file '{path}' that can be opened. Check the path.") from error


@cache
def _readable_formats() -> list[str]:
    """Return Pillow's names of the kinds that can be read; without MPO, which is read as a JPEG, its first picture."""
    Image.init()
    formats = ["JPEG", "PNG", "WEBP", "GIF", *(["AVIF"] if features.check("avif") else [])]
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
        formats.append("HEIF")
    return formats


def _describe_formats() -> str:
    """Return the list as in "JPEG, PNG, WebP, GIF or AVIF"."""
    return join_words([{"WEBP": "WebP", "HEIF": "HEIC"}.get(name, name) for name in _readable_formats()], "or")


def _open_image(file: BinaryIO, kinds: Sequence[str] | None = None) -> ImageFile.ImageFile:
    """Open as Image.open does, without Pillow's own limit of pixels, which is lower and holds for the whole process.

    A file that would keep the decoder busy for nothing is refused first.
    """
    head, readable = file.read(16), _readable_formats()  # which has Pillow load all its plugins
    for name in kinds or readable:
        factory, accepts = Image.OPEN[name]
        if accepts is None or accepts(head) is True:
            if check := _STRUCTURE_CHECKS.get(name):
                check(file)
            file.seek(0)
            with suppress(SyntaxError, IndexError, TypeError, struct.error):  # as Image.open does: not this kind
                return factory(file, "")
    raise UnidentifiedImageError


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn whatever a decoder raises on a bad file into an ImageError, and silence its warnings."""
    with warnings.catch_warnings():  # short, since threads share their filters
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
        try:
            yield
        except StyleTransferError:
            raise
        except UnidentifiedImageError as error:
            raise UnsupportedImage(f"this is not a picture that can be read. Use {_describe_formats()}.") from error
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ImageTooLarge("this picture has too many pixels to be read here. Make it smaller first.") from error
        except Exception as error:
            raise BrokenImage("this picture is damaged or incomplete. Save it again, or use another one.") from error


def _long_side_target(long_side: int | None, limit: int | None) -> TargetSize:
    def target(width: int, height: int) -> tuple[int, int]:
        longest = max(width, height)
        return scaled_size(width, height, (long_side or min(longest, limit or longest)) / longest)

    return target


def _read_source(source: ImageSource, field: str, wanted: TargetSize, most: _Limits) -> Picture | EightBitPicture:
    """Read any source: floats for an array of more than eight bits, bytes for everything else."""

    def target(width: int, height: int) -> tuple[int, int]:
        most.check_area(width, height)
        return wanted(width, height)

    with prefixed_errors(field):
        if isinstance(source, Image.Image) and source.mode == "F":
            source = np.asarray(source)
        if isinstance(source, np.ndarray):
            return _from_array(source, target)
        if isinstance(source, Image.Image):
            return _from_image(source, target(*source.size))
        with _open_source(source, most) as file:
            return _from_file(file, target)


def _from_file(file: BinaryIO, target: TargetSize) -> EightBitPicture:
    with translated_errors():
        image = _open_image(file)
        size = target(*image.size)
        image.draft(None, (round(_DRAFT_SCALE * size[0]), round(_DRAFT_SCALE * size[1])))  # decodes JPEG reduced
    return _from_image(image, size)


def _from_image(image: Image.Image, size: tuple[int, int]) -> EightBitPicture:
    """Resize first, so that only the small picture is converted and turned."""
    with translated_errors():
        image.load()
        about = image.info.get("icc_profile"), _orientation(image), _read_dpi(image)
        scale = _sixteen_bit_scale(image)
        if image.size != size:
            image = _resize_image(_to_plain_mode(image, scale), size)
        return _to_upright_srgb(image, scale, *about)


def _resize_image(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize an image of mode L, RGB, RGBA or CMYK; Pillow weights colours by alpha, so that clear ones do not show."""
    if image.mode == "RGBA" or not pixel_ops.fits_within(size, image.size):
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=pixel_ops.REDUCING_GAP)
    return Image.frombytes(image.mode, size, pixel_ops.shrink(_image_to_array(image), size[::-1]).tobytes())


def _image_to_array(image: Image.Image) -> np.ndarray:
    """Return (H, W, C) uint8; np.asarray would hold the pixels twice for a while, and takes longer."""
    pixels = np.empty((image.height, image.width, len(image.getbands())), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = np.asarray(strip).reshape(strip.height, strip.width, -1)
    return pixels


def _to_upright_srgb(
    image: Image.Image, scale: int, profile: bytes | None, orientation: int, dpi: Resolution | None
) -> EightBitPicture:
    turned = orientation >= _FIRST_QUARTER_TURN
    shape = image.size if turned else image.size[::-1]
    rgb, alpha = np.empty((*shape, 3), np.uint8), None
    stored = _ORIENTATION_VIEWS[orientation]
    for top, strip in _strips(image):
        colours = np.asarray(_to_srgb(_to_plain_mode(strip, scale), profile))
        stored(rgb)[top : top + len(colours)] = colours[..., :3]
        if colours.shape[2] == 4:
            alpha = np.empty(shape, np.uint8) if alpha is None else alpha
            stored(alpha)[top : top + len(colours)] = colours[..., 3]
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return EightBitPicture(rgb, alpha, dpi[::-1] if dpi and turned else dpi)


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    if rows >= height:
        yield 0, image
        return
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _to_plain_mode(image: Image.Image, scale: int) -> Image.Image:
    """Convert to mode L, RGB, RGBA or CMYK, of eight bits."""
    if image.mode.startswith("I"):
        image = _from_16_bits(image, scale)
    mode = "RGBA" if image.has_transparency_data else image.mode if image.mode in ("L", "CMYK") else "RGB"
    return image if image.mode == mode else image.convert(mode)  # Pillow copies even where nothing changes


def _sixteen_bit_scale(image: Image.Image) -> int:
    """Return what a level of eight bits is worth: 257 in 16 bits. Mode "I" has no range of its own and may hold 8."""
    if not image.mode.startswith("I"):
        return 1
    return 1 if image.mode == "I" and image.getextrema()[1] <= 255 else 257  # type: ignore[operator]


def _from_16_bits(image: Image.Image, scale: int) -> Image.Image:
    """Scale to eight bits; Pillow's own conversion would clip at 255."""
    values = np.asarray(image)
    grey = Image.fromarray((values.clip(0, 65535) / np.float32(scale) + 0.5).astype(np.uint8))
    if "transparency" in image.info:
        grey.putalpha(Image.fromarray((values != image.info["transparency"]).astype(np.uint8) * 255))
    return grey


def _exif_tag(image: Image.Image, tag: int, missing: Any = None) -> Any:
    try:
        return Image.Image.getexif(image).get(tag, missing)  # that of PNG decodes the picture first
    except Exception:  # damaged EXIF fails in many ways, and the picture is fine without it
        return missing


def _orientation(image: Image.Image) -> int:
    value = _exif_tag(image, ExifTags.Base.Orientation)
    return value if isinstance(value, int) and value in _ORIENTATION_VIEWS else 1


def _read_dpi(image: Image.Image) -> Resolution | None:
    """Return the resolution that the file states, in its header or in EXIF."""
    if dpi := _header_dpi(image):
        return _valid_dpi(dpi)
    across, down = (_exif_tag(image, tag) for tag in (ExifTags.Base.XResolution, ExifTags.Base.YResolution))
    inches = {1: None, 2: 1.0, 3: 2.54}.get(_exif_tag(image, ExifTags.Base.ResolutionUnit, 2))
    return _valid_dpi((across, down), inches) if inches else None


def _header_dpi(image: Image.Image) -> Any:
    """Return the resolution outside EXIF; Pillow makes up 72 for a JPEG whose EXIF states none."""
    is_own = image.format not in ("JPEG", "MPO") or image.info.get("jfif_unit") in (1, 2)
    return image.info.get("dpi") if is_own else None


def _valid_dpi(resolution: Any, scale: float = 1.0) -> Resolution | None:
    """Return a resolution in pixels an inch; None where it is none that printers or scanners have."""
    try:
        across, down = (_round_dpi(float(value) * scale) for value in resolution)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return (across, down) if all(MIN_DPI <= value <= MAX_DPI for value in (across, down)) else None


def _round_dpi(dpi: float) -> float:
    """Round away what PNG adds, which counts in whole pixels a metre: 0.0254 an inch."""
    return float(round(dpi)) if abs(dpi - round(dpi)) < 0.0128 else round(dpi, 2)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGB or RGBA in sRGB; a picture without a profile, or with a broken one, is taken as sRGB."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            transform = ImageCms.buildTransform(source, _srgb_icc(), image.mode, mode)
            if image.mode != mode or _changes_colours(transform, mode):
                image = transform.apply(image)
    return image if image.mode == mode else image.convert(mode)


def _changes_colours(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Tell whether a conversion changes anything: a profile that is sRGB under another name does not."""
    colours = _colour_cube(mode)
    return transform.apply(colours).tobytes() != colours.tobytes()


@cache
def _colour_cube(mode: str) -> Image.Image:
    """Return all combinations of nine levels of red, green and blue."""
    levels = np.linspace(0, 255, 9, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(cube.reshape(27, 27, 3)).convert(mode)


def srgb_profile() -> bytes:
    """Return the ICC profile that every written file carries."""
    return _srgb_icc().tobytes()


@cache
def _srgb_icc() -> ImageCms.ImageCmsProfile:
    """Build an sRGB profile dated 1 January 2000, so that the same picture always gives the same file."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return ImageCms.ImageCmsProfile(io.BytesIO(data[:24] + b"\x07\xd0\0\1\0\1" + bytes(6) + data[36:]))


def _from_array(array: np.ndarray, target: TargetSize) -> Picture | EightBitPicture:
    array = _with_channel_axis(array)
    height, width, channels = array.shape
    size = target(width, height)
    if channels == 1:
        array = np.repeat(array, 3, axis=2)
    if array.dtype == np.uint8:
        return _from_image(Image.fromarray(array), size)
    pixels = _to_unit_range(array)
    scale = pixel_ops.resize_premultiplied if channels == 4 and size != (width, height) else pixel_ops.resize
    return _split_alpha(scale(pixels, size[::-1]))


def _with_channel_axis(array: np.ndarray) -> np.ndarray:
    """Return the array as (H, W, 1, 3 or 4); a batch of one is unpacked."""
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UnsupportedImage(f"an array must be height x width, or that by 1, 3 or 4 channels, not {array.shape}.")
    return array


def _split_alpha(pixels: np.ndarray) -> Picture:
    """Make a picture of (H, W, 3 or 4), without alpha where nothing is transparent."""
    alpha = pixels[..., 3] if pixels.shape[2] == 4 and pixels[..., 3].min() < 1 else None
    return Picture(np.ascontiguousarray(pixels[..., :3]), alpha)


def _to_unit_range(array: np.ndarray) -> np.ndarray:
    """Convert uint8, uint16 or floats in 0..1 to float32 in 0..1; refuse everything else."""
    if array.dtype in (np.uint8, np.uint16):
        return array / np.float32(np.iinfo(array.dtype).max)
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):  # NaN is neither
        raise UnsupportedImage("an array must be uint8, uint16, or floats from 0 to 1: divide 0..255 by 255.")
    return array.astype(np.float32)
