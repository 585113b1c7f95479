"""The ways to run the transformer on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from model import kernels
from model.graph import Graph, Precision
from model.kernels import Arrays, Norm
from model.networks import Architecture
from model.progress import OnBlock, OnStage

if TYPE_CHECKING:
    from model.tower import Tower


class Way(NamedTuple):
    """How each part of the transformer is computed."""

    contracting: Precision
    blocks: Precision | Literal["winograd"]
    expanding: Precision

    def __str__(self) -> str:
        return self.blocks if len(set(self)) == 1 else "-".join(self)


PLAIN = Way("float32", "float32", "float32")


class Parts:
    """What the ways are made of; each is built when it is first asked for, once."""

    def __init__(self, architecture: Architecture, arrays: Arrays) -> None:
        self.blocks = architecture.residual_blocks
        self.graph: Callable[[Precision], Graph] = cache(lambda kind: Graph(architecture, arrays, kind))
        self.tower: Callable[[], Tower] = cache(lambda: _tower(architecture, arrays))


class Engine:
    """A transformer ready to run in one way. Safe to use from many threads."""

    def __init__(self, parts: Parts, way: Way) -> None:
        self.way, self.stages = way, parts.blocks + 4
        self._contracting, self._expanding = parts.graph(way.contracting), parts.graph(way.expanding)
        self._residual = None if way.blocks == "winograd" else parts.graph(way.blocks)
        self.tower = None if self._residual else parts.tower()

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
