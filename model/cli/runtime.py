"""TensorFlow loaded without its greeting."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from model.hardware.device import device


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Without what native code says on stderr: TensorFlow greets, and reports a missing GPU as an error."""
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


def load_tensorflow() -> None:
    with silenced_stderr():
        device()


@contextmanager
def graceful_interrupt() -> Iterator[Event]:
    """Control-C sets the event; a second one interrupts as ever."""
    stopped = Event()

    def stop(number: int, frame: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
