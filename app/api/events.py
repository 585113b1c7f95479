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

# Each stream holds a thread; callers without one may poll the job.
_MAX_STREAMS = 64
_MAX_STREAMS_PER_ADDRESS = 4
_STREAM_SECONDS = 15.0  # of one stream: browsers open the next by themselves, and a server that stops waits for none
_KEEPALIVE_SECONDS = 3.0  # between two messages: sending one shows whether somebody still listens
_LOSSES_INTERVAL = 2.0  # seconds, at least, between two events with a refinement's losses, which are the most of them
_RETRY = "retry: 500\n\n"  # milliseconds until the next stream


def stream(job: Job, describe: Callable[[Job], str]) -> Response:
    """Return a stream of the job's changes. describe: returns the JSON that is sent of a job."""
    slot = _open_streams.reserve(rate_limits.client_address())
    response = Response(stream_with_context(_reserved_events(job, describe, slot)), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold it back until it is complete
    response.call_on_close(slot.close)  # where nobody reads it to its end, or at all
    return response


class _OpenStreams:
    """Counts of open streams, by the client's address."""

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reserve(self, address: str) -> ExitStack:
        """Reserve a slot, to be closed when the stream ends; closing it twice does no harm."""
        slot = ExitStack()
        with self._lock:
            if self._streams.total() >= _MAX_STREAMS or self._streams[address] >= _MAX_STREAMS_PER_ADDRESS:
                raise Busy("Too many are being told of their jobs already. Ask for the job itself every few seconds.")
            self._streams[address] += 1
        slot.callback(self._release, address)
        return slot

    def _release(self, address: str) -> None:
        with self._lock:
            self._streams[address] -= 1
            self._streams += Counter()  # forgets the addresses that have none


_open_streams = _OpenStreams()


def _reserved_events(job: Job, describe: Callable[[Job], str], slot: ExitStack) -> Iterator[str]:
    with slot:
        yield from _job_events(job, describe)


def _job_events(job: Job, describe: Callable[[Job], str]) -> Iterator[str]:
    end, losses_sent_at = time.monotonic() + _STREAM_SECONDS, time.monotonic()
    last = describe(job)
    yield f"{_RETRY}{_format_event(last)}"
    while not _is_at_rest(job) and (left := end - time.monotonic()) > 0:
        try:
            job = context.jobs().wait_for_change(job.id, job, min(_KEEPALIVE_SECONDS, left))
            current = describe(job)
        except Missing:  # deleted meanwhile: whoever asks again is told so
            return
        if current == last:
            yield ": still here\n\n"
        elif _is_at_rest(job) or time.monotonic() - losses_sent_at >= _LOSSES_INTERVAL:
            losses_sent_at = time.monotonic()
            yield _format_event(current)
        else:
            yield _format_event(_without_losses(current))
        last = current


def _is_at_rest(job: Job) -> bool:
    """Return whether the job has ended or is paused: no change is near that is worth a thread."""
    return job.state in {*ENDED_STATES, "paused"}


def _without_losses(description: str) -> str:
    fields = json.loads(description)
    if not fields.get("losses"):
        return description
    del fields["losses"]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _format_event(data: str) -> str:
    return f"event: job\ndata: {data}\n\n"
