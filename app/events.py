"""A job's progress as server-sent events."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from flask import Response, stream_with_context

from app import current, limits
from app.failures import Busy, Missing
from app.jobs import ENDED, Job

_STREAMS, _OF_ONE = 64, 4  # in all, of one address: each holds a thread; those without one may ask again and again
_SECONDS = 15.0  # of one stream: the browser opens the next by itself, and a server that is to stop need not wait long
_PULSE = 3.0  # seconds: what is sent when nothing happens tells whether somebody still listens
_CURVE = 2.0  # seconds, at least, between two events with a refinement's losses: most of what there is to tell
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
    end, curve_told = time.monotonic() + _SECONDS, time.monotonic()
    told = shown(job)
    yield f"{_RETRY}{_event(told)}"
    while not _rests(job) and (left := end - time.monotonic()) > 0:
        try:
            job = current.jobs().changed(job.id, job, min(_PULSE, left))
            now = shown(job)
        except Missing:  # deleted meanwhile: whoever asks again is told so
            return
        if now == told:
            yield ": still here\n\n"
        elif _rests(job) or time.monotonic() - curve_told >= _CURVE:
            curve_told = time.monotonic()
            yield _event(now)
        else:
            yield _event(_without_losses(now))
        told = now


def _rests(job: Job) -> bool:
    """It has ended, or is paused for who knows how long: nothing will be told of it that is worth a thread."""
    return job.state in {*ENDED, "paused"}


def _without_losses(shown: str) -> str:
    told = json.loads(shown)
    if not told.get("losses"):
        return shown
    del told["losses"]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _event(data: str) -> str:
    return f"event: job\ndata: {data}\n\n"
