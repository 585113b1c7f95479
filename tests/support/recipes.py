"""A recipe for tests, and a picture to carry it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np

from model.imaging.pixel_ops import Picture

FORMATS: list[Any] = ["png", "jpeg", "webp", "tiff"]


VECTOR = np.linspace(-1, 1, 8, dtype="<f4")


HASH = "5" * 64


def recipe_dict(**changed: Any) -> dict[str, Any]:
    style = {"weight": 1.0, "sha256": HASH, "vector": base64.b64encode(VECTOR).decode()}
    style["vector_sha256"] = hashlib.sha256(VECTOR.tobytes()).hexdigest()
    whole = {"method": "magenta", "weights": "tiny", "weights_sha256": HASH, "width": 30, "height": 20}
    return whole | {"strength": 0.5, "keep_colours": 0.25, "styles": [style]} | changed


def flat(height: int = 20, width: int = 30) -> Picture:
    return Picture(np.full((height, width, 3), 0.6, np.float32), dpi=(300.0, 300.0))
