"""Which way to run the transformer is the fastest here, of those that still give its picture.

Nobody can tell from a processor's name. So each way is tried on this machine, for some seconds, when weights are first
loaded, against the plain one in float32; the choice is remembered in the cache folder.
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
from model.inference.folding import Arrays, NormParams
from model.networks.architecture import Architecture


def busy_picture(side: int) -> np.ndarray:
    """Smooth and sharp, flat and noisy."""
    y, x = _unit_grid(side)
    waves = [np.sin(3 + n + 5 * x * (n + 1)) * np.cos(7 * y * (3 - n)) for n in range(3)]
    rings = np.sin(400 * (x - 0.6) ** 2 + 300 * (y - 0.4) ** 2) > 0
    noise = np.random.default_rng(0).normal(0, 0.2, (side, side, 3)) * (y > 0.5)[..., None]
    return _to_float32(0.5 + 0.25 * np.stack(waves, axis=-1) + 0.2 * rings[..., None] * (x < 0.6)[..., None] + noise)


def sky_picture(side: int) -> np.ndarray:
    """Blue, paler below, with the grain of a good camera."""
    y, _ = _unit_grid(side)
    grain = np.random.default_rng(1).normal(0, 1 / 255, (side, side, 3))
    return _to_float32(np.stack([0.3 + 0.3 * y, 0.5 + 0.3 * y, 0.8 + 0.1 * y], axis=-1) + grain)


def mist_picture(side: int) -> np.ndarray:
    """A tenth brighter on the right than on the left."""
    _, x = _unit_grid(side)
    return _to_float32(np.repeat(0.5 + 0.1 * x[..., None], 3, axis=-1))


def _unit_grid(side: int) -> np.ndarray:
    """y and x of each pixel, in 0..1."""
    return np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]


def _to_float32(picture: np.ndarray) -> np.ndarray:
    return picture.clip(0, 1).astype("float32")


_log = logging.getLogger(__name__)

MIN_PSNR = 42.0  # dB against float32, with which a way passes: 40 is where one sees no difference, photos differ
# Modules: once their code has changed, all is tried anew.
CACHE_KEY_MODULES = (
    *("autotune", "engine", "folding", "graph", "statistics"),
    *("winograd/blocks", "winograd/jit", "winograd/matmul", "winograd/transform"),
)
TRIAL_SIDE = 256  # pixels
TIMING_ROUNDS = 5  # of which each way's best counts

# What contracts sees the photo itself, whose sky may differ less from place to place than bfloat16 can tell.
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
    """style: makes one that the network may be asked for, to try with.

    STYLE_PRECISION=float32 asks for the plain way.
    """
    parts = Backends(architecture, arrays)
    if settings.precision() == "float32":
        return TransformerEngine(parts, FLOAT32_PLAN)
    file = settings.cache_dir() / "ways" / f"{_cache_key(sha256)}.json"
    if way := _read_cached_plan(file):
        with _log_and_skip(way):
            return TransformerEngine(parts, way)
    way, is_sure = _tune(parts, style())
    if is_sure:
        _write_cached_plan(file, way)
    return TransformerEngine(parts, way)


def _tune(parts: Backends, style: Sequence[NormParams]) -> tuple[ExecutionPlan, bool]:
    """The best, and whether each of the others could be tried: what is wrong today may be mended tomorrow."""
    pictures, ways = trial_pictures(), _candidate_plans()
    wanted = [TransformerEngine(parts, FLOAT32_PLAN).run(picture, style) for picture in pictures]
    likeness: dict[ExecutionPlan, list[float]] = {}
    for way in ways:
        with _log_and_skip(way):
            found = [TransformerEngine(parts, way).run(picture, style) for picture in pictures]
            likeness[way] = list(map(psnr, found, wanted))
    _log.info("dB: %s", {str(way): [round(one, 1) for one in each] for way, each in likeness.items()})
    faithful = [FLOAT32_PLAN, *(way for way, each in likeness.items() if all(one >= MIN_PSNR for one in each))]
    seconds = _best_times({way: partial(TransformerEngine(parts, way).run, pictures[0], style) for way in faithful})
    _log.info("seconds: %s", {str(way): round(taken, 3) for way, taken in seconds.items()})
    return min(seconds, key=lambda way: seconds[way]), len(likeness) == len(ways)


@contextmanager
def _log_and_skip(way: ExecutionPlan) -> Iterator[None]:
    """Goes on without it: the plain way needs no compiler, nor what else may be broken here."""
    try:
        yield
    except Exception as error:  # whatever a compiler, a driver or a damaged installation raises
        _log.warning("%s does not run here, so pictures may take longer: %s", way, error)


def _best_times(runs: Mapping[ExecutionPlan, Callable[[], object]]) -> dict[ExecutionPlan, float]:
    """Each way's best. They take turns, so that what else the machine does is in the way of all of them alike."""
    rounds = [[precision.measure_seconds(run) for run in runs.values()] for _ in range(TIMING_ROUNDS)]
    return dict(zip(runs, map(min, zip(*rounds, strict=True)), strict=True))


def _candidate_plans() -> list[ExecutionPlan]:
    """Those that can run here, beside the plain one."""
    if "GPU" in device():
        return _GPU_PLANS
    ways = [*_CPU_PLANS, *(_CPU_BFLOAT16_PLANS if precision.should_try_bfloat16() else [])]
    return [way for way in ways if way.blocks != "winograd" or find_spec("numba")]


def trial_pictures() -> list[np.ndarray]:
    return [probe(TRIAL_SIDE) for probe in (busy_picture, sky_picture, mist_picture)]


def _cache_key(sha256: str) -> str:
    """Names the weights, this machine, and what computes on it."""
    machine = [device(), gpu_name(), precision.cpu_info(), str(cores())]
    versions = [version(package) for package in ("tensorflow", "numpy", "numba", "llvmlite") if find_spec(package)]
    code = [(Path(__file__).parent / f"{module}.py").read_text("utf-8") for module in CACHE_KEY_MODULES]
    return hashlib.sha256("\n".join([sha256, *machine, *versions, *code]).encode()).hexdigest()[:16]


def _read_cached_plan(file: Path) -> ExecutionPlan | None:
    """None where there is none, or it cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        way = ExecutionPlan(*json.loads(file.read_text("utf-8")))
        return way if way in (FLOAT32_PLAN, *_candidate_plans()) else None
    return None


def _write_cached_plan(file: Path, way: ExecutionPlan) -> None:
    """Where nothing can be written, the next process tries anew."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json.dump(way, new)
        os.replace(new.name, file)
