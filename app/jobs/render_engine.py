"""The model of this process: loaded once in the background, used by a bounded number of requests at a time."""

from __future__ import annotations

import logging
import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.failures import Busy
from app.jobs.painter import Painter
from app.settings import Settings
from model.hardware import memory

_log = logging.getLogger(__name__)
T = TypeVar("T")
_POLL_SECONDS = 1.0  # between two checks of a job that waits for memory
_TIMED_TURNS = 16  # finished turns, whose mean time is the estimate for the next ones
_MAX_RETRY_AFTER = 60  # seconds


class RenderEngine:
    def __init__(self, settings: Settings, painter: Painter) -> None:
        self.painter = painter
        self.weights: str | None = None  # their name, once they are loaded
        self.refine_seconds = settings.refine_seconds
        self.refinement_memory = RefinementMemory()
        self._painting = 0  # pictures that are painted, or wait for their turn
        self.raise_if_disconnected: Callable[[], None] = lambda: None  # called when a request gets its turn
        self._turns = TurnQueue(settings.renders, settings.queue, settings.patience)
        self._patience = settings.patience
        self._loader: threading.Thread | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        if self._loader is None:
            self.load()

    def load(self) -> None:
        """Start loading in the background, unless that is done or under way. A load that failed is tried again."""
        with self._lock:
            if self.weights is None and not (self._loader and self._loader.is_alive()):
                self._loader = threading.Thread(target=self._load, name="load-model", daemon=True)
                self._loader.start()

    def _load(self) -> None:
        try:
            self.weights = self.painter.warm_up()
        except Exception:
            _log.exception("the model could not be loaded")

    def run(self, work: Callable[[], T]) -> T:
        """Return `work()` when its turn comes; raise Busy when too many requests wait already, or this one too long.

        A request takes its turn before it waits for the model, so that few wait and they keep their order.
        """
        deadline = time.monotonic() + self._patience
        with self._count_painting(), self._turns.turn():
            if not self._wait_for_model(max(0.0, deadline - time.monotonic())):
                raise Busy("The server is still loading its model. Please try again in a few seconds.")
            self.raise_if_disconnected()
            with self._turns.measure():
                return work()

    def run_job(self, work: Callable[[], T]) -> T:
        """Return `work()` of a job; the number of the worker's threads bounds how many run.

        Jobs take no turns from requests: a preview would have to wait for a picture that takes minutes.
        """
        with self._count_painting():
            return self.run_training(work)

    def run_training(self, work: Callable[[], T]) -> T:
        """Return `work()`, which should rest while `is_painting`."""
        self.warm_up()
        self._wait_for_model(None)
        return work()

    @property
    def is_painting(self) -> bool:
        return self._painting > 0

    @contextmanager
    def _count_painting(self) -> Iterator[None]:
        with self._lock:
            self._painting += 1
        try:
            yield
        finally:
            with self._lock:
                self._painting -= 1

    def _wait_for_model(self, patience: float | None) -> bool:
        """Wait, at most `patience` seconds, for a load that is under way: only one thread may import TensorFlow.

        Return whether it has ended.
        """
        with self._lock:  # else it may not have been started yet
            loader = self._loader
        if loader:
            loader.join(patience)
        return not (loader and loader.is_alive())


class TurnQueue:
    """A bounded number of turns at a time, given in the order of arrival.

    threading.Semaphore wakes in that order too, but lets a newcomer acquire it before the thread that it woke.
    """

    def __init__(self, at_once: int, queue: int, patience: float) -> None:
        """at_once: turns. queue: how many threads may wait for one. patience: seconds that each waits."""
        self._at_once, self._queue, self._patience = at_once, queue, patience
        self._taken = 0
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._seconds = deque([1.0], maxlen=_TIMED_TURNS)  # of finished work
        self._retry_at = 0.0  # time.monotonic() when the last refused request should come back

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take a turn; raise Busy when too many wait already, or the wait is too long."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure the work of a turn. Work that fails does not count: it does not tell how long a picture takes."""
        start = time.monotonic()
        yield
        with self._lock:
            self._seconds.append(time.monotonic() - start)

    def _acquire(self) -> None:
        with self._lock:
            if self._taken < self._at_once:
                self._taken += 1
                return
            if len(self._waiting) >= self._queue:
                raise self._busy_error()
            granted = threading.Event()
            self._waiting.append(granted)
        if not granted.wait(self._patience):
            self._give_up(granted)

    def _give_up(self, granted: threading.Event) -> None:
        with self._lock:
            if not granted.is_set():  # else the turn came in the last moment
                self._waiting.remove(granted)
                raise self._busy_error()

    def _release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken -= 1

    def _busy_error(self) -> Busy:
        """Return the error with `retry_after`: refused requests should come back one by one, as fast as turns end.

        Each comes back after all that wait now, and after all that were refused before.
        """
        now, each = time.monotonic(), statistics.fmean(self._seconds) / self._at_once
        queue_empty_at = now + each * (self._taken + len(self._waiting))
        self._retry_at = min(max(queue_empty_at, self._retry_at + each), now + _MAX_RETRY_AFTER)
        busy = Busy("The server is busy painting other pictures. Please try again in a few seconds.")
        busy.retry_after = max(1, math.ceil(self._retry_at - now))
        return busy


class RefinementMemory:
    """Memory of this process, reserved for each refinement and training; one that does not fit beside the others waits.

    The free memory is measured while none runs, as a running one may not have taken all of its own yet. One that is
    alone may begin in any case: the model makes it smaller, or refuses it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[object] = []
        self._taken, self._free = 0, math.inf  # bytes

    @contextmanager
    def reserve(self, needed: int, check: Callable[[], object], *, last: bool = False) -> Iterator[None]:
        """Reserve `needed` bytes. check: called each second of the wait, which ends with what it raises.

        last: nobody else waits behind this one.
        """
        ticket = object()
        if not last:
            self._waiting.append(ticket)
        try:
            while not self._try_reserve(ticket, needed):
                check()
        finally:
            if not last:
                self._waiting.remove(ticket)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    @property
    def is_wanted(self) -> bool:
        """Tell whether a refinement waits for memory."""
        return bool(self._waiting)

    def _try_reserve(self, ticket: object, needed: int) -> bool:
        """Reserve in the order of arrival, so that a large one does not wait behind ever more small ones."""
        with self._changed:
            if not self._taken:
                self._free = memory.free_bytes() or math.inf
            is_next = not self._waiting or self._waiting[0] is ticket
            if is_next and (not self._taken or self._taken + needed <= self._free):
                self._taken += needed
                return True
            self._changed.wait(_POLL_SECONDS)
        return False
