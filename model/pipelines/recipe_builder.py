"""Building recipes: what a pastiche was made of, as a dict that its file carries as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from model.imaging.masking import Mask
from model.imaging.pixel_ops import as_uint8
from model.options import StylizeOptions
from model.style_file import StyleFile, encode_vector, vector_sha256
from model.weights.johnson_files import JohnsonNetwork

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.compositing import StyleLayer
    from model.pipelines.style_mixing import PaintableStyle

PROJECT_VERSION = "0.1.0"


def stylize_recipe(
    network: Magenta,
    options: StylizeOptions,
    shares: Sequence[float],
    styles: Sequence[np.ndarray | StyleFile],
    points: Sequence[PaintableStyle],
    layers: Sequence[StyleLayer],
) -> dict[str, Any]:
    """Return the recipe of a stylization, but for the fields of the photo."""
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    method = {"method": "magenta", "weights": network.name, "weights_sha256": network.sha256}
    parts = {
        "styles": [_style_fields(*style) for style in zip(styles, shares, points, strict=True)],
        **({"mix": [float(layer.strength) for layer in layers]} if options.steady else {}),
    }
    masks = mask_fields([layer.mask for layer in layers if layer.mask])
    return method | used | parts | masks | {"versions": library_versions() | {"transformer": str(network.plan)}}


def _style_fields(style: np.ndarray | StyleFile, share: float, point: PaintableStyle) -> dict[str, Any]:
    fields: dict[str, Any] = {"weight": share}
    if isinstance(style, StyleFile):
        fields |= {"name": style.name, "credit": style.credit, "licence": style.licence}
    elif style.ndim == 3:
        fields["sha256"] = pixels_sha256(style)
    if isinstance(point, JohnsonNetwork):
        return fields | {"network_sha256": point.sha256}
    for network, _ in point.networks:
        fields["network_sha256"] = network.sha256
    return fields | {"vector": encode_vector(point.vector), "vector_sha256": vector_sha256(point.vector)}


def mask_fields(masks: Sequence[Mask]) -> dict[str, Any]:
    return {"masks": [mask.to_recipe() for mask in masks]} if masks else {}


def photo_fields(photo: np.ndarray) -> dict[str, Any]:
    height, width = photo.shape[:2]
    return {"width": width, "height": height, "content_sha256": pixels_sha256(photo)}


def pixels_sha256(rgb: np.ndarray) -> str:
    """Return the sha256 of (H, W, 3) as uint8, the same for floats and bytes."""
    return hashlib.sha256(np.ascontiguousarray(as_uint8(rgb)).data).hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of this project and of the libraries that its pixels come from."""
    libraries = "tensorflow", "keras", "numpy", "pillow", "pyvips"
    return {"pastiche": PROJECT_VERSION} | {name: version(name) for name in libraries}
