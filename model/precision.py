"""How precisely to compute: in bfloat16 where a short trial on this machine says that it pays, else in float32."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from model.device import device

Precision = Literal["float32", "mixed_bfloat16"]
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
    table = Path("/proc/cpuinfo")
    return "GPU" in device() or (table.exists() and "bf16" in table.read_text())


def _faster(trial: Trial) -> Precision:
    plain, mixed = _seconds(trial("float32")), _seconds(trial("mixed_bfloat16"))
    return "mixed_bfloat16" if plain > WORTH * mixed else "float32"


def _seconds(run: Callable[[], object]) -> float:
    run()  # traces and warms up
    return min(_timed(run) for _ in range(TIMES))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
