"""Helpers to write requests and to read responses."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable

import numpy as np
from flask.testing import FlaskClient
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

NEGATIVE = "negative"  # name of the fake painter's weights
NEGATIVE_SHA256 = "0" * 64
URL = "/api/v1/stylize"
LEFT = np.repeat([[255, 0]], 64, axis=1).reshape(1, 128).repeat(96, axis=0).astype("uint8")  # a mask of the left half


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


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def metrics_of(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Return each metric's value, by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def refusal(response) -> tuple[int, str, str | None]:
    """Return status, code and field of an error."""
    error = error_of(response)
    return response.status_code, error["code"], error.get("field")


def error_of(response) -> dict:
    """Return the error in an answer, which is shaped as all of them are."""
    assert response.mimetype == "application/json"
    assert response.json.keys() == {"error"}
    error = response.json["error"]
    assert {"code", "message"} <= error.keys() <= {"code", "message", "field"}
    assert "Traceback" not in response.text
    return error
