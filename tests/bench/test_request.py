"""The parts of a request: each is really passed by one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder

from bench import request
from model.weights import registry


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_every_part_is_timed(tmp_path: Path, format: str) -> None:
    photo = io.BytesIO(request.photo(200, 150, format)), "photo"
    fields = {"content": photo, "style": request.STYLE, "size": "64", "format": "png"}
    environ = EnvironBuilder(method="POST", data=fields).get_environ()
    with request.client(registry.SHIPPED_MAGENTA, tmp_path) as server:
        found = request._one(server, environ["wsgi.input"].read(), environ["CONTENT_TYPE"])
    assert set(found) == {part for part, _, _ in request.WATCHED} | {request.REST, ""}
    assert sum(seconds for part, seconds in found.items() if part) == pytest.approx(found[""])
