"""The ways to run the transformer here, and which of them is the fastest that still gives its picture.

Nobody can tell from a processor's name. So each way is tried once on this machine, for a second or two, when weights
are first loaded, against the plain one in float32; the choice is remembered in the cache folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from model import kernels, precision, settings
from model.device import cores, device
from model.graph import Graph, Precision
from model.kernels import Arrays, Norm
from model.networks import Architecture
from model.progress import OnBlock, OnStage

if TYPE_CHECKING:
    from model.tower import Tower

_log = logging.getLogger(__name__)

FAITHFUL = 42.0  # dB against float32, with which a way passes: 40 is where one sees no difference, photos differ
OURS = "winograd 8 x 8"  # to be changed with what we compute ourselves, so that all is tried anew
TRIAL_SIDE = 256  # pixels
TRIALS = 3  # of which the best counts


class Way(NamedTuple):
    """How each part of the transformer is computed."""

    contracting: Precision
    blocks: Precision | Literal["winograd"]
    expanding: Precision

    def __str__(self) -> str:
        return self.blocks if len(set(self)) == 1 else "-".join(self)


PLAIN = Way("float32", "float32", "float32")
_ON_PROCESSORS = [Way("float32", "winograd", "float32")]
_WITH_BFLOAT16 = [
    Way("bfloat16", "bfloat16", "bfloat16"),
    Way("bfloat16", "winograd", "bfloat16"),
    Way("float32", "winograd", "bfloat16"),
]
_ON_GPUS = [Way("bfloat16", "bfloat16", "bfloat16"), Way("float16", "float16", "float16")]


class Engine:
    """A transformer ready to run in one way. Safe to use from many threads."""

    def __init__(self, architecture: Architecture, arrays: Arrays, way: Way) -> None:
        self.way = way
        self.stages = architecture.residual_blocks + 4
        graphs: dict[str, Graph] = {}
        for kind in way:
            if kind != "winograd" and kind not in graphs:
                graphs[kind] = Graph(architecture, arrays, kind)
        self._contracting, self._expanding = graphs[way.contracting], graphs[way.expanding]
        self.tower = _tower(architecture, arrays) if way.blocks == "winograd" else None
        self._residual = graphs.get(way.blocks)

    def run(self, content: np.ndarray, norms: Sequence[Norm], on_stage: OnStage | None = None) -> np.ndarray:
        """(H, W, 3) float32 in 0..1 -> (H', W', 3), each side rounded up to a multiple of 4.

        on_stage(done, of): called before each stage and at the end; what it raises ends the run.
        """

        def tell(done: int) -> None:
            if on_stage:
                on_stage(done, self.stages)

        tell(0)
        x = self._contracting.contract(content[None])
        with self._blocks(x, norms[:-3], lambda index: tell(index + 1)) as y:
            tell(self.stages - 3)
            x = self._expanding.double(y, norms[-3], 0)
        tell(self.stages - 2)
        x = self._expanding.double(x, norms[-2], 1)
        tell(self.stages - 1)
        pastiche: np.ndarray = self._expanding.last(x, norms[-1])[0].numpy()
        tell(self.stages)
        return pastiche

    @contextmanager
    def _blocks(self, x: tf.Tensor, norms: Sequence[Norm], on_block: OnBlock) -> Iterator[tf.Tensor | np.ndarray]:
        if self._residual:
            yield self._residual.blocks(x, norms, on_block)
            return
        assert self.tower
        with self.tower.through(np.asarray(tf.cast(x, tf.float32))[0], norms, on_block) as y:
            yield y[None]


def _tower(architecture: Architecture, arrays: Arrays) -> Tower:
    from model.tower import Tower  # loads Numba

    return Tower(kernels.residual(architecture, arrays))


def fastest(architecture: Architecture, arrays: Arrays, sha256: str, style: Callable[[], Sequence[Norm]]) -> Engine:
    """style: makes one that the network may be asked for, to try with.

    STYLE_PRECISION=float32 asks for the plain way.
    """
    if settings.precision() == "float32":
        return Engine(architecture, arrays, PLAIN)
    file = settings.cache_dir() / "ways" / f"{_here(sha256)}.json"
    way = _kept(file)
    if way is None:
        way = _tried(architecture, arrays, style())
        _keep(file, way)
    return Engine(architecture, arrays, way)


def _tried(architecture: Architecture, arrays: Arrays, style: Sequence[Norm]) -> Way:
    picture = trial_picture()
    plain = Engine(architecture, arrays, PLAIN)
    wanted, best, least = plain.run(picture, style), PLAIN, _seconds(plain, picture, style)
    for way in _others():
        engine = Engine(architecture, arrays, way)
        likeness = psnr(engine.run(picture, style), wanted)
        seconds = _seconds(engine, picture, style)
        _log.info("%s: %.3f s instead of %.3f, %.0f dB", way, seconds, least, likeness)
        if likeness >= FAITHFUL and seconds < least:
            best, least = way, seconds
    return best


def _others() -> list[Way]:
    """Those that can run here, beside the plain one."""
    if "GPU" in device():
        return _ON_GPUS
    ways = [*_ON_PROCESSORS, *(_WITH_BFLOAT16 if precision.may_pay() else [])]
    return [way for way in ways if way.blocks != "winograd" or find_spec("numba")]


def trial_picture() -> np.ndarray:
    """Smooth and sharp, flat and busy, as photos are; the same each time."""
    y, x = np.mgrid[0 : 1 : TRIAL_SIDE * 1j, 0 : 1 : TRIAL_SIDE * 1j]
    waves = [np.sin(3 + n + 5 * x * (n + 1)) * np.cos(7 * y * (3 - n)) for n in range(3)]
    rings = np.sin(400 * (x - 0.6) ** 2 + 300 * (y - 0.4) ** 2) > 0
    noise = np.random.default_rng(0).normal(0, 0.2, (TRIAL_SIDE, TRIAL_SIDE, 3)) * (y > 0.5)[..., None]
    picture: np.ndarray = 0.5 + 0.25 * np.stack(waves, axis=-1) + 0.2 * rings[..., None] * (x < 0.6)[..., None] + noise
    return picture.clip(0, 1).astype("float32")


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Decibels, of pictures in 0..1."""
    return float(-10 * np.log10(max(1e-20, np.square(one - other, dtype="float64").mean())))


def _seconds(engine: Engine, picture: np.ndarray, style: Sequence[Norm]) -> float:
    return precision.best_seconds(lambda: engine.run(picture, style), TRIALS)


def _here(sha256: str) -> str:
    """Names the weights, this machine, and what computes on it."""
    versions = [version(package) for package in ("tensorflow", "numpy", "numba") if find_spec(package)]
    parts = [sha256, device(), precision.processor(), str(cores()), *versions, OURS]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
