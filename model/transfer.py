"""A photo and some paintings in, a pastiche out: what every door calls."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model import images, weights
from model.errors import InvalidOption
from model.images import ImageSource, Picture
from model.options import DEFAULT_SIDE, StylizeOptions

if TYPE_CHECKING:
    from model.magenta import Magenta

ModelPath = str | os.PathLike[str] | None
STYLE_LIMIT = 1024  # pixels; the predictor looks at 256, more would only be carried around
LARGEST = 1e6  # of a style vector's numbers, which seldom pass 10; enormous ones would overflow into a picture of NaN


@dataclass(frozen=True)
class Pastiche:
    """The result: the picture, which weights made it, how long that took, and all it takes to make it again."""

    picture: Picture
    weights: str
    seconds: float
    recipe: dict[str, Any]


def stylize(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: StylizeOptions | None = None,
    model_path: ModelPath = None,
) -> Pastiche:
    """`content` in the blend of `styles`: each a picture, or a style vector as a one-dimensional array.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before the network is loaded.
    """
    start = time.perf_counter()
    options = options or StylizeOptions()
    shares = options.blend_weights(len(styles))
    limit = None if options.size else DEFAULT_SIDE
    photo = images.read(content, field="content", long_side=options.size, limit=limit)
    readied = [_read_style(style) for style in styles]
    network = _network(model_path)
    vectors = [_vector(network, style) for style in readied]
    vector = np.average(vectors, axis=0, weights=shares).astype("float32")
    if options.strength < 1:
        own = network.embed(photo.rgb)
        vector = own + np.float32(options.strength) * (vector - own)
    pastiche = Picture(network.render(photo.rgb, vector), photo.alpha)
    recipe = _recipe(network, photo, options, shares, vectors)
    return Pastiche(pastiche, network.name, time.perf_counter() - start, recipe)


def style_vector(style: ImageSource, model_path: ModelPath = None) -> np.ndarray:
    """The numbers the network sees in a painting, (n,) float32; give them back as a style at any time."""
    readied = _read_style(style)
    return _vector(_network(model_path), readied).copy()


def ready() -> str:
    """Loads the weights that `stylize` uses by default and returns their name."""
    return _network(None).name


def _network(model_path: ModelPath) -> Magenta:
    from model import magenta  # loads TensorFlow

    return magenta.load(weights.choose(model_path))


def _read_style(style: ImageSource) -> np.ndarray:
    """(H, W, 3) of a picture; a style vector as it is."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    return images.read(style, field="style", limit=STYLE_LIMIT).rgb


def _vector(network: Magenta, style: np.ndarray) -> np.ndarray:
    if style.ndim != 1:
        return network.embed(style)
    size = network.architecture.vector_size
    if style.shape != (size,) or style.dtype.kind != "f" or not np.abs(style).max() <= LARGEST:
        raise InvalidOption(
            f"A style vector for the weights '{network.name}' is {size} decimal numbers of ordinary size, not these "
            f"{style.size} of type {style.dtype}: make one from the painting with style_vector().",
            "style",
        )
    return style.astype("float32")


def _recipe(
    network: Magenta, photo: Picture, options: StylizeOptions, shares: list[float], vectors: list[np.ndarray]
) -> dict[str, Any]:
    height, width = photo.rgb.shape[:2]
    digests = [hashlib.sha256(vector.tobytes()).hexdigest() for vector in vectors]
    return {
        "method": "magenta",
        "weights": network.name,
        "weights_sha256": network.sha256,
        "strength": options.strength,
        "width": width,
        "height": height,
        "styles": [{"weight": w, "vector_sha256": d} for w, d in zip(shares, digests, strict=True)],
    }
