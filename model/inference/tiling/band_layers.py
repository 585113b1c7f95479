"""The transformer's layers on bands of rows, and the statistics of their output.

A band has a halo: some rows more at either side than are wanted of it. Its ends are reflected as the picture's are,
which is wrong inside the picture; the rows that this spoils lie within the halo, and are cut away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from model.hardware.device import device
from model.inference import folding, graph
from model.inference.graph import ComputeDtype
from model.inference.statistics import Band, ChannelAffine, ChannelStatistics
from model.networks.architecture import Architecture
from model.networks.style_network import Arrays

# Of the residual blocks' maps, which are eight of the picture: as far as contracting or expanding layers see.
HALO_ROWS = 2


class ResidualConvolutions(Protocol):
    """The convolutions of the residual blocks by number, in TensorFlow or by Winograd's filtering.

    An input has one row more at either side than the output, except where the map ends, and `out.first` is a multiple
    of TILE_ROWS.
    """

    def convolve_rectified(self, x: Band, affine: ChannelAffine, number: int, out: Band) -> ChannelStatistics:
        """Convolve the normalised x without its negative values into `out`; return the statistics of `out`."""

    def convolve_sum(
        self, x: Band, y: Band, affine: ChannelAffine, total: np.ndarray, number: int, out: Band
    ) -> ChannelStatistics:
        """Convolve the sum of x and the normalised y into `out`, and write its rows of that sum into `total`."""


class TensorFlowConvolutions:
    """The convolutions of the residual blocks in TensorFlow, as `ResidualConvolutions` describes."""

    def __init__(self, architecture: Architecture, arrays: Arrays, precision: ComputeDtype) -> None:
        self._kernels = [tf.cast(kernel, precision) for kernel in folding.residual_kernels(architecture, arrays)]

    def convolve_rectified(self, x: Band, affine: ChannelAffine, number: int, out: Band) -> ChannelStatistics:
        return self._convolve(np.maximum(x.rows * affine.factor + affine.offset, 0), number, _crop_slice(x, out), out)

    def convolve_sum(
        self, x: Band, y: Band, affine: ChannelAffine, total: np.ndarray, number: int, out: Band
    ) -> ChannelStatistics:
        rows, cut = x.rows + (y.rows * affine.factor + affine.offset), _crop_slice(x, out)
        total[:] = rows[cut]
        return self._convolve(rows, number, cut, out)

    def _convolve(self, x: np.ndarray, number: int, cut: slice, out: Band) -> ChannelStatistics:
        kernel = self._kernels[number]
        rows, sums = _run_traced(_convolve_rows, kernel.dtype, x, cut, kernel)
        out.rows[:] = rows.numpy()
        return _row_statistics(sums, out.rows.shape[1])


def _crop_slice(band: Band, out: Band) -> slice:
    return slice(out.first - band.first, out.stop - band.first)


class ContractExpandLayers:
    """The layers before and after the residual blocks, on bands."""

    def __init__(
        self, architecture: Architecture, arrays: Arrays, contracting: ComputeDtype, expanding: ComputeDtype
    ) -> None:
        layers = folding.contracting_layers(architecture, arrays)
        self._contracting_layers = [tf.cast(array, contracting) for array in layers]
        upsampling = [folding.fold_upsampling(kernel) for kernel in folding.upsample_kernels(arrays)]
        self._expanding_kernels = [*upsampling, folding.subpixel_kernel(folding.output_kernel(arrays))]
        self._expanding_dtype = expanding

    def contract(self, content: Band, rows: slice) -> np.ndarray:
        """Return these rows of the residual blocks' input, of a band of the picture that begins at a multiple of 4."""
        first = content.first // 4
        layers = self._contracting_layers
        cut = slice(rows.start - first, rows.stop - first)
        contracted: np.ndarray = _run_traced(_contract_rows, layers[0].dtype, content.rows, cut, *layers).numpy()
        return contracted

    def expand(self, x: Band, rows: slice, affines: Sequence[ChannelAffine]) -> tuple[tf.Tensor, ChannelStatistics]:
        """Run the expanding layers up to the first whose normalisation is not known.

        rows: of the residual blocks' maps. Returns (h, W, n), two or four rows for each of them, and their statistics.
        """
        times = 2 if not affines else 4
        cut = slice(times * (rows.start - x.first), times * (rows.stop - x.first))
        layers: list[np.ndarray] = []
        for kernel, affine in zip(self._expanding_kernels, affines, strict=False):
            layers += [kernel * np.tile(affine.factor, 4), np.tile(affine.offset, 4)]
        layers.append(self._expanding_kernels[len(affines)])
        arrays = [tf.cast(layer, self._expanding_dtype) for layer in layers]
        expanded, sums = _run_traced(_expand_rows, self._expanding_dtype, x.rows, cut, *arrays)
        return expanded, _row_statistics(sums, expanded.shape[1])


def _row_statistics(sums: tf.Tensor, width: int) -> ChannelStatistics:
    return ChannelStatistics.from_sums(sums.numpy(), np.full((len(sums), 1), float(width)))


def _run_traced(
    layers: graph.TracedFunction, precision: ComputeDtype | tf.DType, x: np.ndarray, cut: slice, *arrays: tf.Tensor
) -> Any:
    with tf.device(device()):  # the setting is the thread's own
        traced = _trace(layers, tf.as_dtype(precision), x.shape[2], tuple(tuple(array.shape) for array in arrays))
        return traced(tf.constant(x[None]), tf.constant(cut.start), tf.constant(cut.stop), *arrays)


@cache
def _trace(
    layers: graph.TracedFunction, dtype: tf.DType, channels: int, shapes: tuple[tuple[int, ...], ...]
) -> graph.TracedFunction:
    """Trace `layers` once for bands of any size."""
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
    """Run layers given by kernel and bias, with their normalisation folded in, and the last by its kernel alone."""
    for kernel, bias in zip(layers[:-1:2], layers[1::2], strict=True):
        x = graph.shifted_pixel_shuffle(tf.nn.relu(tf.nn.bias_add(graph.upsample_conv(x, kernel), bias)))
    if len(layers) < 5:
        y = graph.shifted_pixel_shuffle(graph.upsample_conv(x, layers[-1]))
    else:
        y = tf.nn.depth_to_space(graph.subpixel_conv(x, layers[-1]), 2)
    rows = tf.cast(y[0, begin:stop], tf.float32)
    return rows, _row_sums(rows)


def _row_sums(rows: tf.Tensor) -> tf.Tensor:
    """Map (h, W, C) to (h, 3, C), each row as `ChannelStatistics.from_sums` takes it."""
    apart = rows - rows[:, :1]
    return tf.stack([rows[:, 0], tf.reduce_sum(apart, 1), tf.reduce_sum(tf.square(apart), 1)], 1)
