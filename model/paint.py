"""The paint itself: style vectors laid on a photo in layers, each through its mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from model import color, images, regions, steady, tiles
from model.errors import ImageTooLarge
from model.images import eight_bits, floats
from model.magenta import SMALLEST_CONTENT, Magenta
from model.options import StylizeOptions
from model.progress import OnStage
from model.regions import Mask

_BAND = 256  # rows
_LOOKED_AT = 1024  # pixels, long side of the copy that the photo's own look is taken from


class Rows(Protocol):
    """(H, W, 3) uint8, or floats in 0..1, of which some rows at a time are in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...
    def __setitem__(self, rows: slice, pixels: np.ndarray, /) -> None: ...


@dataclass(frozen=True)
class Layer:
    """mix: the share of the style in `vector`, beside the photo's own look."""

    vector: np.ndarray
    mix: float
    mask: Mask | None = None


def layers(
    network: Magenta,
    photo: np.ndarray,
    vectors: Sequence[np.ndarray],
    shares: Sequence[float],
    options: StylizeOptions,
    masks: Sequence[Mask],
) -> list[Layer]:
    """One for each mask; without any, one for the whole photo, (H, W, 3)."""
    blend = np.average(vectors, axis=0, weights=shares).astype("float32")
    mixed = _Mixer(network, photo, options.steady)
    if not masks:
        return [Layer(*mixed(blend, options.strength))]
    wanted = options.regions(len(masks), len(vectors))
    return [
        Layer(*mixed(vectors[style - 1] if style else blend, strength), mask)
        for mask, (style, strength) in zip(masks, wanted, strict=True)
    ]


class _Mixer:
    """A style vector and a strength -> the vector that has that strength on this photo, and the share of the style."""

    def __init__(self, network: Magenta, photo: np.ndarray, is_steady: bool) -> None:
        self._network, self._photo, self._is_steady = network, photo, is_steady

    @cached_property
    def _copy(self) -> np.ndarray:
        return images.small_floats(self._photo, _LOOKED_AT)

    def __call__(self, vector: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
        share = self._solved(vector, strength) if self._is_steady else strength
        return self._mixed(vector, share), share

    def _mixed(self, vector: np.ndarray, share: float) -> np.ndarray:
        if share == 1:
            return vector
        own = self._network.embed(self._copy)
        mixed: np.ndarray = own + np.float32(share) * (vector - own)
        return mixed

    def _solved(self, vector: np.ndarray, strength: float) -> float:
        small = images.small(self._copy, steady.SIDE)
        return steady.share(strength, small, lambda share: self._network.render(small, self._mixed(vector, share)))


def paint(
    network: Magenta,
    laid: Sequence[Layer],
    photo: Rows,
    alpha: np.ndarray | None,
    canvas: Rows,
    options: StylizeOptions,
    on_stage: OnStage | None = None,
) -> list[str]:
    """Fills `canvas`, as large as the photo, rows of uint8 or floats as it has them. alpha: the photo's, (H, W) uint8.

    The notes that come back say what was done otherwise than asked for.
    """
    height, width = photo.shape[:2]
    notes: list[str] = []
    if laid[0].mask is not None:
        _cover(canvas, photo)
    for number, layer in enumerate(laid):
        fitted = layer.mask.fitted(height, width, alpha, options.feather, options.paint) if layer.mask else None
        put = _putting(photo, canvas, fitted, options)
        notes += _render(network, layer.vector, photo, put, options, _nth(on_stage, number, len(laid)))
    return list(dict.fromkeys(notes))


def _putting(
    photo: Rows, canvas: Rows, mask: np.ndarray | None, options: StylizeOptions
) -> Callable[[int, np.ndarray], None]:
    def put(top: int, pastiche: np.ndarray) -> None:
        rows = slice(top, top + len(pastiche))
        if options.keep_colours or options.keep_light:
            pastiche = color.kept(pastiche, floats(photo[rows]), options.keep_colours, options.keep_light)
        if mask is not None:
            below = canvas[rows]
            if canvas.dtype != np.uint8:  # in soft edges as a file has it, so that both have the same pixels
                below = np.where(mask[rows][..., None] > 0, floats(eight_bits(below)), below)
            pastiche = regions.laid(pastiche, floats(below), mask[rows])
        canvas[rows] = eight_bits(pastiche) if canvas.dtype == np.uint8 else pastiche

    return put


def _cover(canvas: Rows, photo: Rows) -> None:
    for top in range(0, photo.shape[0], _BAND):
        rows = slice(top, top + _BAND)
        canvas[rows] = photo[rows]


def _render(
    network: Magenta,
    vector: np.ndarray,
    photo: Rows,
    put: Callable[[int, np.ndarray], None],
    options: StylizeOptions,
    on_stage: OnStage | None,
) -> list[str]:
    """In pieces where that is asked for, pays, or is all that memory allows."""
    height, width = photo.shape[:2]
    if _is_of_one_colour(photo):
        _fill(photo.shape, network.flat(vector), put, on_stage)
        return []
    if _in_pieces(height, width, options.tiles):
        tiles.render(network, photo, vector, put, on_stage)
        return []
    try:
        put(0, network.render(floats(photo[0:height]), vector, on_stage))
    except ImageTooLarge:
        if options.tiles == "never" or min(height, width) < SMALLEST_CONTENT:
            raise
        tiles.render(network, photo, vector, put, on_stage)
        return ["Too little memory was free for the whole picture at once, so it was painted in pieces."]
    return []


def _is_of_one_colour(photo: Rows) -> bool:
    first = photo[0:1][:, :1]
    return all((photo[top : top + _BAND] == first).all() for top in range(0, photo.shape[0], _BAND))


def _fill(
    shape: tuple[int, ...], colour: np.ndarray, put: Callable[[int, np.ndarray], None], on_stage: OnStage | None
) -> None:
    tell = on_stage or (lambda done, of: None)
    for top in range(0, shape[0], _BAND):
        tell(top, shape[0])
        put(top, np.broadcast_to(colour, (min(_BAND, shape[0] - top), *shape[1:])))
    tell(shape[0], shape[0])


def _in_pieces(height: int, width: int, wish: str) -> bool:
    """Very small pictures are never: the network gives them margins as a whole."""
    large = wish == "always" or (wish == "auto" and height * width > tiles.TILED_FROM)
    return large and min(height, width) >= SMALLEST_CONTENT


def _nth(on_stage: OnStage | None, number: int, layers: int) -> OnStage | None:
    """Of several layers each goes through as many stages."""
    if on_stage is None or layers == 1:
        return on_stage
    return lambda done, of: on_stage(number * of + done, layers * of) if done < of or number == layers - 1 else None
