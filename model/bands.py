"""The transformer's layers on a feature map that flows by in bands, and the statistics of all of them.

A band is some rows of it, (h, width, channels) float32; bands follow each other from the top. The convolutions are
TensorFlow's; NumPy does what is as fast as memory, for TensorFlow's kernels do that in more steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import tensorflow as tf

from model.device import device
from model.graph import Precision
from model.kernels import four_halved, four_shifted
from model.layers import EPSILON

FEW = 4  # channels of an output for which the convolution of one pixel at a time is slow

Bands: TypeAlias = Generator[np.ndarray, None, None]


class Need(NamedTuple):
    """Rows of an input, and how many are missing beyond its two ends: its own rows are to be mirrored there."""

    rows: range
    margins: tuple[int, int]


def _need(start: int, stop: int, height: int) -> Need:
    return Need(range(max(0, start), min(height, stop)), (max(0, -start), max(0, stop - height)))


@dataclass(frozen=True)
class Conv:
    """A convolution of its input with reflected margins; where there is a bias, that and a ReLU after it."""

    kernel: np.ndarray
    bias: np.ndarray | None = None
    stride: int = 1
    precision: Precision = "float32"

    def height(self, height: int) -> int:
        return -(-height // self.stride)

    def ready(self, rows: int, height: int) -> int:
        """How many rows of the output can be made of the first `rows` of an input of that height."""
        size = len(self.kernel)
        return self.height(height) if rows == height else max(0, (rows - size + size // 2) // self.stride + 1)

    def need(self, rows: range, height: int) -> Need:
        """For `rows` of the output."""
        size = len(self.kernel)
        start = rows.start * self.stride - size // 2
        return _need(start, start + (len(rows) - 1) * self.stride + size, height)

    def padded(self, x: np.ndarray, margins: tuple[int, int]) -> np.ndarray:
        side = len(self.kernel) // 2
        return np.pad(x, [margins, (side, side), (0, 0)], mode="reflect")

    def convolved(self, x: np.ndarray) -> np.ndarray:
        if self._is_by_four():
            return _convolve(x, four_shifted(self.kernel), None, self.precision, 2)
        return _convolve(x, self.kernel, self.bias, self.precision, self.stride)

    def spread(self, y: np.ndarray) -> np.ndarray:
        if not self._is_by_four():
            return y
        height, width = y.shape[:2]
        pixels: np.ndarray = y.reshape(height, width, 2, 2, -1).swapaxes(1, 2)
        return pixels.reshape(2 * height, 2 * width, -1)

    def _is_by_four(self) -> bool:
        return self.kernel.shape[3] <= FEW and self.bias is None

    def normed(self, norm: Norm) -> Conv:
        """With a normalisation that is known by now, and a ReLU."""
        return replace(self, kernel=self.kernel * norm.scale, bias=norm.offset)


@dataclass(frozen=True)
class UpConv:
    """Doubles its input, each pixel into 2 x 2, and convolves that by 3 x 3 with reflected margins.

    It convolves the input itself by 2 x 2, into the four pixels at once: the same sums in four ninths of the work
    (the sub-pixel convolution of Shi et al. 2016). A doubled row's reflection is the row itself.
    """

    kernel: np.ndarray
    bias: np.ndarray | None = None
    precision: Precision = "float32"

    def height(self, height: int) -> int:
        return 2 * height

    def ready(self, rows: int, height: int) -> int:
        return 2 * (rows if rows == height else rows - 1)

    def need(self, rows: range, height: int) -> Need:
        return _need(rows.start // 2 - 1, rows.stop // 2 + 1, height)

    def padded(self, x: np.ndarray, margins: tuple[int, int]) -> np.ndarray:
        return np.pad(x, [margins, (1, 1), (0, 0)], mode="symmetric")

    def convolved(self, x: np.ndarray) -> np.ndarray:
        bias = None if self.bias is None else np.tile(self.bias, 4)
        return _convolve(x, four_halved(self.kernel), bias, self.precision)

    def spread(self, y: np.ndarray) -> np.ndarray:
        height, width, channels = y.shape[0] - 1, y.shape[1] - 1, self.kernel.shape[3]
        four = y.reshape(height + 1, width + 1, 2, 2, channels)
        pixels = np.empty((2 * height, 2 * width, channels), "float32")
        for i, j in np.ndindex(2, 2):
            pixels[i::2, j::2] = four[i : i + height, j : j + width, i, j]
        return pixels

    def normed(self, norm: Norm) -> UpConv:
        return replace(self, kernel=self.kernel * norm.scale, bias=norm.offset)


Layer: TypeAlias = Conv | UpConv


def _convolve(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, precision: Precision, stride: int = 1
) -> np.ndarray:
    arrays = [x[None], kernel] if bias is None else [x[None], kernel, bias]
    with tf.device(device()):  # each thread has its own
        y: np.ndarray = _convolution(stride, bias is not None, precision)(*arrays).numpy()[0]
    return y


@cache
def _convolution(stride: int, biased: bool, precision: Precision) -> tf.types.experimental.PolymorphicFunction:
    """For any size and kernel, so that one trace serves all; TensorFlow makes one step of the three."""
    x, kernel = tf.TensorSpec((1, None, None, None), tf.float32), tf.TensorSpec((None,) * 4, tf.float32)

    def convolve(*arrays: tf.Tensor) -> tf.Tensor:
        x, kernel, *bias = (tf.cast(array, precision) for array in arrays)
        y = tf.nn.conv2d(x, kernel, stride, "VALID")
        return tf.cast(tf.nn.relu(tf.nn.bias_add(y, *bias)) if bias else y, tf.float32)

    return tf.function(convolve, [x, kernel, *([tf.TensorSpec((None,), tf.float32)] if biased else [])])


def through(layer: Layer, bands: Bands, height: int) -> Bands:
    """The layer's output, as soon as it can be made, of an input of that height; each row is made once.

    Its convolution has a thread to itself, so that TensorFlow, which has all processors, seldom waits.
    """
    with closing(ahead(_each(layer.convolved, ahead(_padded(layer, bands, height))))) as made:
        yield from _each(layer.spread, made)


def _each(change: Callable[[np.ndarray], np.ndarray], bands: Bands) -> Bands:
    with closing(bands):
        for band in bands:
            yield change(band)


def _padded(layer: Layer, bands: Bands, height: int) -> Bands:
    kept, first, done = np.empty((0, 0, 0), "float32"), 0, 0
    with closing(bands):
        for band in bands:
            kept = np.concatenate([kept, band]) if kept.size else band
            rows = range(done, layer.ready(first + len(kept), height))
            if rows:
                need = layer.need(rows, height)
                yield layer.padded(kept[need.rows.start - first : need.rows.stop - first], need.margins)
                done, start = rows.stop, layer.need(range(rows.stop, rows.stop + 1), height).rows.start
                kept, first = kept[start - first :].copy(), start


def ahead(bands: Bands) -> Bands:
    """Makes the next band, in a thread, while the last is at work: so no processor waits for the disk or for NumPy."""
    with closing(bands), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, bands, None)
        while (band := coming.result()) is not None:
            coming = thread.submit(next, bands, None)
            yield band


@dataclass(frozen=True)
class Norm:
    """A style normalisation whose statistics are known: x * scale + offset, each of a channel."""

    scale: np.ndarray
    offset: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """In place. Whole rows at once: NumPy is slow where the last axis is short."""
        rows = x.reshape(len(x), -1)
        rows *= np.tile(self.scale, x.shape[1])
        rows += np.tile(self.offset, x.shape[1])
        return x


class Moments:
    """Mean and variance of each channel over bands, put together as in Chan, Golub and LeVeque 1983, in float64."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0, np.float64(0), np.float64(0)

    def add(self, x: np.ndarray) -> None:
        """Each column is summed in its own precision, which is quick, and exact as bands are not high."""
        rows, count = x.reshape(len(x), -1), x.shape[0] * x.shape[1]
        sums, squares = (
            np.einsum(f"{term}->k", *[rows] * n).reshape(x.shape[1:]).sum(axis=0, dtype="float64")
            for n, term in ((1, "hk"), (2, "hk,hk"))
        )
        mean = sums / count
        both, step = self._count + count, mean - self._mean
        self._squares = self._squares + (squares - count * mean**2) + step**2 * (self._count * count / both)
        self._mean = self._mean + step * (count / both)
        self._count = both

    def norm(self, gamma: np.ndarray, beta: np.ndarray) -> Norm:
        scale = gamma / np.sqrt(self._squares / self._count + EPSILON)
        return Norm(scale.astype("float32"), (beta - self._mean * scale).astype("float32"))
