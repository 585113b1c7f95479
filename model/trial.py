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

from model import precision, probes, settings
from model.device import cores, device, gpu_name
from model.engine import PLAIN, Engine, Parts, Way
from model.kernels import Arrays, Norm
from model.likeness import psnr
from model.networks import Architecture

_log = logging.getLogger(__name__)

FAITHFUL = 42.0  # dB against float32, with which a way passes: 40 is where one sees no difference, photos differ
# Modules: once their code has changed, all is tried anew.
CODE = "compiled", "engine", "graph", "kernels", "moments", "probes", "products", "tower", "trial", "winograd"
TRIAL_SIDE = 256  # pixels
ROUNDS = 5  # of which each way's best counts

# What contracts sees the photo itself, whose sky may differ less from place to place than bfloat16 can tell.
_ON_PROCESSORS = [Way("float32", "winograd", "float32")]
_WITH_BFLOAT16 = [Way("float32", "winograd", "bfloat16"), Way("float32", "float32", "bfloat16")]
_ON_GPUS = [
    Way("float32", "float32", "bfloat16"),
    Way("float32", "float32", "float16"),
    Way("float32", "bfloat16", "bfloat16"),
    Way("float32", "float16", "float16"),
    Way("float16", "float16", "float16"),
]


def fastest(architecture: Architecture, arrays: Arrays, sha256: str, style: Callable[[], Sequence[Norm]]) -> Engine:
    """style: makes one that the network may be asked for, to try with.

    STYLE_PRECISION=float32 asks for the plain way.
    """
    parts = Parts(architecture, arrays)
    if settings.precision() == "float32":
        return Engine(parts, PLAIN)
    file = settings.cache_dir() / "ways" / f"{_here(sha256)}.json"
    if way := _kept(file):
        with _reporting(way):
            return Engine(parts, way)
    way, is_sure = _tried(parts, style())
    if is_sure:
        _keep(file, way)
    return Engine(parts, way)


def _tried(parts: Parts, style: Sequence[Norm]) -> tuple[Way, bool]:
    """The best, and whether each of the others could be tried: what is wrong today may be mended tomorrow."""
    pictures, ways = trial_pictures(), _others()
    wanted = [Engine(parts, PLAIN).run(picture, style) for picture in pictures]
    likeness: dict[Way, list[float]] = {}
    for way in ways:
        with _reporting(way):
            found = [Engine(parts, way).run(picture, style) for picture in pictures]
            likeness[way] = list(map(psnr, found, wanted))
    _log.info("dB: %s", {str(way): [round(one, 1) for one in each] for way, each in likeness.items()})
    faithful = [PLAIN, *(way for way, each in likeness.items() if all(one >= FAITHFUL for one in each))]
    seconds = _seconds({way: partial(Engine(parts, way).run, pictures[0], style) for way in faithful})
    _log.info("seconds: %s", {str(way): round(taken, 3) for way, taken in seconds.items()})
    return min(seconds, key=lambda way: seconds[way]), len(likeness) == len(ways)


@contextmanager
def _reporting(way: Way) -> Iterator[None]:
    """Goes on without it: the plain way needs no compiler, nor what else may be broken here."""
    try:
        yield
    except Exception as error:  # whatever a compiler, a driver or a damaged installation raises
        _log.warning("%s does not run here, so pictures may take longer: %s", way, error)


def _seconds(runs: Mapping[Way, Callable[[], object]]) -> dict[Way, float]:
    """Each way's best. They take turns, so that what else the machine does is in the way of all of them alike."""
    rounds = [[precision.seconds(run) for run in runs.values()] for _ in range(ROUNDS)]
    return dict(zip(runs, map(min, zip(*rounds, strict=True)), strict=True))


def _others() -> list[Way]:
    """Those that can run here, beside the plain one."""
    if "GPU" in device():
        return _ON_GPUS
    ways = [*_ON_PROCESSORS, *(_WITH_BFLOAT16 if precision.may_pay() else [])]
    return [way for way in ways if way.blocks != "winograd" or find_spec("numba")]


def trial_pictures() -> list[np.ndarray]:
    return [probe(TRIAL_SIDE) for probe in (probes.busy, probes.sky, probes.mist)]


def _here(sha256: str) -> str:
    """Names the weights, this machine, and what computes on it."""
    machine = [device(), gpu_name(), precision.processor(), str(cores())]
    versions = [version(package) for package in ("tensorflow", "numpy", "numba", "llvmlite") if find_spec(package)]
    code = [Path(__file__).with_name(f"{module}.py").read_text("utf-8") for module in CODE]
    return hashlib.sha256("\n".join([sha256, *machine, *versions, *code]).encode()).hexdigest()[:16]


def _kept(file: Path) -> Way | None:
    """None where there is none, or it cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        way = Way(*json.loads(file.read_text("utf-8")))
        return way if way in (PLAIN, *_others()) else None
    return None


def _keep(file: Path, way: Way) -> None:
    """Where nothing can be written, the next process tries anew."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json.dump(way, new)
        os.replace(new.name, file)
