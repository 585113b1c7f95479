"""The transformer as it is run on this machine: an execution plan and the backends that carry it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from model.inference import folding
from model.inference.folding import NormParams
from model.inference.graph import ComputeDtype, TransformerGraph
from model.networks.architecture import Architecture
from model.networks.style_network import Arrays
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
    """The implementations that execution plans combine; each is built once, when it is first asked for."""

    def __init__(self, architecture: Architecture, arrays: Arrays) -> None:
        self.residual_blocks = architecture.residual_blocks
        self.graph: Callable[[ComputeDtype], TransformerGraph] = cache(
            lambda dtype: TransformerGraph(architecture, arrays, dtype)
        )
        self.winograd_blocks: Callable[[], WinogradBlocks] = cache(lambda: _build_winograd_blocks(architecture, arrays))


class TransformerEngine:
    """A transformer ready to run by one execution plan. Safe to use from many threads."""

    def __init__(self, backends: Backends, plan: ExecutionPlan) -> None:
        self.plan, self.stages = plan, backends.residual_blocks + 4
        self._contracting_graph, self._expanding_graph = (
            backends.graph(plan.contracting),
            backends.graph(plan.expanding),
        )
        self._residual_graph = None if plan.blocks == "winograd" else backends.graph(plan.blocks)
        self.winograd_blocks = None if self._residual_graph else backends.winograd_blocks()

    def run(self, content: np.ndarray, norms: Sequence[NormParams], on_stage: OnStage | None = None) -> np.ndarray:
        """Map (H, W, 3) float32 in 0..1 to the pastiche (H', W', 3), each side rounded up to a multiple of 4.

        on_stage(done, of): called before each stage and at the end; what it raises ends the run.
        """

        def report(done: int) -> None:
            if on_stage:
                on_stage(done, self.stages)

        report(0)
        x = self._contracting_graph.contract(content[None])
        with self._run_residual_blocks(x, norms[:-3], lambda index: report(index + 1)) as y:
            report(self.stages - 3)
            x = self._expanding_graph.upsample(y, norms[-3], 0)
        report(self.stages - 2)
        x = self._expanding_graph.upsample(x, norms[-2], 1)
        report(self.stages - 1)
        pastiche: np.ndarray = self._expanding_graph.output(x, norms[-1])[0].numpy()
        report(self.stages)
        return pastiche

    @contextmanager
    def _run_residual_blocks(
        self, x: tf.Tensor, norms: Sequence[NormParams], on_block: OnBlock
    ) -> Iterator[tf.Tensor | np.ndarray]:
        if self._residual_graph:
            yield self._residual_graph.run_residual_blocks(x, norms, on_block)
            return
        assert self.winograd_blocks
        with self.winograd_blocks.run(np.asarray(tf.cast(x, tf.float32))[0], norms, on_block) as y:
            yield y[None]


def _build_winograd_blocks(architecture: Architecture, arrays: Arrays) -> WinogradBlocks:
    from model.inference.winograd.blocks import WinogradBlocks  # loads Numba

    return WinogradBlocks(folding.residual_kernels(architecture, arrays))
