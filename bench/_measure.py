"""What the measurements share: the clock, the distance of two pictures, and the machine in words."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
REST = 0.05  # seconds


def median_seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """Of `repeats` calls, after one that traces and warms up."""
    call()
    return statistics.median(timed(call) for _ in range(repeats))


def median_seconds_in_turns(calls: Sequence[Callable[[], object]], repeats: int = 5) -> list[float]:
    """Of each, in turns, so that a machine that slows down does so for all; some threads spin on after a call."""
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, found in zip(calls, seconds, strict=True):
            time.sleep(REST)
            found.append(timed(call))
    return [statistics.median(found) for found in seconds]


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Decibels, of pictures in 0..1."""
    return float(-10 * np.log10(max(1e-20, np.square(one - other, dtype="float64").mean())))


def cores() -> int:
    return len(os.sched_getaffinity(0))


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    extras = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in told.get("flags", "").split()]
    return f"{cores()} cores of {told.get('model name', 'an unknown processor')} ({', '.join(extras)}), without a GPU"


def table(head: str, rows: list[str]) -> str:
    """Markdown; cells are separated by bars."""
    return "\n".join([f"| {head} |", "|" + "---|" * (head.count("|") + 1), *(f"| {row} |" for row in rows)])
