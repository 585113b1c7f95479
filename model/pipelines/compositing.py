"""The paint itself: style vectors laid on a photo in layers, each through its mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from model.errors import ImageTooLarge
from model.imaging import color, masking, pixel_ops
from model.imaging.masking import Mask
from model.imaging.pixel_ops import as_float, as_uint8
from model.inference.magenta import MIN_CONTENT_SIDE, Magenta
from model.inference.tiling import renderer
from model.options import StylizeOptions
from model.progress import OnStage

STEADY_SIDE = 192  # pixels, long side of the copy
FULL_STRENGTH_DIFFERENCE = (
    0.11  # what strength 1 adds to the difference: as much as the median of the paintings that ship, in full
)
MAX_SHARE = 1.5  # share of a vector: further from the photo's own look lies what no painting looks like
_BISECTION_STEPS = 8  # of halving; the last is finer than anybody sees


def solve_share(strength: float, photo: np.ndarray, render: Callable[[float], np.ndarray]) -> float:
    """The share of the style vector, 0 to MOST, with which `render` differs from `photo` as `strength` asks for.

    photo: (H, W, 3), small. render(share): its pastiche, likewise.
    """
    wanted = colour_difference(render(0.0), photo) + strength * FULL_STRENGTH_DIFFERENCE
    low, high = 0.0, MAX_SHARE
    for _ in range(_BISECTION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if colour_difference(render(middle), photo) < wanted else (low, middle)
    return (low + high) / 2 if strength else 0.0


def colour_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of two pictures' colours in Oklab, where black and white are 1 apart."""
    return float(np.linalg.norm(color.srgb_to_oklab(one) - color.srgb_to_oklab(other), axis=-1).mean())


_BAND_ROWS = 256  # rows
_PHOTO_STYLE_SIDE = 1024  # pixels, long side of the copy that the photo's own look is taken from


class WritableRows(Protocol):
    """(H, W, 3) uint8, or floats in 0..1, of which some rows at a time are in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...
    def __setitem__(self, rows: slice, pixels: np.ndarray, /) -> None: ...


@dataclass(frozen=True)
class StyleLayer:
    """mix: the share of the style in `vector`, beside the photo's own look."""

    vector: np.ndarray
    mix: float
    mask: Mask | None = None


def build_layers(
    network: Magenta,
    photo: np.ndarray,
    vectors: Sequence[np.ndarray],
    shares: Sequence[float],
    options: StylizeOptions,
    masks: Sequence[Mask],
) -> list[StyleLayer]:
    """One for each mask; without any, one for the whole photo, (H, W, 3)."""
    blend = np.average(vectors, axis=0, weights=shares).astype("float32")
    mixed = _VectorMixer(network, photo, options.steady)
    if not masks:
        return [StyleLayer(*mixed(blend, options.strength))]
    wanted = options.resolve_regions(len(masks), len(vectors))
    return [
        StyleLayer(*mixed(vectors[style - 1] if style else blend, strength), mask)
        for mask, (style, strength) in zip(masks, wanted, strict=True)
    ]


class _VectorMixer:
    """A style vector and a strength -> the vector that has that strength on this photo, and the share of the style."""

    def __init__(self, network: Magenta, photo: np.ndarray, is_steady: bool) -> None:
        self._network, self._photo, self._is_steady = network, photo, is_steady

    @cached_property
    def _photo_copy(self) -> np.ndarray:
        return pixel_ops.thumbnail_float(self._photo, _PHOTO_STYLE_SIDE)

    def __call__(self, vector: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
        share = self._solve_share(vector, strength) if self._is_steady else strength
        return self._interpolate(vector, share), share

    def _interpolate(self, vector: np.ndarray, share: float) -> np.ndarray:
        if share == 1:
            return vector
        own = self._network.embed(self._photo_copy)
        mixed: np.ndarray = own + np.float32(share) * (vector - own)
        return mixed

    def _solve_share(self, vector: np.ndarray, strength: float) -> float:
        small = pixel_ops.thumbnail(self._photo_copy, STEADY_SIDE)
        return solve_share(strength, small, lambda share: self._network.render(small, self._interpolate(vector, share)))


def paint_layers(
    network: Magenta,
    laid: Sequence[StyleLayer],
    photo: WritableRows,
    alpha: np.ndarray | None,
    canvas: WritableRows,
    options: StylizeOptions,
    on_stage: OnStage | None = None,
) -> list[str]:
    """Fills `canvas`, as large as the photo, rows of uint8 or floats as it has them. alpha: the photo's, (H, W) uint8.

    The notes that come back say what was done otherwise than asked for.
    """
    height, width = photo.shape[:2]
    notes: list[str] = []
    if laid[0].mask is not None:
        _copy_photo(canvas, photo)
    for number, layer in enumerate(laid):
        fitted = layer.mask.to_array(height, width, alpha, options.feather, options.paint) if layer.mask else None
        put = _band_writer(photo, canvas, fitted, options)
        notes += _render_layer(network, layer.vector, photo, put, options, _layer_progress(on_stage, number, len(laid)))
    return list(dict.fromkeys(notes))


def _band_writer(
    photo: WritableRows, canvas: WritableRows, mask: np.ndarray | None, options: StylizeOptions
) -> Callable[[int, np.ndarray], None]:
    def put(top: int, pastiche: np.ndarray) -> None:
        rows = slice(top, top + len(pastiche))
        if options.keep_colours or options.keep_light:
            pastiche = color.preserve_colours(pastiche, as_float(photo[rows]), options.keep_colours, options.keep_light)
        if mask is not None:
            below = canvas[rows]
            if canvas.dtype != np.uint8:  # in soft edges as a file has it, so that both have the same pixels
                below = np.where(mask[rows][..., None] > 0, as_float(as_uint8(below)), below)
            pastiche = masking.blend(pastiche, as_float(below), mask[rows])
        canvas[rows] = as_uint8(pastiche) if canvas.dtype == np.uint8 else pastiche

    return put


def _copy_photo(canvas: WritableRows, photo: WritableRows) -> None:
    for top in range(0, photo.shape[0], _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        canvas[rows] = photo[rows]


def _render_layer(
    network: Magenta,
    vector: np.ndarray,
    photo: WritableRows,
    put: Callable[[int, np.ndarray], None],
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    """In pieces where that is asked for, pays, or is all that memory allows."""
    height, width = photo.shape[:2]
    if _is_single_colour(photo):
        _fill_colour(photo.shape, network.flat_color(vector), put, on_stage)
        return []
    if _needs_tiling(height, width, options.tiles):
        renderer.render(network, photo, vector, put, on_stage)
        return []
    try:
        put(0, network.render(as_float(photo[0:height]), vector, on_stage))
    except ImageTooLarge:
        if options.tiles == "never" or min(height, width) < MIN_CONTENT_SIDE:
            raise
        renderer.render(network, photo, vector, put, on_stage)
        return ["Too little memory was free for the whole picture at once, so it was painted in pieces."]
    return []


def _is_single_colour(photo: WritableRows) -> bool:
    first = photo[0:1][:, :1]
    return all((photo[top : top + _BAND_ROWS] == first).all() for top in range(0, photo.shape[0], _BAND_ROWS))


def _fill_colour(
    shape: tuple[int, ...], colour: np.ndarray, put: Callable[[int, np.ndarray], None], on_stage: OnStage | None
) -> None:
    tell = on_stage or (lambda done, of: None)
    for top in range(0, shape[0], _BAND_ROWS):
        tell(top, shape[0])
        put(top, np.broadcast_to(colour, (min(_BAND_ROWS, shape[0] - top), *shape[1:])))
    tell(shape[0], shape[0])


def _needs_tiling(height: int, width: int, wish: str) -> bool:
    """Very small pictures are never: the network gives them margins as a whole."""
    large = wish == "always" or (wish == "auto" and height * width > renderer.TILING_THRESHOLD)
    return large and min(height, width) >= MIN_CONTENT_SIDE


def _layer_progress(on_stage: OnStage | None, number: int, layers: int) -> OnStage | None:
    """Of several layers each goes through as many stages."""
    if on_stage is None or layers == 1:
        return on_stage
    return lambda done, of: on_stage(number * of + done, layers * of) if done < of or number == layers - 1 else None
