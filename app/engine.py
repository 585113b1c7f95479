"""The model as the server sees it: loaded once in the background, used by a bounded number of requests at a time."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.failures import Busy
from app.settings import Settings
from model import memory, transfer

_log = logging.getLogger(__name__)
T = TypeVar("T")
_LOOK = 1.0  # seconds between two looks at a job that waits for memory


class Engine:
    def __init__(self, settings: Settings) -> None:
        self.weights: str | None = None  # their name, once they are verified and loaded
        self.refine_seconds = settings.refine_seconds
        self.room = Room()
        self._turns = threading.BoundedSemaphore(settings.renders)
        self._places = threading.BoundedSemaphore(settings.renders + settings.queue)
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
            self.weights = transfer.ready()
        except Exception:
            _log.exception("the model could not be loaded")

    def run(self, work: Callable[[], T]) -> T:
        """`work()` when its turn comes; Busy where too many wait already, or the wait grows too long."""
        with _held(self._places, 0), _held(self._turns, self._patience):
            if not self._loaded(self._patience):
                raise Busy("The server is still loading its model. Please try again in a few seconds.")
            return work()

    def run_job(self, work: Callable[[], T]) -> T:
        """`work()`, which nobody waits for at the other end of a line; the worker's threads bound how many there are.

        Jobs take no turns from requests: a preview would have to wait for a picture that takes minutes.
        """
        self.warm_up()
        self._loaded(None)
        return work()

    def _loaded(self, patience: float | None) -> bool:
        """Waits for a load that is under way: two threads must not import TensorFlow at once."""
        loader = self._loader
        if loader:
            loader.join(patience)
        return not (loader and loader.is_alive())


class Room:
    """Memory for the refinements of this process: what each may come to is set aside, and who does not fit waits.

    What is free is measured while none is under way, as nobody can tell how much of theirs those have taken already.
    One that is alone may begin in any case: the model makes it smaller, or refuses it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[object] = []
        self._taken, self._free = 0, math.inf  # bytes

    @contextmanager
    def set_aside(self, needed: int, look: Callable[[], object]) -> Iterator[None]:
        """needed: bytes. look: is called each second of a wait, which ends with whatever it raises."""
        me = object()
        self._waiting.append(me)
        try:
            while not self._has_entered(me, needed):
                look()
        finally:
            self._waiting.remove(me)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    def _has_entered(self, me: object, needed: int) -> bool:
        """In the order of arrival, so that no large one waits behind ever more small ones."""
        with self._changed:
            if not self._taken:
                self._free = memory.free_bytes() or math.inf
            if self._waiting[0] is me and (not self._taken or self._taken + needed <= self._free):
                self._taken += needed
                return True
            self._changed.wait(_LOOK)
        return False


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        raise Busy("The server is busy painting other pictures. Please try again in a few seconds.")
    try:
        yield
    finally:
        semaphore.release()
