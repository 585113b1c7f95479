"""The model as the server sees it: loaded once in the background, used by a bounded number of requests at a time."""

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
from app.settings import Settings
from model.hardware import memory
from model.pipelines import stylization

_log = logging.getLogger(__name__)
T = TypeVar("T")
_POLL_SECONDS = 1.0  # seconds between two looks at a job that waits for memory
_TIMED_TURNS = 16  # finished turns, on whose time that of the next ones is reckoned
_MAX_RETRY_AFTER = 60  # seconds that anybody is told to wait before trying again


class RenderEngine:
    def __init__(self, settings: Settings) -> None:
        self.weights: str | None = None  # their name, once they are verified and loaded
        self.refine_seconds = settings.refine_seconds
        self.memory = RefinementMemory()
        self.refuse_the_gone: Callable[[], None] = lambda: None  # raises where nobody waits for the picture any more
        self._turns = TurnQueue(settings.renders, settings.queue, settings.patience)
        self._patience = settings.patience
        self._loader: threading.Thread | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        if self._loader is None:
            self.load()

    def load(self) -> None:
        """Start loading, unless that is done or under way; returns at once. A load that failed is tried anew."""
        with self._lock:
            if self.weights is None and not (self._loader and self._loader.is_alive()):
                self._loader = threading.Thread(target=self._load, name="load-model", daemon=True)
                self._loader.start()

    def _load(self) -> None:
        try:
            self.weights = stylization.warm_up()
        except Exception:
            _log.exception("the model could not be loaded")

    def run(self, work: Callable[[], T]) -> T:
        """`work()` when its turn comes; Busy where too many wait already, or the wait grows too long.

        Who waits for the model has a turn already: so few do, and they are painted in the order of their arrival.
        """
        deadline = time.monotonic() + self._patience
        with self._turns.turn():
            if not self._wait_for_model(max(0.0, deadline - time.monotonic())):
                raise Busy("The server is still loading its model. Please try again in a few seconds.")
            self.refuse_the_gone()
            with self._turns.timed():
                return work()

    def run_job(self, work: Callable[[], T]) -> T:
        """`work()`, which nobody waits for at the other end of a line; the worker's threads bound how many there are.

        Jobs take no turns from requests: a preview would have to wait for a picture that takes minutes.
        """
        self.warm_up()
        self._wait_for_model(None)
        return work()

    def _wait_for_model(self, patience: float | None) -> bool:
        """Waits, so many seconds, for a load that is under way: two threads must not import TensorFlow at once."""
        with self._lock:  # else it may not have been started yet
            loader = self._loader
        if loader:
            loader.join(patience)
        return not (loader and loader.is_alive())


class TurnQueue:
    """A few at a time, in the order of arrival: a turn that ends goes to whoever waits longest.

    threading.Semaphore wakes in that order too, but lets somebody who comes just then step in before the one it woke.
    """

    def __init__(self, at_once: int, queue: int, patience: float) -> None:
        """queue: how many may wait. patience: seconds that one waits."""
        self._at_once, self._queue, self._patience = at_once, queue, patience
        self._taken = 0
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._seconds = deque([1.0], maxlen=_TIMED_TURNS)  # that finished work took
        self._appointment = 0.0  # by the monotonic clock, of whoever was sent away last

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises Busy where too many wait already, or the wait grows too long."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """The work of a turn. What fails does not count: it would say nothing of how long a picture takes."""
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
            mine = threading.Event()
            self._waiting.append(mine)
        if not mine.wait(self._patience):
            self._give_up(mine)

    def _give_up(self, mine: threading.Event) -> None:
        with self._lock:
            if not mine.is_set():  # else the turn came in the last moment
                self._waiting.remove(mine)
                raise self._busy_error()

    def _release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken -= 1

    def _busy_error(self) -> Busy:
        """Those who are sent away are to come back one after the other, as fast as work is finished: once all are
        painted who are here, and all who were sent away before."""
        now, each = time.monotonic(), statistics.fmean(self._seconds) / self._at_once
        through = now + each * (self._taken + len(self._waiting))
        self._appointment = min(max(through, self._appointment + each), now + _MAX_RETRY_AFTER)
        busy = Busy("The server is busy painting other pictures. Please try again in a few seconds.")
        busy.retry_after = max(1, math.ceil(self._appointment - now))
        return busy


class RefinementMemory:
    """Memory for the refinements of this process: what each may come to is set aside, and who does not fit waits.

    What is free is measured while none is under way, as nobody can tell how much of theirs those have taken already.
    One that is alone may begin in any case: the model makes it smaller, or refuses it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[object] = []
        self._taken, self._free = 0, math.inf  # bytes

    @contextmanager
    def reserve(self, needed: int, look: Callable[[], object]) -> Iterator[None]:
        """needed: bytes. look: is called each second of a wait, which ends with whatever it raises."""
        me = object()
        self._waiting.append(me)
        try:
            while not self._try_reserve(me, needed):
                look()
        finally:
            self._waiting.remove(me)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    def _try_reserve(self, me: object, needed: int) -> bool:
        """In the order of arrival, so that no large one waits behind ever more small ones."""
        with self._changed:
            if not self._taken:
                self._free = memory.free_bytes() or math.inf
            if self._waiting[0] is me and (not self._taken or self._taken + needed <= self._free):
                self._taken += needed
                return True
            self._changed.wait(_POLL_SECONDS)
        return False
