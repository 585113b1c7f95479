"""How precisely to compute: in bfloat16 where a short trial on this machine says that it pays, else in float32."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from model import settings
from model.device import device

Precision = Literal["float32", "mixed_bfloat16"]
CPUINFO = Path("/proc/cpuinfo")
Trial: TypeAlias = Callable[[Precision], Callable[[], object]]  # what is to be timed, at that precision

TIMES = 3  # of which the best counts
WORTH = 1.25  # times as fast it must be

_chosen: dict[str, Precision] = {}


def pick(encoder: str, trial: Trial) -> Precision:
    """For this encoder on this machine's device; tried once a process."""
    if encoder not in _chosen:
        _chosen[encoder] = _faster(trial) if may_pay() else "float32"
    return _chosen[encoder]


def may_pay() -> bool:
    """Whether to try at all: processors without instructions for bfloat16 imitate it, slowly."""
    return settings.precision() == "auto" and ("GPU" in device() or "bf16" in processor())


@cache
def processor() -> str:
    """What the system says of the first one: its name and its abilities, not how fast its clock is at the moment."""
    if not CPUINFO.exists():
        return platform.processor()
    first, _, _ = CPUINFO.read_text().partition("\n\n")
    return "\n".join(line for line in first.splitlines() if "MHz" not in line)


def _faster(trial: Trial) -> Precision:
    plain, mixed = (_best_seconds(trial(kind)) for kind in ("float32", "mixed_bfloat16"))
    return "mixed_bfloat16" if plain > WORTH * mixed else "float32"


def _best_seconds(run: Callable[[], object]) -> float:
    run()  # traces and warms up
    return min(seconds(run) for _ in range(TIMES))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
