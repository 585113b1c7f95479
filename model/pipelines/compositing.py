"""Compositing: layers of paint on a photo, each with its style vector, strength and mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from model.errors import ImageTooLarge
from model.imaging import color, masking, pixel_ops
from model.imaging.masking import Mask
from model.imaging.pixel_ops import as_float, as_uint8, row_bands
from model.inference.magenta import MIN_CONTENT_SIDE, Magenta
from model.inference.tiling import renderer
from model.options import StylizeOptions
from model.progress import OnStage

STEADY_SIDE = 192  # pixels, long side of the copy that steady strength is solved on
FULL_STRENGTH_DIFFERENCE = 0.11  # that strength 1 adds to the colours: the median of the paintings that ship
MAX_SHARE = 1.5  # of a style vector; further away from the photo's own vector no painting lies
_BISECTION_STEPS = 8  # the last one is finer than anybody sees
_PHOTO_STYLE_SIDE = 1024  # pixels, long side of the copy that the photo's own style vector is taken from


def solve_share(strength: float, photo: np.ndarray, render: Callable[[float], np.ndarray]) -> float:
    """Return the share of the style vector, 0 to MAX_SHARE, whose pastiche differs from the photo as `strength` asks.

    photo: (H, W, 3), small. render(share): its pastiche, likewise.
    """
    wanted = colour_difference(render(0.0), photo) + strength * FULL_STRENGTH_DIFFERENCE
    low, high = 0.0, MAX_SHARE
    for _ in range(_BISECTION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if colour_difference(render(middle), photo) < wanted else (low, middle)
    return (low + high) / 2 if strength else 0.0


def colour_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean distance of two pictures' colours in Oklab, where black and white are 1 apart."""
    return float(np.linalg.norm(color.srgb_to_oklab(one) - color.srgb_to_oklab(other), axis=-1).mean())


class WritableRows(Protocol):
    """(H, W, 3) uint8 or floats in 0..1, read and written by rows: an array in memory or on disk."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...
    def __setitem__(self, rows: slice, pixels: np.ndarray, /) -> None: ...


@dataclass(frozen=True)
class StyleLayer:
    """A style and the mask where it is painted; None is everywhere.

    vector: a mix of the style's vector and the photo's own.
    style_share: of the style's in that mix.
    """

    vector: np.ndarray
    style_share: float
    mask: Mask | None = None


def build_layers(
    network: Magenta,
    photo: np.ndarray,
    vectors: Sequence[np.ndarray],
    shares: Sequence[float],
    options: StylizeOptions,
    masks: Sequence[Mask],
) -> list[StyleLayer]:
    """Return one layer for each mask; without masks, one for the whole photo, (H, W, 3)."""
    blend = np.average(vectors, axis=0, weights=shares).astype("float32")
    mix_with_photo = _VectorMixer(network, photo, options.steady)
    if not masks:
        return [StyleLayer(*mix_with_photo(blend, options.strength))]
    regions = options.resolve_regions(len(masks), len(vectors))
    return [
        StyleLayer(*mix_with_photo(vectors[style - 1] if style else blend, strength), mask)
        for mask, (style, strength) in zip(masks, regions, strict=True)
    ]


class _VectorMixer:
    """Mixes a style vector with the photo's own: returns the vector of a strength, and the share of the style in it."""

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
        photo_vector = self._network.embed(self._photo_copy)
        mixed: np.ndarray = photo_vector + np.float32(share) * (vector - photo_vector)
        return mixed

    def _solve_share(self, vector: np.ndarray, strength: float) -> float:
        small = pixel_ops.thumbnail(self._photo_copy, STEADY_SIDE)
        return solve_share(strength, small, lambda share: self._network.render(small, self._interpolate(vector, share)))


def paint_layers(
    network: Magenta,
    layers: Sequence[StyleLayer],
    photo: WritableRows,
    alpha: np.ndarray | None,
    canvas: WritableRows,
    options: StylizeOptions,
    on_stage: OnStage | None = None,
) -> list[str]:
    """Fill `canvas`, as large as the photo, and return notes on what was done otherwise than asked for.

    alpha: the photo's, (H, W) uint8.
    """
    height, width = photo.shape[:2]
    notes: list[str] = []
    if layers[0].mask is not None:
        _copy_photo(canvas, photo)
    for number, layer in enumerate(layers):
        mask = layer.mask.to_array(height, width, alpha, options.feather, options.paint) if layer.mask else None
        write = _band_writer(photo, canvas, mask, options)
        progress = _layer_progress(on_stage, number, len(layers))
        notes += _render_layer(network, layer.vector, photo, write, options, progress)
    return list(dict.fromkeys(notes))


def _band_writer(
    photo: WritableRows, canvas: WritableRows, mask: np.ndarray | None, options: StylizeOptions
) -> Callable[[int, np.ndarray], None]:
    def write(top: int, pastiche: np.ndarray) -> None:
        rows = slice(top, top + len(pastiche))
        if options.keep_colours or options.keep_light:
            pastiche = color.preserve_colours(pastiche, as_float(photo[rows]), options.keep_colours, options.keep_light)
        if mask is not None:
            below = canvas[rows]
            if canvas.dtype != np.uint8:  # rounded as in a file, so that soft edges have the same pixels there
                below = np.where(mask[rows][..., None] > 0, as_float(as_uint8(below)), below)
            pastiche = masking.blend(pastiche, as_float(below), mask[rows])
        canvas[rows] = as_uint8(pastiche) if canvas.dtype == np.uint8 else pastiche

    return write


def _copy_photo(canvas: WritableRows, photo: WritableRows) -> None:
    for rows in row_bands(photo.shape[0]):
        canvas[rows] = photo[rows]


def _render_layer(
    network: Magenta,
    vector: np.ndarray,
    photo: WritableRows,
    write: Callable[[int, np.ndarray], None],
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    """Render as a whole, or in pieces where that is asked for, pays, or is all that memory allows."""
    height, width = photo.shape[:2]
    if _is_single_colour(photo):
        _fill_colour(photo.shape, network.flat_color(vector), write, on_stage)
        return []
    if needs_tiling(height, width, options.tiles):
        renderer.render(network, photo, vector, write, on_stage)
        return []
    try:
        write(0, network.render(as_float(photo[0:height]), vector, on_stage))
    except ImageTooLarge:
        if options.tiles == "never" or min(height, width) < MIN_CONTENT_SIDE:
            raise
        renderer.render(network, photo, vector, write, on_stage)
        return ["Too little memory was free for the whole picture at once, so it was painted in pieces."]
    return []


def _is_single_colour(photo: WritableRows) -> bool:
    first = photo[0:1][:, :1]
    return all((photo[rows] == first).all() for rows in row_bands(photo.shape[0]))


def _fill_colour(
    shape: tuple[int, ...], colour: np.ndarray, write: Callable[[int, np.ndarray], None], on_stage: OnStage | None
) -> None:
    report = on_stage or (lambda done, stages: None)
    height = shape[0]
    for rows in row_bands(height):
        report(rows.start, height)
        write(rows.start, np.broadcast_to(colour, (min(rows.stop, height) - rows.start, *shape[1:])))
    report(height, height)


def needs_tiling(height: int, width: int, wish: str) -> bool:
    """Tell whether a result is painted in pieces; very small ones never are, as the network pads them as a whole."""
    large = wish == "always" or (wish == "auto" and height * width > renderer.TILING_THRESHOLD)
    return large and min(height, width) >= MIN_CONTENT_SIDE


def _layer_progress(on_stage: OnStage | None, number: int, layers: int) -> OnStage | None:
    """Return the progress of one of several layers, each of which goes through as many stages."""
    if on_stage is None or layers == 1:
        return on_stage
    return lambda done, of: on_stage(number * of + done, layers * of) if done < of or number == layers - 1 else None
