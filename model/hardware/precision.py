"""How precisely to compute: in bfloat16 where a short trial on this machine says that it pays, else in float32."""

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
TrialFactory: TypeAlias = Callable[[DtypePolicy], Callable[[], object]]  # what is to be timed, at that precision

REPEATS = 3  # of which the best counts
MIN_SPEEDUP = 1.25  # times as fast it must be

_chosen_policies: dict[str, DtypePolicy] = {}


def choose_policy(encoder: str, trial: TrialFactory) -> DtypePolicy:
    """For this encoder on this machine's device; tried once a process."""
    if encoder not in _chosen_policies:
        _chosen_policies[encoder] = _faster_policy(trial) if should_try_bfloat16() else "float32"
    return _chosen_policies[encoder]


def should_try_bfloat16() -> bool:
    """Whether to try at all: processors without instructions for bfloat16 imitate it, slowly."""
    return settings.precision() == "auto" and ("GPU" in device() or "bf16" in cpu_info())


@cache
def cpu_info() -> str:
    """What the system says of the first one: its name and its abilities, not how fast its clock is at the moment."""
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
