"""The precision to compute in: bfloat16 where a short trial on this machine shows that it pays, else float32."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from model import settings
from model.hardware.device import device

DtypePolicy = Literal["float32", "mixed_bfloat16"]
CPUINFO = Path("/proc/cpuinfo")
TrialFactory: TypeAlias = Callable[[DtypePolicy], Callable[[], object]]  # returns what is to be timed at that precision

REPEATS = 3  # the best counts
MIN_SPEEDUP = 1.25  # of bfloat16 over float32

_chosen_policies: dict[str, DtypePolicy] = {}


def choose_policy(encoder: str, trial: TrialFactory) -> DtypePolicy:
    """Return the faster policy for this encoder on this device; tried once in a process."""
    if encoder not in _chosen_policies:
        _chosen_policies[encoder] = _faster_policy(trial) if should_try_bfloat16() else "float32"
    return _chosen_policies[encoder]


def should_try_bfloat16() -> bool:
    """Return whether a trial is worth it: processors without instructions for bfloat16 emulate it, slowly."""
    return settings.precision() == "auto" and ("GPU" in device() or "bf16" in cpu_info())


@cache
def cpu_info() -> str:
    """Return the system's description of the first processor, without the momentary speed of its clock."""
    if not CPUINFO.exists():
        return platform.processor()
    first, _, _ = CPUINFO.read_text().partition("\n\n")
    return "\n".join(line for line in first.splitlines() if "MHz" not in line)


def _faster_policy(trial: TrialFactory) -> DtypePolicy:
    plain, mixed = (_best_seconds(trial(kind)) for kind in ("float32", "mixed_bfloat16"))
    return "mixed_bfloat16" if plain > MIN_SPEEDUP * mixed else "float32"


def _best_seconds(run: Callable[[], object]) -> float:
    run()  # traces and warms up
    return min(measure_seconds(run) for _ in range(REPEATS))


def measure_seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
