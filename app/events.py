"""A job's progress as server-sent events."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from flask import Response, stream_with_context

from app import current, limits
from app.failures import Busy, Missing
from app.jobs import Job

_STREAMS, _OF_ONE = 64, 4  # in all, of one address: each holds a thread; those without one may ask again and again
_SECONDS = 15.0  # of one stream: the browser opens the next by itself, and a server that is to stop need not wait long
_PULSE = 3.0  # seconds: what is sent when nothing happens tells whether somebody still listens
_RETRY = "retry: 500\n\n"  # milliseconds until the next stream


def stream(job: Job, shown: Callable[[Job], str]) -> Response:
    """`shown`: a job -> the JSON that is sent of it."""
    place = _open.enter(limits.address())
    response = Response(stream_with_context(_events(job, shown, place)), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold it back until it is complete
    response.call_on_close(place.close)  # where nobody reads it to its end, or at all
    return response


class _Open:
    """Whose streams are open."""

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, address: str) -> ExitStack:
        """A place, to be closed when the stream ends; twice does no harm."""
        place = ExitStack()
        with self._lock:
            if self._streams.total() >= _STREAMS or self._streams[address] >= _OF_ONE:
                raise Busy("Too many are being told of their jobs already. Ask for the job itself every few seconds.")
            self._streams[address] += 1
        place.callback(self._leave, address)
        return place

    def _leave(self, address: str) -> None:
        with self._lock:
            self._streams[address] -= 1
            self._streams += Counter()  # forgets the addresses that have none


_open = _Open()


def _events(job: Job, shown: Callable[[Job], str], place: ExitStack) -> Iterator[str]:
    with place:
        yield from _told(job, shown)


def _told(job: Job, shown: Callable[[Job], str]) -> Iterator[str]:
    end = time.monotonic() + _SECONDS
    told = shown(job)
    yield f"{_RETRY}{_event(told)}"
    while not job.ended and (left := end - time.monotonic()) > 0:
        try:
            job = current.jobs().changed(job.id, job, min(_PULSE, left))
            now = shown(job)
        except Missing:  # deleted meanwhile: whoever asks again is told so
            return
        yield _event(now) if now != told else ": still here\n\n"
        told = now


def _event(data: str) -> str:
    return f"event: job\ndata: {data}\n\n"
