"""What the measurements share: where they run, the clock, and the machine in words."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from model.hardware.device import cores, device

ROOT = Path(__file__).resolve().parents[1]
REST = 0.05  # seconds


def on_the_processor() -> None:
    """From now on, in this process and those it starts: the others that ours is compared with know nothing else."""
    os.environ["STYLE_DEVICE"] = "cpu"
    if "tensorflow" in sys.modules:  # clients of a server do without
        device()  # hides every GPU, from all that TensorFlow runs here


def median_seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """Of `repeats` calls, after one that traces and warms up."""
    call()
    return statistics.median(timed(call) for _ in range(repeats))


def median_seconds_in_turns(
    calls: Sequence[Callable[[], object]], repeats: int = 5, settle: bool = False
) -> list[float]:
    """Of each, in turns, so that a machine that slows down does so for all; some threads spin on after a call.

    settle: each turn begins with a call that does not count, as the one before may have driven all else out of memory.
    """
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, found in zip(calls, seconds, strict=True):
            time.sleep(REST)
            if settle:
                call()
            found.append(timed(call))
    return [statistics.median(found) for found in seconds]


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def times(seconds: float, ours: float) -> str:
    """How many times as long; "1" for ours itself."""
    return "1" if seconds == ours else f"{seconds / ours:.1f}"


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    extras = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in told.get("flags", "").split()]
    name = told.get("model name", "an unknown name")
    return f"the processor, {cores()} cores of {name} ({', '.join(extras)})"


def table(head: str, rows: list[str]) -> str:
    """Markdown; cells are separated by bars."""
    return "\n".join([f"| {head} |", "|" + "---|" * (head.count("|") + 1), *(f"| {row} |" for row in rows)])
