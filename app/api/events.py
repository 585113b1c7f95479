"""A job's progress as server-sent events."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from flask import Response, stream_with_context

from app.failures import Busy, Missing
from app.http import context, rate_limits
from app.jobs.queue import ENDED_STATES, Job

_MAX_STREAMS, _MAX_STREAMS_PER_ADDRESS = (
    64,
    4,
)  # in all, of one address: each holds a thread; those without one may ask again and again
_STREAM_SECONDS = (
    15.0  # of one stream: the browser opens the next by itself, and a server that is to stop need not wait long
)
_KEEPALIVE_SECONDS = 3.0  # seconds: what is sent when nothing happens tells whether somebody still listens
_LOSSES_INTERVAL = (
    2.0  # seconds, at least, between two events with a refinement's losses: most of what there is to tell
)
_RETRY = "retry: 500\n\n"  # milliseconds until the next stream


def stream(job: Job, shown: Callable[[Job], str]) -> Response:
    """`shown`: a job -> the JSON that is sent of it."""
    place = _open_streams.reserve(rate_limits.client_address())
    response = Response(stream_with_context(_reserved_events(job, shown, place)), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold it back until it is complete
    response.call_on_close(place.close)  # where nobody reads it to its end, or at all
    return response


class _OpenStreams:
    """Whose streams are open."""

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reserve(self, address: str) -> ExitStack:
        """A place, to be closed when the stream ends; twice does no harm."""
        place = ExitStack()
        with self._lock:
            if self._streams.total() >= _MAX_STREAMS or self._streams[address] >= _MAX_STREAMS_PER_ADDRESS:
                raise Busy("Too many are being told of their jobs already. Ask for the job itself every few seconds.")
            self._streams[address] += 1
        place.callback(self._leave, address)
        return place

    def _leave(self, address: str) -> None:
        with self._lock:
            self._streams[address] -= 1
            self._streams += Counter()  # forgets the addresses that have none


_open_streams = _OpenStreams()


def _reserved_events(job: Job, shown: Callable[[Job], str], place: ExitStack) -> Iterator[str]:
    with place:
        yield from _job_events(job, shown)


def _job_events(job: Job, shown: Callable[[Job], str]) -> Iterator[str]:
    end, curve_told = time.monotonic() + _STREAM_SECONDS, time.monotonic()
    told = shown(job)
    yield f"{_RETRY}{_format_event(told)}"
    while not _is_at_rest(job) and (left := end - time.monotonic()) > 0:
        try:
            job = context.jobs().wait_for_change(job.id, job, min(_KEEPALIVE_SECONDS, left))
            now = shown(job)
        except Missing:  # deleted meanwhile: whoever asks again is told so
            return
        if now == told:
            yield ": still here\n\n"
        elif _is_at_rest(job) or time.monotonic() - curve_told >= _LOSSES_INTERVAL:
            curve_told = time.monotonic()
            yield _format_event(now)
        else:
            yield _format_event(_without_losses(now))
        told = now


def _is_at_rest(job: Job) -> bool:
    """It has ended, or is paused for who knows how long: nothing will be told of it that is worth a thread."""
    return job.state in {*ENDED_STATES, "paused"}


def _without_losses(shown: str) -> str:
    told = json.loads(shown)
    if not told.get("losses"):
        return shown
    del told["losses"]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _format_event(data: str) -> str:
    return f"event: job\ndata: {data}\n\n"
