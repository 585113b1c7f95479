"""The process of a command: native code's messages on stderr, loading TensorFlow, and Control-C."""

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
    """Discard stderr, native code's too: TensorFlow greets, and reports a missing GPU as an error."""
    sys.stderr.flush()
    stderr, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)


def load_tensorflow() -> None:
    """Load TensorFlow without its messages."""
    with silenced_stderr():
        device()


@contextmanager
def graceful_interrupt() -> Iterator[Event]:
    """Yield an event that Control-C sets; a second Control-C interrupts as usual."""
    stopped = Event()

    def stop(number: int, frame: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
