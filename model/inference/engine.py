"""The ways to run the transformer on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from model.inference import folding
from model.inference.folding import Arrays, NormParams
from model.inference.graph import ComputeDtype, TransformerGraph
from model.networks.architecture import Architecture
from model.progress import OnBlock, OnStage

if TYPE_CHECKING:
    from model.inference.winograd.blocks import WinogradBlocks


class ExecutionPlan(NamedTuple):
    """How each part of the transformer is computed."""

    contracting: ComputeDtype
    blocks: ComputeDtype | Literal["winograd"]
    expanding: ComputeDtype

    def __str__(self) -> str:
        return self.blocks if len(set(self)) == 1 else "-".join(self)


FLOAT32_PLAN = ExecutionPlan("float32", "float32", "float32")


class Backends:
    """What the ways are made of; each is built when it is first asked for, once."""

    def __init__(self, architecture: Architecture, arrays: Arrays) -> None:
        self.blocks = architecture.residual_blocks
        self.graph: Callable[[ComputeDtype], TransformerGraph] = cache(
            lambda kind: TransformerGraph(architecture, arrays, kind)
        )
        self.tower: Callable[[], WinogradBlocks] = cache(lambda: _build_winograd_blocks(architecture, arrays))


class TransformerEngine:
    """A transformer ready to run in one way. Safe to use from many threads."""

    def __init__(self, parts: Backends, way: ExecutionPlan) -> None:
        self.way, self.stages = way, parts.blocks + 4
        self._contracting, self._expanding = parts.graph(way.contracting), parts.graph(way.expanding)
        self._residual = None if way.blocks == "winograd" else parts.graph(way.blocks)
        self.tower = None if self._residual else parts.tower()

    def run(self, content: np.ndarray, norms: Sequence[NormParams], on_stage: OnStage | None = None) -> np.ndarray:
        """(H, W, 3) float32 in 0..1 -> (H', W', 3), each side rounded up to a multiple of 4.

        on_stage(done, of): called before each stage and at the end; what it raises ends the run.
        """

        def tell(done: int) -> None:
            if on_stage:
                on_stage(done, self.stages)

        tell(0)
        x = self._contracting.contract(content[None])
        with self._run_residual_blocks(x, norms[:-3], lambda index: tell(index + 1)) as y:
            tell(self.stages - 3)
            x = self._expanding.upsample(y, norms[-3], 0)
        tell(self.stages - 2)
        x = self._expanding.upsample(x, norms[-2], 1)
        tell(self.stages - 1)
        pastiche: np.ndarray = self._expanding.output(x, norms[-1])[0].numpy()
        tell(self.stages)
        return pastiche

    @contextmanager
    def _run_residual_blocks(
        self, x: tf.Tensor, norms: Sequence[NormParams], on_block: OnBlock
    ) -> Iterator[tf.Tensor | np.ndarray]:
        if self._residual:
            yield self._residual.blocks(x, norms, on_block)
            return
        assert self.tower
        with self.tower.run(np.asarray(tf.cast(x, tf.float32))[0], norms, on_block) as y:
            yield y[None]


def _build_winograd_blocks(architecture: Architecture, arrays: Arrays) -> WinogradBlocks:
    from model.inference.winograd.blocks import WinogradBlocks  # loads Numba

    return WinogradBlocks(folding.residual_kernels(architecture, arrays))
