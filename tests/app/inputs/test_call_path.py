"""The way of a stylize request to the library is short: it seldom goes from one file of the server to another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from flask import Flask

import app as server
from app import create_app
from app.settings import Settings
from model.pipelines import stylization
from tests.support.requests import LEFT, URL, b64, png, upload

MAX_CROSSINGS = 21  # calls from one file to another, with what SQLAlchemy calls back when a style is looked up
FOLDER = str(Path(server.__file__).parent) + "/"
REQUESTS: dict[str, Callable[[bytes, bytes], dict]] = {
    "form": lambda photo, painting: {
        "data": {"content": upload(photo), "style": upload(painting), "strength": "0.8", "size": "64", "format": "jpeg"}
    },
    "JSON": lambda photo, painting: {
        "json": {"content": b64(photo), "style": b64(painting), "strength": 0.8, "size": 64, "format": "jpeg"}
    },
    "form with a style that ships": lambda photo, _: {"data": {"content": upload(photo), "style": "mosaic"}},
    "form with two styles and a mask": lambda photo, painting: {
        "data": {"content": upload(photo), "style": ["mosaic", upload(painting)], "mask": upload(png(LEFT))}
    },
    "JSON with two styles and a mask": lambda photo, painting: {
        "json": {
            "content": b64(photo),
            "style": [{"name": "mosaic", "weight": 2}, b64(painting)],
            "mask": b64(png(LEFT)),
        }
    },
}


class Crossings:
    """A profiler that notes the calls between files of the server, from the view's beginning to the library.

    A call counts from the nearest function of the server below it on the stack: also where it comes back through the
    library, a package or contextlib.
    """

    def __init__(self, app: Flask) -> None:
        self.calls: list[str] = []
        self.has_entered = self.has_arrived = False
        self._view = app.view_functions["api_jobs.stylize"].__code__

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or self.has_arrived:
            return
        self.has_entered = self.has_entered or frame.f_code is self._view
        if not self.has_entered or frame.f_code is self._view or not is_of_server(frame):
            return
        caller = caller_of(frame)
        if caller and caller.f_code.co_filename != frame.f_code.co_filename:
            self.calls.append(" -> ".join(place_of(one) for one in (caller, frame)))

    def arrive(self, *_: object, **__: object) -> None:
        self.has_arrived = True
        raise RuntimeError("Nothing is painted here.")


def caller_of(frame: FrameType) -> FrameType | None:
    """Return the nearest frame of the server below this one."""
    caller = frame.f_back
    while caller and not is_of_server(caller):
        caller = caller.f_back
    return caller


def is_of_server(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(FOLDER)


def place_of(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename.removeprefix(FOLDER)}:{frame.f_code.co_name}"


@pytest.fixture
def real_app(tmp_path) -> Iterator[Flask]:
    """A server that calls the library itself, and has opened its database and read the gallery."""
    app = create_app(Settings(data_dir=tmp_path / "data", warm_up=False, worker=False, rate_limit=""))
    app.test_client().get("/")
    yield app
    app.extensions["worker"].stop()


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_stylize_request_crosses_few_files(real_app, monkeypatch, photo_png, painting_png, kind):
    client, request, crossings = real_app.test_client(), REQUESTS[kind](photo_png, painting_png), Crossings(real_app)
    monkeypatch.setattr(stylization, "stylize", crossings.arrive)
    sys.setprofile(crossings)
    try:
        client.post(URL, **request)
    finally:
        sys.setprofile(None)
    assert crossings.has_entered
    assert crossings.has_arrived
    listed = "\n".join(crossings.calls)
    assert 3 < len(crossings.calls) <= MAX_CROSSINGS, listed
