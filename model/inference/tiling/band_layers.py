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

from model.hardware.device import device
from model.inference import folding, graph
from model.inference.folding import Arrays
from model.inference.graph import ComputeDtype
from model.inference.statistics import Band, ChannelAffine, ChannelStatistics
from model.networks.architecture import Architecture

TILE_ROWS = 8  # of the residual blocks' maps, what `winograd` makes at a time
HALO_ROWS = (
    2  # rows of the residual blocks' maps, and eight of the picture: as far as contracting or expanding layers see
)


class ResidualConvolutions(Protocol):
    """The residual blocks', named by their number: `Plain`, or `winograd`'s. What comes in has a row more at either
    side than what goes out, but where the map ends, and what goes out begins at a multiple of TILE_ROWS."""

    def rectified(self, x: Band, scale: ChannelAffine, number: int, out: Band) -> ChannelStatistics:
        """Of x, normalised and without what is negative."""

    def joined(
        self, x: Band, y: Band, scale: ChannelAffine, both: np.ndarray, number: int, out: Band
    ) -> ChannelStatistics:
        """Of the sum of x and the normalised y, whose rows that go out are put into `both`."""


class TensorFlowConvolutions:
    """Convolutions in TensorFlow."""

    def __init__(self, architecture: Architecture, arrays: Arrays, precision: ComputeDtype) -> None:
        self._kernels = [tf.cast(kernel, precision) for kernel in folding.residual_kernels(architecture, arrays)]

    def rectified(self, x: Band, scale: ChannelAffine, number: int, out: Band) -> ChannelStatistics:
        return self._convolve(np.maximum(x.rows * scale.factor + scale.offset, 0), number, _crop_slice(x, out), out)

    def joined(
        self, x: Band, y: Band, scale: ChannelAffine, both: np.ndarray, number: int, out: Band
    ) -> ChannelStatistics:
        rows, cut = x.rows + (y.rows * scale.factor + scale.offset), _crop_slice(x, out)
        both[:] = rows[cut]
        return self._convolve(rows, number, cut, out)

    def _convolve(self, x: np.ndarray, number: int, cut: slice, out: Band) -> ChannelStatistics:
        kernel = self._kernels[number]
        rows, sums = _run_traced(_convolve_rows, kernel.dtype, x, cut, kernel)
        out.rows[:] = rows.numpy()
        return _row_statistics(sums, out.rows.shape[1])


def _crop_slice(band: Band, out: Band) -> slice:
    return slice(out.first - band.first, out.stop - band.first)


class ContractExpandLayers:
    """What contracts, and what expands."""

    def __init__(
        self, architecture: Architecture, arrays: Arrays, contracting: ComputeDtype, expanding: ComputeDtype
    ) -> None:
        self._contracting = [tf.cast(array, contracting) for array in folding.contracting_layers(architecture, arrays)]
        doubling = [folding.fold_upsampling(kernel) for kernel in folding.upsample_kernels(arrays)]
        self._expanding, self._precision = (
            [*doubling, folding.subpixel_kernel(folding.output_kernel(arrays))],
            expanding,
        )

    def contract(self, content: Band, rows: slice) -> np.ndarray:
        """content: of the picture, from a multiple of 4 on. rows: of the residual blocks' maps."""
        first = content.first // 4
        layers = self._contracting
        cut = slice(rows.start - first, rows.stop - first)
        made: np.ndarray = _run_traced(_contract_rows, layers[0].dtype, content.rows, cut, *layers).numpy()
        return made

    def expand(self, x: Band, rows: slice, scales: Sequence[ChannelAffine]) -> tuple[tf.Tensor, ChannelStatistics]:
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
        made, sums = _run_traced(_expand_rows, self._precision, x.rows, cut, *arrays)
        return made, _row_statistics(sums, made.shape[1])


def _row_statistics(sums: tf.Tensor, width: int) -> ChannelStatistics:
    return ChannelStatistics.of(sums.numpy(), np.full((len(sums), 1), float(width)))


def _run_traced(
    layers: graph.TracedFunction, precision: ComputeDtype | tf.DType, x: np.ndarray, cut: slice, *arrays: tf.Tensor
) -> Any:
    with tf.device(device()):  # each thread has its own
        traced = _trace(layers, tf.as_dtype(precision), x.shape[2], tuple(tuple(array.shape) for array in arrays))
        return traced(tf.constant(x[None]), tf.constant(cut.start), tf.constant(cut.stop), *arrays)


@cache
def _trace(
    layers: graph.TracedFunction, dtype: tf.DType, channels: int, shapes: tuple[tuple[int, ...], ...]
) -> graph.TracedFunction:
    """For bands of any size."""
    x, number = tf.TensorSpec((1, None, None, channels), tf.float32), tf.TensorSpec((), tf.int32)

    def run(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *arrays: tf.Tensor) -> Any:
        return layers(tf.cast(x, dtype), begin, stop, *arrays)

    return graph.trace(run, [x, number, number, *(tf.TensorSpec(shape, dtype) for shape in shapes)])


def _contract_rows(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *layers: tf.Tensor) -> tf.Tensor:
    return tf.cast(graph.contract(x, *layers)[0, begin:stop], tf.float32)


def _convolve_rows(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    rows = tf.cast(graph.reflect_conv(x, kernel)[0, begin:stop], tf.float32)
    return rows, _row_sums(rows)


def _expand_rows(x: tf.Tensor, begin: tf.Tensor, stop: tf.Tensor, *layers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """layers: kernel and bias of each whose normalisation is known, which is in them, and the kernel of the next."""
    for kernel, bias in zip(layers[:-1:2], layers[1::2], strict=True):
        x = graph.shifted_pixel_shuffle(tf.nn.relu(tf.nn.bias_add(graph.upsample_conv(x, kernel), bias)))
    if len(layers) < 5:
        y = graph.shifted_pixel_shuffle(graph.upsample_conv(x, layers[-1]))
    else:
        y = tf.nn.depth_to_space(graph.subpixel_conv(x, layers[-1]), 2)
    rows = tf.cast(y[0, begin:stop], tf.float32)
    return rows, _row_sums(rows)


def _row_sums(rows: tf.Tensor) -> tf.Tensor:
    """(h, W, C) -> (h, 3, C), each row as `Moments.of` takes it."""
    apart = rows - rows[:, :1]
    return tf.stack([rows[:, 0], tf.reduce_sum(apart, 1), tf.reduce_sum(tf.square(apart), 1)], 1)
