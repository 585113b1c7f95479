"""The transformer's layers on bands of rows, and the statistics of what comes out.

A band comes with some rows more at either side than are wanted of it. Its ends are mirrored as the picture's are; where
it ends inside the picture that is wrong, and what it spoils is cut away: it lies within the rows that were not wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from model import graph, kernels
from model.device import device
from model.graph import Precision
from model.kernels import Arrays
from model.moments import Band, Moments, Scale
from model.networks import Architecture

TILE_ROWS = 8  # of the residual blocks' maps, what `winograd` makes at a time
SPOILT = 2  # rows of the residual blocks' maps, and eight of the picture: as far as contracting or expanding layers see


class Convolutions(Protocol):
    """The residual blocks', named by their number: `Plain`, or `winograd`'s. What comes in has a row more at either
    side than what goes out, but where the map ends, and what goes out begins at a multiple of TILE_ROWS."""

    def rectified(self, x: Band, scale: Scale, number: int, out: Band) -> Moments:
        """Of x, normalised and without what is negative."""

    def joined(self, x: Band, y: Band, scale: Scale, both: np.ndarray, number: int, out: Band) -> Moments:
        """Of the sum of x and the normalised y, whose rows that go out are put into `both`."""


class Plain:
    """Convolutions in TensorFlow."""

    def __init__(self, architecture: Architecture, arrays: Arrays, precision: Precision) -> None:
        self._kernels = [tf.cast(kernel, precision) for kernel in kernels.residual(architecture, arrays)]

    def rectified(self, x: Band, scale: Scale, number: int, out: Band) -> Moments:
        return self._convolved(np.maximum(x.rows * scale.factor + scale.offset, 0), number, _cut(x, out), out)

    def joined(self, x: Band, y: Band, scale: Scale, both: np.ndarray, number: int, out: Band) -> Moments:
        rows, cut = x.rows + (y.rows * scale.factor + scale.offset), _cut(x, out)
        both[:] = rows[cut]
        return self._convolved(rows, number, cut, out)

    def _convolved(self, x: np.ndarray, number: int, cut: slice, out: Band) -> Moments:
        kernel = self._kernels[number]
        rows, sums = _run(_convolved, kernel.dtype, x, cut, kernel)
        out.rows[:] = rows.numpy()
        return _of_rows(sums, out.rows.shape[1])


def _cut(band: Band, out: Band) -> slice:
    return slice(out.first - band.first, out.stop - band.first)


class Ends:
    """What contracts, and what expands."""

    def __init__(
        self, architecture: Architecture, arrays: Arrays, contracting: Precision, expanding: Precision
    ) -> None:
        self._contracting = [tf.cast(array, contracting) for array in kernels.contracting(architecture, arrays)]
        doubling = [kernels.four_halved(kernel) for kernel in kernels.doubling(arrays)]
        self._expanding, self._precision = [*doubling, kernels.four_shifted(kernels.last(arrays))], expanding

    def contract(self, content: Band, rows: slice) -> np.ndarray:
        """content: of the picture, from a multiple of 4 on. rows: of the residual blocks' maps."""
        first = content.first // 4
        layers = self._contracting
        cut = slice(rows.start - first, rows.stop - first)
        made: np.ndarray = _run(_contracted, layers[0].dtype, content.rows, cut, *layers).numpy()
        return made

    def expand(self, x: Band, rows: slice, scales: Sequence[Scale]) -> tuple[tf.Tensor, Moments]:
        """As far as the first layer whose scale is not known: (h, W, n) with two or four rows for each of x, and their
        moments.

        rows: of the residual blocks' maps.
        """
        times = 2 if not scales else 4
        cut = slice(times * (rows.start - x.first), times * (rows.stop - x.first))
        layers: list[np.ndarray] = []
        for four, scale in zip(self._expanding, scales, strict=False):
            layers += [four * np.tile(scale.factor, 4), np.tile(scale.offset, 4)]
        layers.append(self._expanding[len(scales)])
        arrays = [tf.cast(layer, self._precision) for layer in layers]
        made, sums = _run(_expanded, self._precision, x.rows, cut, *arrays)
        return made, _of_rows(sums, made.shape[1])


def _of_rows(sums: tf.Tensor, width: int) -> Moments:
    return Moments.of(sums.numpy(), np.full((len(sums), 1), float(width)))


def _run(layers: graph.Traced, precision: Precision | tf.DType, x: np.ndarray, cut: slice, *arrays: tf.Tensor) -> Any:
    with tf.device(device()):  # each thread has its own
        traced = _traced(layers, tf.as_dtype(precision), x.shape[2], tuple(tuple(array.shape) for array in arrays))
        return traced(tf.constant(x[None]), tf.constant(cut.start), tf.constant(cut.stop), *arrays)


@cache
def _traced(layers: graph.Traced, dtype: tf.DType, channels: int, shapes: tuple[tuple[int, ...], ...]) -> graph.Traced:
    """For bands of any size."""
    x, number = tf.TensorSpec((1, None, None, channels), tf.float32), tf.TensorSpec((), tf.int32)

    def run(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *arrays: tf.Tensor) -> Any:
        return layers(tf.cast(x, dtype), begin, stop, *arrays)

    return graph.traced(run, [x, number, number, *(tf.TensorSpec(shape, dtype) for shape in shapes)])


def _contracted(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *layers: tf.Tensor) -> tf.Tensor:
    return tf.cast(graph.contracted(x, *layers)[0, begin:stop], tf.float32)


def _convolved(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    rows = tf.cast(graph.convolved(x, kernel)[0, begin:stop], tf.float32)
    return rows, _summed(rows)


def _expanded(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *layers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """layers: kernel and bias of each whose normalisation is known, which is in them, and the kernel of the next."""
    for kernel, bias in zip(layers[:-1:2], layers[1::2], strict=True):
        x = graph.paired(tf.nn.relu(tf.nn.bias_add(graph.doubling(x, kernel), bias)))
    if len(layers) < 5:
        y = graph.paired(graph.doubling(x, layers[-1]))
    else:
        y = tf.nn.depth_to_space(graph.by_four(x, layers[-1]), 2)
    rows = tf.cast(y[0, begin:stop], tf.float32)
    return rows, _summed(rows)


def _summed(rows: tf.Tensor) -> tf.Tensor:
    """(h, W, C) -> (h, 3, C), each row as `Moments.of` takes it."""
    apart = rows - rows[:, :1]
    return tf.stack([rows[:, 0], tf.reduce_sum(apart, 1), tf.reduce_sum(tf.square(apart), 1)], 1)
