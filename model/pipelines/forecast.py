"""Forecasts: the time, memory and disk that a pastiche will take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from model.hardware import memory
from model.options import StylizeOptions
from model.pipelines import coarse_to_fine
from model.weights import registry

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.stylization import ModelPath

FORECAST_TRIAL_SIDE = 512  # pixels
OVERHEAD_FACTOR = 1.15  # of the network's time, for reading, colours and writing; seen from 4 to 100 MP

# As measured by bench/big.py: Python with TensorFlow and the weights; the bands; the photo, and its file in writing.
BASE_BYTES = 750_000_000
BANDS_BYTES = 250_000_000
PHOTO_BYTES_PER_PIXEL = 7
SCRATCH_BYTES_PER_PIXEL = 7  # on disk, of the result with its alpha; the feature maps come in addition


@dataclass(frozen=True)
class Forecast:
    """The result's width and height, the seconds on this machine now, and the bytes of memory and of disk."""

    width: int
    height: int
    seconds: float | None
    memory: int
    disk: int
    tiled: bool


def estimate(
    width: int,
    height: int,
    options: StylizeOptions,
    masks: int = 0,
    model_path: ModelPath = None,
    imported: bool = False,
) -> Forecast:
    """Forecast a pastiche of a photo of this size; the first call of a process takes a second or two for a trial.

    imported: whether a style is an imported network, which paints the picture as a whole, in a time that is not known.

    Raises InvalidOption where the result would be too large, and WeightsError.
    """
    width, height = options.result_size(width, height)
    from model.inference import johnson, magenta
    from model.inference.tiling import renderer  # load TensorFlow

    if imported:
        needed = BASE_BYTES + width * height * johnson.JOHNSON_BYTES_PER_PIXEL
        return Forecast(width, height, None, needed, 0, False)
    network = magenta.load(registry.choose(model_path))
    is_tiled = will_be_tiled(width, height, options.tiles)
    pixels = coarse_to_fine.painted_pixels(height, width)
    seconds = OVERHEAD_FACTOR * max(1, masks) * pixels * seconds_per_pixel(network, is_tiled)
    if not is_tiled:
        needed = BASE_BYTES + width * height * memory.BYTES_PER_PIXEL
        return Forecast(width, height, seconds, needed, 0, False)
    smaller = 3 * (pixels - width * height)  # the pictures of smaller sizes, in bytes
    needed = BASE_BYTES + BANDS_BYTES + smaller + width * height * PHOTO_BYTES_PER_PIXEL
    disk = renderer.disk_bytes(network.architecture, height, width) + width * height * SCRATCH_BYTES_PER_PIXEL
    return Forecast(width, height, seconds, needed, disk, True)


def will_be_tiled(width: int, height: int, wish: str) -> bool:
    """Tell whether compositing will paint in pieces, from the start or because too little memory is free."""
    from model.inference.magenta import MIN_CONTENT_SIDE
    from model.pipelines.compositing import needs_tiling

    free = memory.free_bytes()
    is_tight = free is not None and width * height * memory.BYTES_PER_PIXEL > free
    may_tile = wish != "never" and min(width, height) >= MIN_CONTENT_SIDE
    return needs_tiling(height, width, wish) or (is_tight and may_tile)


@lru_cache(maxsize=8)
def seconds_per_pixel(network: Magenta, is_tiled: bool) -> float:
    """Measure a small picture: the better of two trials, after one to warm up."""
    from model.inference.tiling import renderer

    photo = np.random.default_rng(0).random((FORECAST_TRIAL_SIDE, FORECAST_TRIAL_SIDE, 3), dtype="float32")
    vector = np.zeros(network.architecture.vector_size, "float32")

    def trial() -> float:
        start = time.perf_counter()
        if is_tiled:
            renderer.render(network, photo, vector, lambda top, rows: None)
        else:
            network.render(photo, vector)
        return time.perf_counter() - start

    trial()
    return min(trial(), trial()) / photo[..., 0].size
