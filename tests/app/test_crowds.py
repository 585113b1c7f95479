"""Many clients, slow ones and large ones: who is painted, who is sent away, and what that takes of the memory."""

from __future__ import annotations

import io
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from tests.support.requests import URL, b64, error_of

MEGABYTE = 1_000_000


@pytest.fixture
def one_turn(new_app) -> Callable[..., Flask]:
    return lambda **settings: new_app(renders=1, **settings)


@contextmanager
def painting(app: Flask) -> Iterator[None]:
    """Somebody has the only turn."""
    inside, done = threading.Event(), threading.Event()
    holder = threading.Thread(target=app.extensions["engine"].run, args=[lambda: (inside.set(), done.wait(10))])
    holder.start()
    assert inside.wait(10)
    yield
    done.set()
    holder.join()


class Spaces(io.RawIOBase):
    """A body that is made as it is read."""

    def __init__(self, size: int) -> None:
        self.bytes_left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.bytes_left)
        buffer[:count] = b" " * count
        self.bytes_left -= count
        return count


def send(app: Flask, body: io.RawIOBase, size: int):
    stream = {"wsgi.input": body, "CONTENT_LENGTH": str(size)}
    return app.test_client().post(URL, content_type="application/json", environ_overrides=stream)


def peak(work: Callable[[], object]) -> int:
    """Bytes that `work` takes at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "settings", [{"queue": 0}, {"queue": 1, "patience": 0.01}], ids=["no place", "no turn in time"]
)
def test_those_who_find_no_turn_are_sent_away(one_turn, form, settings):
    app = one_turn(**settings)
    with painting(app):
        answer = app.test_client().post(URL, data=form())
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert app.test_client().post(URL, data=form()).status_code == 200


def test_a_mistake_in_a_form_is_told_without_a_wait(one_turn, form):
    app = one_turn(queue=0)
    with painting(app):
        assert app.test_client().post(URL, data=form(size="0")).status_code == 422


def test_a_body_that_waits_is_not_in_memory(one_turn):
    app = one_turn(queue=1, patience=0.01)
    size = 20 * MEGABYTE
    with painting(app):
        assert peak(lambda: send(app, Spaces(size), size)) < 5 * MEGABYTE


def test_a_slow_sender_takes_nobodys_place(one_turn, form):
    app = one_turn(queue=0)
    started, go_on = threading.Event(), threading.Event()

    class Slow(Spaces):
        def readinto(self, buffer) -> int:
            started.set()
            go_on.wait(10)
            return super().readinto(buffer)

    sender = threading.Thread(target=send, args=(app, Slow(100), 100))
    sender.start()
    assert started.wait(10)
    answer = app.test_client().post(URL, data=form())
    go_on.set()
    sender.join()
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "start",
    [
        pytest.param('{"x": [' + "{}," * MEGABYTE + "{}]", id="many objects"),
        pytest.param('{"content": "' + "AA " * MEGABYTE + '"', id="many spaces"),
    ],
)
def test_no_body_swells_in_memory(app, painting_png, start):
    body = f'{start}, "style": "{b64(painting_png)}"}}'.encode()
    assert peak(lambda: send(app, io.BytesIO(body), len(body))) < 6 * len(body)
