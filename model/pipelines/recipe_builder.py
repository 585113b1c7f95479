"""What a pastiche was made of, as its recipe tells it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from model.imaging.masking import Mask
from model.imaging.pixel_ops import as_uint8
from model.options import StylizeOptions
from model.style_file import StyleFile

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.compositing import StyleLayer


PROJECT_VERSION = "0.1.0"  # of this project


def stylize_recipe(
    network: Magenta,
    options: StylizeOptions,
    shares: Sequence[float],
    styles: Sequence[np.ndarray | StyleFile],
    vectors: Sequence[np.ndarray],
    layers: Sequence[StyleLayer],
) -> dict[str, Any]:
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    about = {"method": "magenta", "weights": network.name, "weights_sha256": network.sha256}
    parts = {
        "styles": [_style_fields(*style) for style in zip(styles, shares, vectors, strict=True)],
        **({"mix": [float(layer.mix) for layer in layers]} if options.steady else {}),
    }
    masks = mask_fields([layer.mask for layer in layers if layer.mask])
    return about | used | parts | masks | {"versions": library_versions() | {"transformer": str(network.way)}}


def _style_fields(style: np.ndarray | StyleFile, share: float, vector: np.ndarray) -> dict[str, Any]:
    told: dict[str, Any] = {"weight": share}
    if isinstance(style, StyleFile):
        told |= {"name": style.name, "credit": style.credit, "licence": style.licence}
    elif style.ndim == 3:
        told["sha256"] = pixels_sha256(style)
    data = vector.astype("<f4").tobytes()
    return told | {"vector": base64.b64encode(data).decode("ascii"), "vector_sha256": hashlib.sha256(data).hexdigest()}


def mask_fields(masks: Sequence[Mask]) -> dict[str, Any]:
    return {"masks": [mask.told() for mask in masks]} if masks else {}


def photo_fields(photo: np.ndarray) -> dict[str, Any]:
    height, width = photo.shape[:2]
    return {"width": width, "height": height, "content_sha256": pixels_sha256(photo)}


def pixels_sha256(rgb: np.ndarray) -> str:
    """Of a picture's pixels as bytes, whichever way it is held."""
    return hashlib.sha256(np.ascontiguousarray(as_uint8(rgb)).data).hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Of this project and of the libraries that its pixels come from."""
    libraries = "tensorflow", "keras", "numpy", "pillow", "pyvips"
    return {"pastiche": PROJECT_VERSION} | {name: version(name) for name in libraries}
