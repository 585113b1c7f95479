"""Any picture a user may bring <-> upright sRGB. The only reader of pictures, for every door."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    pass


Resolution: TypeAlias = tuple[float, float]  # pixels an inch, across and down


REDUCING_GAP = 3.0  # times as large as wanted, to which larger pictures come by plain averages


@dataclass(frozen=True)
class Picture:
    rgb: np.ndarray  # (H, W, 3) float32 in 0..1, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) float32 in 0..1; None: opaque
    dpi: Resolution | None = None


@dataclass(frozen=True)
class EightBitPicture:
    """A picture in a quarter of the memory."""

    rgb: np.ndarray  # (H, W, 3) uint8, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) uint8; None: opaque
    dpi: Resolution | None = None


def to_eight_bit(picture: Picture) -> EightBitPicture:
    alpha = None if picture.alpha is None else as_uint8(picture.alpha)
    return EightBitPicture(as_uint8(picture.rgb), alpha, picture.dpi)


def resize(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C), uint8 or floats in 0..1 -> (height, width, C) of the same dtype, by Lanczos."""
    if rgb.shape[:2] == size:
        return rgb
    if rgb.dtype == np.uint8 and fits_within(size, rgb.shape):
        return shrink(rgb, size)
    pixels = rgb if rgb.dtype == np.uint8 else rgb.astype(np.float32, copy=False)
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(pixels, 2, 0))
    small = np.stack([np.asarray(plane.resize(size[::-1], Image.Resampling.LANCZOS)) for plane in planes], axis=2)
    return small if rgb.dtype == np.uint8 else small.clip(0, 1).astype(rgb.dtype, copy=False)


def fits_within(size: tuple[int, ...], than: tuple[int, ...]) -> bool:
    return size[0] <= than[0] and size[1] <= than[1]


def shrink(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) uint8, by libvips: Pillow takes four times as long, and for enlarging no longer."""
    height, width, bands = pixels.shape
    image = load_vips().Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, bands, "uchar")
    smaller: np.ndarray = image.resize(
        size[1] / width, vscale=size[0] / height, kernel="lanczos3", gap=REDUCING_GAP
    ).numpy()
    return smaller.reshape(*size, bands)  # it leaves out a single band


@cache
def load_vips() -> ModuleType:
    """Loaded when it is needed. It remembers what it has done, and by the file's name at that; here it must not."""
    import pyvips  # type: ignore[import-untyped]

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    module: ModuleType = pyvips
    return module


def thumbnail(rgb: np.ndarray, side: int) -> np.ndarray:
    """A copy, its longer side at most `side` pixels."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    return resize(rgb, (max(1, round(height * scale)), max(1, round(width * scale))))


def thumbnail_float(rgb: np.ndarray, side: int) -> np.ndarray:
    """As `small`, in floats: the very same of a picture's bytes and of what `read` makes of them."""
    return as_float(rgb if max(rgb.shape[:2]) <= side else thumbnail(as_uint8(rgb), side))


def as_float(values: np.ndarray) -> np.ndarray:
    """0..255 -> float32 in 0..1; floats stay."""
    return values / np.float32(255) if values.dtype == np.uint8 else values


def as_uint8(values: np.ndarray) -> np.ndarray:
    """0..1 -> 0..255; uint8 stays."""
    if values.dtype == np.uint8:
        return values
    scaled = values.clip(0, 1)  # from here on in place: it may be large
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def resize_premultiplied(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized with colours weighed by alpha, so that what is hidden stays so."""
    alpha = resize(rgba[..., 3:], size)
    rgb = resize(rgba[..., :3] * rgba[..., 3:], size) / np.maximum(alpha, 1e-6)
    return np.concatenate([rgb.clip(0, 1), alpha], axis=2)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Decibels, of pictures in 0..1; not a number where one of them has a pixel that is none."""
    return float(-10 * np.log10(np.maximum(1e-20, np.square(one - other, dtype="float64").mean())))


def stack_alpha(photo: Picture) -> np.ndarray:
    return photo.rgb if photo.alpha is None else np.dstack([photo.rgb, photo.alpha])
