"""Compositing: layers of paint on a photo, each with its style, strength and mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from model.errors import ImageTooLarge
from model.imaging import color, masking, pixel_ops
from model.imaging.masking import Mask
from model.imaging.pixel_ops import RowSource, WriteRows, as_float, as_uint8, row_bands
from model.inference import johnson
from model.inference.magenta import MIN_CONTENT_SIDE, Magenta
from model.inference.tiling import renderer
from model.options import MAX_STRENGTH, StylizeOptions
from model.pipelines import coarse_to_fine, style_mixing
from model.pipelines.coarse_to_fine import Paint
from model.pipelines.style_mixing import PaintableStyle, StyleParts, StylePoint
from model.progress import OnStage
from model.weights.johnson_files import JohnsonNetwork

STEADY_SIDE = 192  # pixels, long side of the copy that steady strength is solved on
FULL_STRENGTH_DIFFERENCE = 0.21  # that strength 1 makes to the colours: the median of the styles that ship
_BISECTION_STEPS = 8  # the last one is finer than anybody sees
_PHOTO_STYLE_SIDE = 1024  # pixels, long side of the copy that the photo's own style vector is taken from


def solve_strength(wanted: float, photo: np.ndarray, render: Callable[[float], np.ndarray]) -> float:
    """Return the strength, 0 to MAX_STRENGTH, whose pastiche differs from the photo as `wanted` asks.

    photo: (H, W, 3), small. render(strength): its pastiche, likewise.
    """
    difference = wanted * FULL_STRENGTH_DIFFERENCE
    low, high = 0.0, MAX_STRENGTH
    for _ in range(_BISECTION_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if colour_difference(render(middle), photo) < difference else (low, middle)
    return (low + high) / 2 if wanted else 0.0


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
    """A style, or the parts of a blend, at a strength, and the mask where it is painted; None is everywhere."""

    parts: StyleParts
    strength: float
    mask: Mask | None = None

    @property
    def opacity(self) -> float:
        return style_mixing.parts_opacity(self.parts, self.strength)


def build_layers(
    network: Magenta,
    photo: np.ndarray,
    styles: Sequence[PaintableStyle],
    shares: Sequence[float],
    options: StylizeOptions,
    masks: Sequence[Mask],
) -> list[StyleLayer]:
    """Return one layer for each mask; without masks, one for the whole photo, (H, W, 3)."""
    blend, make_layer = style_mixing.blend_styles(styles, shares), _LayerBuilder(network, photo, options.steady)
    if not masks:
        return [make_layer(blend, options.strength)]
    regions = options.resolve_regions(len(masks), len(styles))
    return [
        make_layer(((styles[style - 1], 1.0),) if style else blend, strength, mask)
        for mask, (style, strength) in zip(masks, regions, strict=True)
    ]


class _LayerBuilder:
    """Makes layers of styles and strengths by mixing with the photo's own style vector."""

    def __init__(self, network: Magenta, photo: np.ndarray, is_steady: bool) -> None:
        self._network, self._photo, self._is_steady = network, photo, is_steady

    @cached_property
    def _photo_copy(self) -> np.ndarray:
        return pixel_ops.thumbnail_float(self._photo, _PHOTO_STYLE_SIDE)

    def __call__(self, parts: StyleParts, strength: float, mask: Mask | None = None) -> StyleLayer:
        if self._is_steady:
            strength = self._solve_strength(parts, strength)
        return StyleLayer(self._at(parts, strength), strength, mask)

    def _at(self, parts: StyleParts, strength: float) -> StyleParts:
        if strength in (0, 1):  # of 0 nothing is painted
            return parts
        share = style_mixing.mixing_share(strength)
        return style_mixing.parts_between(lambda: self._network.embed(self._photo_copy), parts, share)

    def _solve_strength(self, parts: StyleParts, wanted: float) -> float:
        small = pixel_ops.thumbnail(self._photo_copy, STEADY_SIDE)

        def render(strength: float) -> np.ndarray:
            mixed = self._at(parts, strength)
            pastiche = style_mixing.mean_picture(mixed, lambda style: _render_style(self._network, style, small))
            return pixel_ops.mix(pastiche, small, style_mixing.parts_opacity(parts, strength))

        return solve_strength(wanted, small, render)


def _render_style(network: Magenta, style: PaintableStyle, content: np.ndarray) -> np.ndarray:
    if isinstance(style, JohnsonNetwork):
        return johnson.render(style, content)
    return network.mixed_with(style.networks).render(content, style.vector)


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
        write = _band_writer(photo, canvas, mask, layer.opacity, options)
        progress = _layer_progress(on_stage, number, len(layers))
        notes += _render_layer(network, layer, photo, write, options, progress)
    return list(dict.fromkeys(notes))


def _band_writer(
    photo: WritableRows, canvas: WritableRows, mask: np.ndarray | None, opacity: float, options: StylizeOptions
) -> WriteRows:
    def write(top: int, pastiche: np.ndarray) -> None:
        rows = slice(top, top + len(pastiche))
        if options.keep_colours or options.keep_light:
            pastiche = color.preserve_colours(pastiche, as_float(photo[rows]), options.keep_colours, options.keep_light)
        pastiche = pixel_ops.mix(pastiche, as_float(photo[rows]), opacity)
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
    layer: StyleLayer,
    photo: WritableRows,
    write: WriteRows,
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    """Render the only part of a layer piece by piece; of several, collect the mean of their pictures first."""
    if layer.strength == 0:
        _write_photo(photo, write, on_stage)
        return []
    if len(layer.parts) == 1:
        return _render_part(network, layer.parts[0][0], photo, write, options, on_stage)
    mean, notes = np.zeros(photo.shape, "float32"), list[str]()
    for number, (style, share) in enumerate(layer.parts):
        progress = _layer_progress(on_stage, number, len(layer.parts))
        notes += _render_part(network, style, photo, partial(_add_rows, mean, share), options, progress)
    write(0, mean)
    return notes


def _add_rows(mean: np.ndarray, share: float, top: int, pastiche: np.ndarray) -> None:
    mean[top : top + len(pastiche)] += np.float32(share) * pastiche


def _render_part(
    network: Magenta,
    style: PaintableStyle,
    photo: WritableRows,
    write: WriteRows,
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    paint = _painter(network, style, options)
    if _is_single_colour(photo):
        return paint(photo, write, on_stage)
    return coarse_to_fine.render(paint, photo, write, on_stage)


def _painter(network: Magenta, style: PaintableStyle, options: StylizeOptions) -> Paint:
    """Return what paints a picture of any size in a style."""

    def paint(photo: RowSource, write: WriteRows, on_stage: OnStage | None) -> list[str]:
        if _is_single_colour(photo):  # or its smaller copy is
            _fill_colour(photo.shape, _flat_color(network, style), write, on_stage)
            return []
        if isinstance(style, StylePoint):
            return _render_point(network.mixed_with(style.networks), style.vector, photo, write, options, on_stage)
        write(0, johnson.render(style, as_float(photo[0 : photo.shape[0]]), on_stage))
        return []

    return paint


def _flat_color(network: Magenta, style: PaintableStyle) -> np.ndarray:
    if isinstance(style, JohnsonNetwork):
        return johnson.flat_color(style)
    return network.mixed_with(style.networks).flat_color(style.vector)


def _render_point(
    network: Magenta,
    vector: np.ndarray,
    photo: RowSource,
    write: WriteRows,
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    """Render as a whole, or in pieces where that is asked for, pays, or is all that memory allows."""
    height, width = photo.shape[:2]
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


def _write_photo(photo: WritableRows, write: WriteRows, on_stage: OnStage | None) -> None:
    report, height = on_stage or (lambda done, stages: None), photo.shape[0]
    for rows in row_bands(height):
        report(rows.start, height)
        write(rows.start, as_float(photo[rows]))
    report(height, height)


def _is_single_colour(photo: RowSource) -> bool:
    first = photo[0:1][:, :1]
    return all((photo[rows] == first).all() for rows in row_bands(photo.shape[0]))


def _fill_colour(shape: tuple[int, ...], colour: np.ndarray, write: WriteRows, on_stage: OnStage | None) -> None:
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
