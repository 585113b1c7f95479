"""A measurement in a process of its own."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context


def apart(section: Callable[[], str]) -> str | None:
    """What it returns; None where it failed, with the traceback on the terminal."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # a fork would hang in TensorFlow
        try:
            return pool.submit(_tried, section).result()
        except BrokenProcessPool:  # as by the system, for its memory
            traceback.print_exc()
            return None


def _tried(section: Callable[[], str]) -> str | None:
    try:
        return section()
    except BaseException:  # SystemExit and pytest's own among them
        traceback.print_exc()
        return None
