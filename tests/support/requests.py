"""What the tests send, and how they read what comes back."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

NEGATIVE = "negative"  # the name of the stand-in's weights
NEGATIVE_SHA256 = "0" * 64
URL = "/api/v1/stylize"


def upload(data: bytes, name: str = "picture.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + b64(data)


def from_data_url(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def error_of(response) -> dict:
    """The error in an answer, which is shaped as all of them are."""
    assert response.mimetype == "application/json"
    assert response.json.keys() == {"error"}
    error = response.json["error"]
    assert {"code", "message"} <= error.keys() <= {"code", "message", "field"}
    assert "Traceback" not in response.text
    return error
