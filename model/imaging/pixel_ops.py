"""Pictures in memory, and operations on their pixels: dtype conversion, resizing, thumbnails, alpha, comparison."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Protocol, TypeAlias

import numpy as np
from PIL import Image

from model.options import scaled_size

Resolution: TypeAlias = tuple[float, float]  # pixels an inch, across and down
WriteRows: TypeAlias = Callable[[int, np.ndarray], None]  # write(top, rows): rows (h, W, 3) are floats in 0..1

BAND_ROWS = 256  # rows of a large picture that are worked on at a time
REDUCING_GAP = 3.0  # larger pictures are first reduced by plain averages to this many times the wanted size


class RowSource(Protocol):
    """A picture (H, W, 3) whose rows are read as rows[a:b]: uint8, or float32 in 0..1."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Picture:
    rgb: np.ndarray  # (H, W, 3) float32 in 0..1, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) float32 in 0..1; None: opaque
    dpi: Resolution | None = None


@dataclass(frozen=True)
class EightBitPicture:
    """A picture of eight bits a channel, in a quarter of the memory."""

    rgb: np.ndarray  # (H, W, 3) uint8, sRGB, upright
    alpha: np.ndarray | None = None  # (H, W) uint8; None: opaque
    dpi: Resolution | None = None


def row_bands(height: int) -> Iterator[slice]:
    """Yield slices of BAND_ROWS rows, from top to bottom, that cover `height` rows; the last may reach beyond them."""
    for top in range(0, height, BAND_ROWS):
        yield slice(top, top + BAND_ROWS)


def to_float(picture: Picture | EightBitPicture) -> Picture:
    alpha = None if picture.alpha is None else as_float(picture.alpha)
    return Picture(as_float(picture.rgb), alpha, picture.dpi)


def to_eight_bit(picture: Picture | EightBitPicture) -> EightBitPicture:
    alpha = None if picture.alpha is None else as_uint8(picture.alpha)
    return EightBitPicture(as_uint8(picture.rgb), alpha, picture.dpi)


def resize(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W, C) uint8, or floats in 0..1, to (height, width, C) of the same dtype, by Lanczos."""
    if rgb.shape[:2] == size:
        return rgb
    if rgb.dtype == np.uint8 and fits_within(size, rgb.shape):
        return shrink(rgb, size)
    pixels = rgb if rgb.dtype == np.uint8 else rgb.astype(np.float32, copy=False)
    planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(pixels, 2, 0))
    small = np.stack([np.asarray(plane.resize(size[::-1], Image.Resampling.LANCZOS)) for plane in planes], axis=2)
    return small if rgb.dtype == np.uint8 else small.clip(0, 1).astype(rgb.dtype, copy=False)


def fits_within(size: tuple[int, ...], limit: tuple[int, ...]) -> bool:
    return size[0] <= limit[0] and size[1] <= limit[1]


def shrink(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Reduce (H, W, C) uint8 to (height, width, C) by libvips, in a quarter of Pillow's time."""
    height, width, bands = pixels.shape
    image = load_vips().Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, bands, "uchar")
    smaller: np.ndarray = image.resize(
        size[1] / width, vscale=size[0] / height, kernel="lanczos3", gap=REDUCING_GAP
    ).numpy()
    return smaller.reshape(*size, bands)  # it leaves out a single band


@cache
def load_vips() -> ModuleType:
    """Import pyvips when it is first needed, without its cache, which knows files by their names alone."""
    import pyvips  # type: ignore[import-untyped]

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    module: ModuleType = pyvips
    return module


def thumbnail(rgb: np.ndarray, side: int) -> np.ndarray:
    """Reduce (H, W, C) until the longer side is at most `side` pixels; never enlarge."""
    height, width = rgb.shape[:2]
    return resize(rgb, scaled_size(height, width, min(1.0, side / max(height, width))))


def thumbnail_float(rgb: np.ndarray, side: int) -> np.ndarray:
    """Return `thumbnail` as floats, the same to the bit for a picture's bytes and for the floats read from them."""
    return as_float(rgb if max(rgb.shape[:2]) <= side else thumbnail(as_uint8(rgb), side))


def as_float(values: np.ndarray) -> np.ndarray:
    """Convert uint8 to float32 in 0..1; floats stay as they are."""
    return values / np.float32(255) if values.dtype == np.uint8 else values


def as_uint8(values: np.ndarray) -> np.ndarray:
    """Convert floats in 0..1 to uint8, clipped and rounded; uint8 stays as it is."""
    if values.dtype == np.uint8:
        return values
    scaled = values.clip(0, 1)  # from here on in place, as it may be large
    scaled *= 255
    scaled += 0.5
    return scaled.astype(np.uint8)


def resize_premultiplied(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize (H, W, 4) floats with colours weighted by alpha, so that the colours of clear pixels do not show."""
    alpha = resize(rgba[..., 3:], size)
    rgb = resize(rgba[..., :3] * rgba[..., 3:], size) / np.maximum(alpha, 1e-6)
    return np.concatenate([rgb.clip(0, 1), alpha], axis=2)


def mix(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Return that share of `one` over `other`, both (H, W, 3) floats; at 1 it is `one` to the bit."""
    return one if share == 1 else other + np.float32(share) * (one - other)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio, in decibels, of two pictures in 0..1; NaN where a pixel is NaN."""
    return float(-10 * np.log10(np.maximum(1e-20, np.square(one - other, dtype="float64").mean())))


def stack_alpha(picture: Picture | EightBitPicture) -> np.ndarray:
    """Return (H, W, 4), or (H, W, 3) of a picture without alpha."""
    return picture.rgb if picture.alpha is None else np.dstack([picture.rgb, picture.alpha])
