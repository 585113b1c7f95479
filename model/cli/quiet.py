"""TensorFlow loaded without its greeting."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from model.device import device


@contextmanager
def hushed() -> Iterator[None]:
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
    with hushed():
        device()
