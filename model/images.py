"""Any picture a user may bring <-> upright sRGB. The only reader of pictures, for every door."""

from __future__ import annotations

import io
import logging
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError, features

from model.errors import BrokenImage, ImageError, ImageTooLarge, StyleTransferError, UnsupportedImage
from model.metadata import embed

MAX_BYTES = 2_000_000_000
MAX_PIXELS = 200_000_000
LONGEST = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383, "tiff": 2**31 - 1}  # pixels a side that each can hold

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray
FileSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
Target: TypeAlias = Callable[[int, int], tuple[int, int]]  # width, height -> those to scale to; refuses too many
Dpi: TypeAlias = tuple[float, float]  # pixels an inch, across and down

_STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # EXIF's orientation -> how it sees an upright picture
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
LEAST_DPI, MOST_DPI = 2, 20_000  # what a file says beyond these, no printer or scanner has
_DECODED = 1.9  # times as large as wanted, at least, is what a JPEG decodes to: cameras' 4000 pixels are 3.9 times 1024
_GAP = 3.0  # times as large as wanted, to which larger pictures come by plain averages
_STRIP = 1 << 21  # pixels that are turned into sRGB at a time: a large picture is never in memory more than twice

_SAVED: dict[str, dict[str, Any]] = {  # what saves time and hardly a byte (docs/benchmarks.md)
    "png": {"compress_type": zlib.Z_RLE},
    "jpeg": {},
    "webp": {"method": 2},
    "tiff": {"compression": "tiff_adobe_deflate"},
}


@dataclass(frozen=True)
class Picture:
    rgb: np.ndarray  # (H, W, 3) float32 in 0..1, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) float32 in 0..1; None: opaque
    dpi: Dpi | None = None


@dataclass(frozen=True)
class Pixels:
    """A picture in a quarter of the memory."""

    rgb: np.ndarray  # (H, W, 3) uint8, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) uint8; None: opaque
    dpi: Dpi | None = None


def read(
    source: ImageSource,
    *,
    field: str = "content",
    long_side: int | None = None,
    limit: int | None = None,
    target: Target | None = None,
    most_bytes: int | None = None,
    most_pixels: int | None = None,
) -> Picture:
    """The first frame of `source`, upright, in sRGB.

    long_side: scaled up or down until the longer side is exactly that.
    limit: where no long_side is given, scaled down until the longer side is at most that.
    target: tells the size in place of both; whether the picture lies on its side must not matter to it.
    most_bytes, most_pixels: of the source; left out, MAX_BYTES and MAX_PIXELS.
    Whatever cannot be read raises an ImageError whose sentence begins with `field`.
    """
    found = _read(source, field, target or _longest(long_side, limit), _Most.of(most_bytes, most_pixels))
    if isinstance(found, Picture):
        return found
    alpha = None if found.alpha is None else floats(found.alpha)
    return Picture(floats(found.rgb), alpha, found.dpi)


def decode(
    source: ImageSource,
    *,
    field: str = "content",
    long_side: int | None = None,
    limit: int | None = None,
    target: Target | None = None,
    most_bytes: int | None = None,
    most_pixels: int | None = None,
) -> Pixels:
    """What `read` gives, without the floats: for large pictures."""
    found = _read(source, field, target or _longest(long_side, limit), _Most.of(most_bytes, most_pixels))
    return quantised(found) if isinstance(found, Picture) else found


def quantised(picture: Picture) -> Pixels:
    alpha = None if picture.alpha is None else eight_bits(picture.alpha)
    return Pixels(eight_bits(picture.rgb), alpha, picture.dpi)


def peek(
    source: FileSource, field: str = "content", *, most_bytes: int | None = None, most_pixels: int | None = None
) -> tuple[int, int]:
    """Width and height as the header tells, upright; raises as `read` does, but decodes nothing."""
    most = _Most.of(most_bytes, most_pixels)
    with _named(field), _opened(source, most) as file:
        with _decoding():
            image = _identified(file)
        most.check_area(*image.size)
        return image.size[::-1] if _orientation(image) >= _FIRST_QUARTER_TURN else image.size


def sides(source: ImageSource, field: str = "content") -> tuple[int, int]:
    """Width and height of any kind of source, upright; of files as `peek`."""
    if not isinstance(source, np.ndarray | Image.Image):
        return peek(source, field)
    with _named(field), _decoding():
        if isinstance(source, np.ndarray):
            height, width = _with_channels(source).shape[:2]
            _Most.of(None, None).check_area(width, height)
            return width, height
        source.load()  # a PNG may have its EXIF at the end
        return source.size[::-1] if _orientation(source) >= _FIRST_QUARTER_TURN else source.size


def has_alpha(source: FileSource, field: str = "content") -> bool:
    """Whether the header tells of parts that may be clear."""
    with _named(field), _opened(source, _Most.of(None, None)) as file, _decoding():
        return bool(_identified(file).has_transparency_data)


@contextmanager
def header(source: FileSource, kinds: Sequence[str]) -> Iterator[ImageFile.ImageFile]:
    """A file of one of `kinds`, in Pillow's words for them, not yet decoded; for its metadata."""
    with _opened(source, _Most.of(None, None)) as file, _decoding():
        yield _identified(file, kinds)


def resize(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C), uint8 or floats in 0..1 -> (height, width, C) of the same dtype, by Lanczos."""
    if rgb.shape[:2] == size:
        return rgb
    if rgb.dtype == np.uint8 and _is_smaller(size, rgb.shape):
        return _shrunk(rgb, size)
    pixels = rgb if rgb.dtype == np.uint8 else rgb.astype(np.float32, copy=False)
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(pixels, 2, 0))
    small = np.stack([np.asarray(plane.resize(size[::-1], Image.Resampling.LANCZOS)) for plane in planes], axis=2)
    return small if rgb.dtype == np.uint8 else small.clip(0, 1).astype(rgb.dtype, copy=False)


def _is_smaller(size: tuple[int, ...], than: tuple[int, ...]) -> bool:
    return size[0] <= than[0] and size[1] <= than[1]


def _shrunk(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) uint8, by libvips: Pillow takes four times as long, and for enlarging no longer."""
    height, width, bands = pixels.shape
    image = vips().Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, bands, "uchar")
    smaller: np.ndarray = image.resize(size[1] / width, vscale=size[0] / height, kernel="lanczos3", gap=_GAP).numpy()
    return smaller.reshape(*size, bands)  # it leaves out a single band


@cache
def vips() -> ModuleType:
    """Loaded when it is needed. It remembers what it has done, and by the file's name at that; here it must not."""
    import pyvips  # type: ignore[import-untyped]

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    module: ModuleType = pyvips
    return module


def small(rgb: np.ndarray, side: int) -> np.ndarray:
    """A copy, its longer side at most `side` pixels."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    return resize(rgb, (max(1, round(height * scale)), max(1, round(width * scale))))


def small_floats(rgb: np.ndarray, side: int) -> np.ndarray:
    """As `small`, in floats: the very same of a picture's bytes and of what `read` makes of them."""
    return floats(rgb if max(rgb.shape[:2]) <= side else small(eight_bits(rgb), side))


def floats(values: np.ndarray) -> np.ndarray:
    """0..255 -> float32 in 0..1; floats stay."""
    return values / np.float32(255) if values.dtype == np.uint8 else values


def eight_bits(values: np.ndarray) -> np.ndarray:
    """0..1 -> 0..255; uint8 stays."""
    if values.dtype == np.uint8:
        return values
    scaled = values.clip(0, 1)  # from here on in place: it may be large
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def encode(
    picture: Picture | Pixels,
    format: Literal["png", "jpeg", "webp", "tiff"] = "png",
    quality: int = 92,
    recipe: Mapping[str, Any] | None = None,
) -> bytes:
    """A file of `picture`, tagged sRGB, with its resolution and `recipe`; nothing else that its source said of itself.

    JPEG, which knows no alpha, gets it on white.
    """
    check_sides(picture.rgb.shape, format)
    image = Image.fromarray(_on_white(picture) if format == "jpeg" else _with_alpha(picture))
    options = _SAVED[format] | {"icc_profile": srgb_profile()} | embed(recipe, format, picture.dpi)
    if format in ("jpeg", "webp"):
        options["quality"] = quality
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def check_sides(shape: tuple[int, ...], format: Literal["png", "jpeg", "webp", "tiff"]) -> None:
    """Raises ImageTooLarge for a picture that this kind of file cannot hold."""
    if max(shape) > LONGEST[format]:
        sentence = f"format: {format} holds at most {LONGEST[format]} pixels a side. Ask for png, or a smaller size."
        raise ImageTooLarge(sentence, "format")


def _on_white(picture: Picture | Pixels) -> np.ndarray:
    if picture.alpha is None:
        return eight_bits(picture.rgb)
    rgb, alpha = (floats(values) for values in (picture.rgb, picture.alpha[..., None]))
    return eight_bits(rgb * alpha + (1 - alpha))


def _with_alpha(picture: Picture | Pixels) -> np.ndarray:
    rgb = eight_bits(picture.rgb)
    return rgb if picture.alpha is None else np.dstack([rgb, eight_bits(picture.alpha)])


def contents(source: FileSource, field: str = "content", *, most_bytes: int | None = None) -> bytes:
    """Everything in `source`; raises as `read` does where that is nothing, or more than `most_bytes`."""
    with _named(field), _opened(source, _Most.of(most_bytes, None)) as file:
        return file.read()


@dataclass(frozen=True)
class _Most:
    """What is refused: files beyond so many bytes, pictures beyond so many pixels."""

    bytes: int
    pixels: int

    @classmethod
    def of(cls, bytes: int | None, pixels: int | None) -> _Most:
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
def _named(field: str) -> Iterator[None]:
    """An ImageError's sentence begins with the field at fault."""
    try:
        yield
    except ImageError as error:
        raise type(error)(f"{field}: {error}", field) from error


@contextmanager
def _opened(source: Any, most: _Most) -> Iterator[BinaryIO]:
    """A file to read `source` from, of which never more than one byte over the limit has been read here."""
    if isinstance(source, str | os.PathLike):
        with _opened_path(source, most) as file:
            yield file
        return
    data = source.read(most.bytes + 1) if hasattr(source, "read") else source
    if not isinstance(data, bytes | bytearray):
        raise UnsupportedImage("give a path, bytes, a file opened in binary mode, a PIL image or a numpy array.")
    most.check_bytes(len(data))
    yield io.BytesIO(data)


@contextmanager
def _opened_path(path: str | os.PathLike[str], most: _Most) -> Iterator[BinaryIO]:
    with _file(path) as file:
        about = os.fstat(file.fileno())
        if stat.S_ISREG(about.st_mode):
            most.check_bytes(about.st_size)
            yield file
        else:  # a pipe has no size to ask for
            with _opened(file, most) as copy:
                yield copy


def _file(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise UnsupportedImage(f"there is no file '{path}' that can be opened. Check the path.") from error


@cache
def _formats() -> list[str]:
    """Never "MPO": Pillow reads those as JPEG, and so their first picture."""
    Image.init()
    formats = ["JPEG", "PNG", "WEBP", "GIF", *(["AVIF"] if features.check("avif") else [])]
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
        formats.append("HEIF")
    return formats


def _kinds() -> str:
    """JPEG, PNG, WebP, GIF or AVIF."""
    *most, last = ({"WEBP": "WebP", "HEIF": "HEIC"}.get(name, name) for name in _formats())
    return f"{', '.join(most)} or {last}"


def _identified(file: BinaryIO, kinds: Sequence[str] | None = None) -> ImageFile.ImageFile:
    """Image.open, but for Pillow's own limit of pixels: that one is lower, and the whole process's."""
    head, known = file.read(16), _formats()  # which tells Pillow to load them all
    for name in kinds or known:
        factory, accepts = Image.OPEN[name]
        if accepts is None or accepts(head) is True:
            file.seek(0)
            with suppress(SyntaxError, IndexError, TypeError, struct.error):  # as Image.open has it: not this kind
                return factory(file, "")
    raise UnidentifiedImageError


@contextmanager
def _decoding() -> Iterator[None]:
    """Decoders fail on bad files with nearly any exception, and warn of what is refused or mended here anyway."""
    with warnings.catch_warnings():  # narrow, since threads share their filters
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
        try:
            yield
        except StyleTransferError:
            raise
        except UnidentifiedImageError as error:
            raise UnsupportedImage(f"this is not a picture that can be read. Use {_kinds()}.") from error
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ImageTooLarge("this picture has too many pixels to be read here. Make it smaller first.") from error
        except Exception as error:
            raise BrokenImage("this picture is damaged or incomplete. Save it again, or use another one.") from error


def _longest(long_side: int | None, limit: int | None) -> Target:
    def target(width: int, height: int) -> tuple[int, int]:
        longest = max(width, height)
        scale = (long_side or min(longest, limit or longest)) / longest
        return max(1, round(width * scale)), max(1, round(height * scale))

    return target


def _read(source: ImageSource, field: str, wanted: Target, most: _Most) -> Picture | Pixels:
    """Floats of what has more than eight bits, if it came as an array."""

    def target(width: int, height: int) -> tuple[int, int]:
        most.check_area(width, height)
        return wanted(width, height)

    with _named(field):
        if isinstance(source, Image.Image) and source.mode == "F":
            source = np.asarray(source)
        if isinstance(source, np.ndarray):
            return _from_array(source, target)
        if isinstance(source, Image.Image):
            return _from_image(source, target(*source.size))
        with _opened(source, most) as file:
            return _from_file(file, target)


def _from_file(file: BinaryIO, target: Target) -> Pixels:
    with _decoding():
        image = _identified(file)
        size = target(*image.size)
        image.draft(None, (round(_DECODED * size[0]), round(_DECODED * size[1])))  # a JPEG, at a fraction of its size
    return _from_image(image, size)


def _from_image(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """Resized first, so that colours and turning meet the small picture only."""
    with _decoding():
        image.load()
        about = image.info.get("icc_profile"), _orientation(image), _dpi(image)
        scale = _sixteen_bit_scale(image)
        if image.size != size:
            image = _scaled(_plain(image, scale), size)
        return _upright(image, scale, *about)


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Of L, RGB, RGBA or CMYK. Pillow weighs colours by alpha here, so that what is hidden stays so."""
    if image.mode == "RGBA" or not _is_smaller(size, image.size):
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=_GAP)
    return Image.frombytes(image.mode, size, _shrunk(_pixels(image), size[::-1]).tobytes())


def _pixels(image: Image.Image) -> np.ndarray:
    """(H, W, C) uint8; np.asarray would have them in memory twice for a while, and takes longer for that."""
    pixels = np.empty((image.height, image.width, len(image.getbands())), np.uint8)
    for top, strip in _strips(image):
        pixels[top : top + strip.height] = np.asarray(strip).reshape(strip.height, strip.width, -1)
    return pixels


def _upright(image: Image.Image, scale: int, profile: bytes | None, orientation: int, dpi: Dpi | None) -> Pixels:
    turned = orientation >= _FIRST_QUARTER_TURN
    shape = image.size if turned else image.size[::-1]
    rgb, alpha = np.empty((*shape, 3), np.uint8), None
    stored = _STORED[orientation]
    for top, strip in _strips(image):
        colours = np.asarray(_to_srgb(_plain(strip, scale), profile))
        stored(rgb)[top : top + len(colours)] = colours[..., :3]
        if colours.shape[2] == 4:
            alpha = np.empty(shape, np.uint8) if alpha is None else alpha
            stored(alpha)[top : top + len(colours)] = colours[..., 3]
    seen = alpha if alpha is not None and alpha.min() < 255 else None
    return Pixels(rgb, seen, dpi[::-1] if dpi and turned else dpi)


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    width, height = image.size
    rows = max(1, _STRIP // width)
    if rows >= height:
        yield 0, image
        return
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _plain(image: Image.Image, scale: int) -> Image.Image:
    """As L, RGB, RGBA or CMYK, of eight bits."""
    if image.mode.startswith("I"):
        image = _from_16_bits(image, scale)
    mode = "RGBA" if image.has_transparency_data else image.mode if image.mode in ("L", "CMYK") else "RGB"
    return image if image.mode == mode else image.convert(mode)  # Pillow copies even where nothing changes


def _sixteen_bit_scale(image: Image.Image) -> int:
    """What a level of eight bits is worth. Mode "I" has no range of its own: it may hold 8 bits."""
    if not image.mode.startswith("I"):
        return 1
    return 1 if image.mode == "I" and image.getextrema()[1] <= 255 else 257  # type: ignore[operator]


def _from_16_bits(image: Image.Image, scale: int) -> Image.Image:
    """Pillow's own conversion clips at 255; this scales."""
    values = np.asarray(image)
    grey = Image.fromarray((values.clip(0, 65535) / np.float32(scale) + 0.5).astype(np.uint8))
    if "transparency" in image.info:
        grey.putalpha(Image.fromarray((values != image.info["transparency"]).astype(np.uint8) * 255))
    return grey


def _exif(image: Image.Image, tag: int, missing: Any = None) -> Any:
    try:
        return Image.Image.getexif(image).get(tag, missing)  # that of PNG decodes the picture first
    except Exception:  # as with decoding: damaged EXIF fails in many ways, and the picture is fine without it
        return missing


def _orientation(image: Image.Image) -> int:
    found = _exif(image, ExifTags.Base.Orientation)
    return found if isinstance(found, int) and found in _STORED else 1


def _dpi(image: Image.Image) -> Dpi | None:
    """As the file itself says; Pillow makes up 72 for a JPEG that only says other things in its EXIF."""
    found = image.info.get("dpi")
    if found and (image.format not in ("JPEG", "MPO") or image.info.get("jfif_unit") in (1, 2)):
        return _sane(found)
    across, down = (_exif(image, tag) for tag in (ExifTags.Base.XResolution, ExifTags.Base.YResolution))
    inches = {1: None, 2: 1.0, 3: 2.54}.get(_exif(image, ExifTags.Base.ResolutionUnit, 2))
    return _sane((across, down), inches) if inches else None


def _sane(resolution: Any, scale: float = 1.0) -> Dpi | None:
    """None for what no printer or scanner has."""
    try:
        across, down = (_rounded(float(value) * scale) for value in resolution)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return (across, down) if all(LEAST_DPI <= value <= MOST_DPI for value in (across, down)) else None


def _rounded(dpi: float) -> float:
    """PNG counts in whole pixels a metre, which are 0.0254 an inch."""
    return float(round(dpi)) if abs(dpi - round(dpi)) < 0.0128 else round(dpi, 2)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA. A picture without a profile, or with a broken one, is taken as sRGB."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            transform = ImageCms.buildTransform(source, _srgb(), image.mode, mode)
            if image.mode != mode or _changes_colours(transform, mode):
                image = transform.apply(image)
    return image if image.mode == mode else image.convert(mode)


def _changes_colours(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Not where the profile is sRGB under another name: converting would take as long, and change no bit."""
    colours = _colours(mode)
    return transform.apply(colours).tobytes() != colours.tobytes()


@cache
def _colours(mode: str) -> Image.Image:
    """Nine levels of each of red, green and blue with one another."""
    levels = np.linspace(0, 255, 9, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(cube.reshape(27, 27, 3)).convert(mode)


def srgb_profile() -> bytes:
    """For every file that is written."""
    return _srgb().tobytes()


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    """Dated 1 January 2000, not this moment, so that the same picture always gives the same file."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return ImageCms.ImageCmsProfile(io.BytesIO(made[:24] + b"\x07\xd0\0\1\0\1" + bytes(6) + made[36:]))


def _from_array(array: np.ndarray, target: Target) -> Picture | Pixels:
    array = _with_channels(array)
    height, width, channels = array.shape
    size = target(width, height)
    if channels == 1:
        array = np.repeat(array, 3, axis=2)
    if array.dtype == np.uint8:
        return _from_image(Image.fromarray(array), size)
    pixels = _unit(array)
    scale = _weighed if channels == 4 and size != (width, height) else resize
    return _split(scale(pixels, size[::-1]))


def _with_channels(array: np.ndarray) -> np.ndarray:
    """(H, W, 1, 3 or 4)."""
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UnsupportedImage(f"an array must be height x width, or that by 1, 3 or 4 channels, not {array.shape}.")
    return array


def _split(pixels: np.ndarray) -> Picture:
    """(H, W, 3 or 4) -> a picture, its alpha None where nothing is clear."""
    alpha = pixels[..., 3] if pixels.shape[2] == 4 and pixels[..., 3].min() < 1 else None
    return Picture(np.ascontiguousarray(pixels[..., :3]), alpha)


def _unit(array: np.ndarray) -> np.ndarray:
    """float32 in 0..1."""
    if array.dtype in (np.uint8, np.uint16):
        return array / np.float32(np.iinfo(array.dtype).max)
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):  # what is not a number is neither
        raise UnsupportedImage("an array must be uint8, uint16, or floats from 0 to 1: divide 0..255 by 255.")
    return array.astype(np.float32)


def _weighed(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized with colours weighed by alpha, so that what is hidden stays so."""
    alpha = resize(rgba[..., 3:], size)
    rgb = resize(rgba[..., :3] * rgba[..., 3:], size) / np.maximum(alpha, 1e-6)
    return np.concatenate([rgb.clip(0, 1), alpha], axis=2)
