"""Room for large bodies outside of the painters' turns: few at a time are in memory, however many are sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app import current
from app.failures import Busy


class Room:
    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=current.settings().patience):
            raise Busy("The server is busy taking in other pictures. Please try again in a few seconds.")
        try:
            yield
        finally:
            self._places.release()
