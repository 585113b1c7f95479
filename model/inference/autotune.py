"""Autotuning: the fastest execution plan of the transformer on this machine, of those that keep its picture.

Nobody can tell it from a processor's name. So each plan is tried for some seconds when weights are first loaded,
against the plain one in float32; the choice is remembered in the cache folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from model import settings
from model.hardware import precision
from model.hardware.device import cores, device, gpu_name
from model.imaging.pixel_ops import psnr
from model.inference.engine import FLOAT32_PLAN, Backends, ExecutionPlan, TransformerEngine
from model.inference.folding import NormParams
from model.networks.architecture import Architecture
from model.networks.style_network import Arrays

_log = logging.getLogger(__name__)

MIN_PSNR = 42.0  # dB against float32 that a plan must reach: from 40 on one sees no difference, but photos differ
# Modules beside this one; once their code has changed, all plans are tried anew.
CACHE_KEY_MODULES = (
    *("autotune", "engine", "folding", "graph", "statistics"),
    *("winograd/blocks", "winograd/jit", "winograd/matmul", "winograd/transform"),
)
PLAN_TRIAL_SIDE = 256  # pixels
TIMING_ROUNDS = 5  # each plan's best time counts

# The contracting layers see the photo itself, whose sky may vary less than bfloat16 can resolve.
_CPU_PLANS = [ExecutionPlan("float32", "winograd", "float32")]
_CPU_BFLOAT16_PLANS = [
    ExecutionPlan("float32", "winograd", "bfloat16"),
    ExecutionPlan("float32", "float32", "bfloat16"),
]
_GPU_PLANS = [
    ExecutionPlan("float32", "float32", "bfloat16"),
    ExecutionPlan("float32", "float32", "float16"),
    ExecutionPlan("float32", "bfloat16", "bfloat16"),
    ExecutionPlan("float32", "float16", "float16"),
    ExecutionPlan("float16", "float16", "float16"),
]


def fastest_engine(
    architecture: Architecture, arrays: Arrays, sha256: str, style: Callable[[], Sequence[NormParams]]
) -> TransformerEngine:
    """Return the engine of the fastest plan, tuned now or remembered.

    style: makes the normalisations of one style, to try with; called only where plans are tried.
    STYLE_PRECISION=float32 asks for the plain plan.
    """
    backends = Backends(architecture, arrays)
    if settings.precision() == "float32":
        return TransformerEngine(backends, FLOAT32_PLAN)
    # Plans were once called ways; under another name the caches of existing installations would be lost.
    file = settings.cache_dir() / "ways" / f"{_cache_key(sha256)}.json"
    if plan := _read_cached_plan(file):
        with _log_and_skip(plan):
            return TransformerEngine(backends, plan)
    plan, is_complete = _tune(backends, style())
    if is_complete:
        _write_cached_plan(file, plan)
    return TransformerEngine(backends, plan)


def _tune(backends: Backends, style: Sequence[NormParams]) -> tuple[ExecutionPlan, bool]:
    """Return the fastest plan, and whether every plan could be tried: what fails today may be mended tomorrow."""
    pictures, plans = trial_pictures(), _candidate_plans()
    wanted = [TransformerEngine(backends, FLOAT32_PLAN).run(picture, style) for picture in pictures]
    likeness: dict[ExecutionPlan, list[float]] = {}
    for plan in plans:
        with _log_and_skip(plan):
            pastiches = [TransformerEngine(backends, plan).run(picture, style) for picture in pictures]
            likeness[plan] = list(map(psnr, pastiches, wanted))
    _log.info("PSNR in dB: %s", {str(plan): [round(one, 1) for one in each] for plan, each in likeness.items()})
    faithful = [FLOAT32_PLAN, *(plan for plan, each in likeness.items() if all(one >= MIN_PSNR for one in each))]
    runs = {plan: partial(TransformerEngine(backends, plan).run, pictures[0], style) for plan in faithful}
    seconds = _best_times(runs)
    _log.info("seconds: %s", {str(plan): round(taken, 3) for plan, taken in seconds.items()})
    return min(seconds, key=lambda plan: seconds[plan]), len(likeness) == len(plans)


@contextmanager
def _log_and_skip(plan: ExecutionPlan) -> Iterator[None]:
    """Log whatever a plan raises and go on without it: the plain plan needs no compiler."""
    try:
        yield
    except Exception as error:  # whatever a compiler, a driver or a damaged installation raises
        _log.warning("%s does not run here, so pictures may take longer: %s", plan, error)


def _best_times(runs: Mapping[ExecutionPlan, Callable[[], object]]) -> dict[ExecutionPlan, float]:
    """Return each plan's best time. They take turns, so that other load on the machine slows all of them alike."""
    rounds = [[precision.measure_seconds(run) for run in runs.values()] for _ in range(TIMING_ROUNDS)]
    return dict(zip(runs, map(min, zip(*rounds, strict=True)), strict=True))


def _candidate_plans() -> list[ExecutionPlan]:
    """Return the plans that can run here, beside the plain one."""
    if "GPU" in device():
        return _GPU_PLANS
    plans = [*_CPU_PLANS, *(_CPU_BFLOAT16_PLANS if precision.should_try_bfloat16() else [])]
    return [plan for plan in plans if plan.blocks != "winograd" or find_spec("numba")]


def trial_pictures() -> list[np.ndarray]:
    """Return a busy picture, a sky and a mist.

    bfloat16 spoils smooth gradients with fine grain, which a busy picture hides.
    """
    return [paint(PLAN_TRIAL_SIDE) for paint in (busy_picture, sky_picture, mist_picture)]


def busy_picture(side: int) -> np.ndarray:
    """Return (side, side, 3) in 0..1 with smooth and sharp, flat and noisy parts."""
    y, x = _unit_grid(side)
    waves = [np.sin(3 + n + 5 * x * (n + 1)) * np.cos(7 * y * (3 - n)) for n in range(3)]
    rings = np.sin(400 * (x - 0.6) ** 2 + 300 * (y - 0.4) ** 2) > 0
    noise = np.random.default_rng(0).normal(0, 0.2, (side, side, 3)) * (y > 0.5)[..., None]
    return _to_float32(0.5 + 0.25 * np.stack(waves, axis=-1) + 0.2 * rings[..., None] * (x < 0.6)[..., None] + noise)


def sky_picture(side: int) -> np.ndarray:
    """Return (side, side, 3) in 0..1: blue, paler below, with the grain of a good camera."""
    y, _ = _unit_grid(side)
    grain = np.random.default_rng(1).normal(0, 1 / 255, (side, side, 3))
    return _to_float32(np.stack([0.3 + 0.3 * y, 0.5 + 0.3 * y, 0.8 + 0.1 * y], axis=-1) + grain)


def mist_picture(side: int) -> np.ndarray:
    """Return (side, side, 3) in 0..1: grey, a tenth brighter on the right than on the left."""
    _, x = _unit_grid(side)
    return _to_float32(np.repeat(0.5 + 0.1 * x[..., None], 3, axis=-1))


def _unit_grid(side: int) -> np.ndarray:
    """Return y and x of each pixel, in 0..1."""
    return np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]


def _to_float32(picture: np.ndarray) -> np.ndarray:
    return picture.clip(0, 1).astype("float32")


def _cache_key(sha256: str) -> str:
    """Return a digest of the weights, this machine, the libraries and the code."""
    machine = [device(), gpu_name(), precision.cpu_info(), str(cores())]
    versions = [version(package) for package in ("tensorflow", "numpy", "numba", "llvmlite") if find_spec(package)]
    code = [(Path(__file__).parent / f"{module}.py").read_text("utf-8") for module in CACHE_KEY_MODULES]
    return hashlib.sha256("\n".join([sha256, *machine, *versions, *code]).encode()).hexdigest()[:16]


def _read_cached_plan(file: Path) -> ExecutionPlan | None:
    """Return None where there is no plan, or none that can be read or run here."""
    with suppress(OSError, ValueError, TypeError):
        plan = ExecutionPlan(*json.loads(file.read_text("utf-8")))
        return plan if plan in (FLOAT32_PLAN, *_candidate_plans()) else None
    return None


def _write_cached_plan(file: Path, plan: ExecutionPlan) -> None:
    """Write the plan if that can be done; else the next process tunes anew."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json.dump(plan, new)
        os.replace(new.name, file)
