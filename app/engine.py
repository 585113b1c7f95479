"""The model as the server sees it: loaded once in the background, used by a bounded number of requests at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.failures import Busy
from app.settings import Settings
from model import transfer

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Engine:
    def __init__(self, settings: Settings) -> None:
        self.weights: str | None = None  # their name, once they are verified and loaded
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


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        raise Busy("The server is busy painting other pictures. Please try again in a few seconds.")
    try:
        yield
    finally:
        semaphore.release()
