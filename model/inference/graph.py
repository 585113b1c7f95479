"""The transformer in TensorFlow's own operations, for speed: the same sums as `model.networks`, in fewer steps.

It differs from the Keras model in this: reduced precision where that is asked for; the convolutions of upsampled maps
run on the maps before they are upsampled, and the last one on four pixels at a time; each normalisation is one
operation. Kernels, gammas and betas are arguments: one trace serves pictures of any size, and every style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
import tensorflow as tf

from model.inference import folding
from model.inference.folding import NormParams
from model.networks.architecture import EPSILON, Architecture
from model.networks.style_network import Arrays
from model.progress import OnBlock

ComputeDtype: TypeAlias = Literal["float32", "bfloat16", "float16"]
TracedFunction: TypeAlias = Callable[..., Any]  # gives one tensor, or several


class TransformerGraph:
    """The contracting layers, the residual blocks and the expanding layers, each to be run by itself.

    Feature maps are (1, H, W, channels) of `precision`; statistics are float32 always.
    """

    def __init__(self, architecture: Architecture, arrays: Arrays, precision: ComputeDtype) -> None:
        self.dtype = tf.as_dtype(precision)
        self._contracting_layers = self._constants(folding.contracting_layers(architecture, arrays))
        self._residual_kernels = self._constants(folding.residual_kernels(architecture, arrays))
        upsampling = [folding.fold_upsampling(kernel) for kernel in folding.upsample_kernels(arrays)]
        self._upsample_kernels = self._constants(upsampling)
        (self._output_kernel,) = self._constants([folding.subpixel_kernel(folding.output_kernel(arrays))])

    def contract(self, content: np.ndarray) -> tf.Tensor:
        """Map (1, H, W, 3) float32 in 0..1 to (1, H / 4, W / 4, channels), rounded up."""
        return _run(contract, tf.cast(tf.constant(content), self.dtype), *self._contracting_layers)

    def run_residual_blocks(self, x: tf.Tensor, norms: Sequence[NormParams], on_block: OnBlock) -> tf.Tensor:
        """Run all residual blocks on (1, H, W, channels).

        norms: one for each of their convolutions. on_block(index): called before each block.
        """
        x, pairs = tf.cast(x, self.dtype), zip(self._residual_kernels, norms, strict=True)
        for index, (first, second) in enumerate(zip(pairs, pairs, strict=True)):
            on_block(index)
            x = _run(_residual_block, x, first[0], *first[1], second[0], *second[1])
        return x

    def upsample(self, x: tf.Tensor, norm: NormParams, index: int) -> tf.Tensor:
        """Map (1, H, W, n) to (1, 2 H, 2 W, m) by the first or the second upsampling layer."""
        return _run(_upsample_layer, tf.cast(x, self.dtype), self._upsample_kernels[index], *norm)

    def output(self, x: tf.Tensor, norm: NormParams) -> tf.Tensor:
        """Map (1, H, W, n) to the picture, (1, H, W, 3) float32 in 0..1. H and W are even."""
        return _run(_output_layer, x, self._output_kernel, *norm)

    def _constants(self, arrays: Sequence[np.ndarray]) -> list[tf.Tensor]:
        return [tf.cast(tf.constant(array), self.dtype) for array in arrays]


def _run(layers: Callable[..., tf.Tensor], x: tf.Tensor, *arrays: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Run `layers` on a feature map with kernels and normalisations, by a trace that serves all of these shapes."""
    tensors = [tf.convert_to_tensor(array) for array in arrays]
    specs = tuple((tuple(tensor.shape), tensor.dtype) for tensor in tensors)
    return _trace_layers(layers, x.shape[3], x.dtype, specs)(x, *tensors)


@cache
def _trace_layers(
    layers: Callable[..., tf.Tensor],
    channels: int,
    dtype: tf.DType,
    specs: tuple[tuple[tuple[int, ...], tf.DType], ...],
) -> TracedFunction:
    signature = [tf.TensorSpec(shape, dtype) for shape, dtype in specs]
    return trace(layers, [tf.TensorSpec((1, None, None, channels), dtype), *signature])


def trace(layers: TracedFunction, signature: Sequence[tf.TensorSpec]) -> TracedFunction:
    """Trace `layers` once for any height and width, so that no picture waits for a trace of its own.

    AutoGraph is off: no function here holds a branch or a loop that it would have to translate, and looking for them
    takes longer than everything else here.
    """
    concrete: TracedFunction = tf.function(layers, signature, autograph=False).get_concrete_function()
    return concrete


def contract(x: tf.Tensor, *layers: tf.Tensor) -> tf.Tensor:
    """Run the contracting layers; `layers` holds the kernel and the bias of each."""
    for kernel, bias, stride in zip(layers[::2], layers[1::2], (1, 2, 2), strict=True):
        x = tf.nn.relu(tf.nn.bias_add(reflect_conv(x, kernel, stride), bias))
    return x


def _residual_block(x: tf.Tensor, *layers: tf.Tensor) -> tf.Tensor:
    """Run one residual block; `layers` holds the kernel, gamma and beta of both convolutions."""
    y = tf.nn.relu(_instance_norm(reflect_conv(x, layers[0]), *layers[1:3]))
    return x + _instance_norm(reflect_conv(y, layers[3]), *layers[4:])


def _upsample_layer(x: tf.Tensor, folded: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(_instance_norm(shifted_pixel_shuffle(upsample_conv(x, folded)), gamma, beta))


def upsample_conv(x: tf.Tensor, folded: tf.Tensor) -> tf.Tensor:
    """Upsample by two (nearest neighbour), then convolve; `folded` is `folding.fold_upsampling` of the 3 x 3 kernel."""
    return tf.nn.conv2d(_edge_pad(x), folded, 1, "VALID")


def shifted_pixel_shuffle(pixels: tf.Tensor) -> tf.Tensor:
    """Rearrange the result of `upsample_conv`, (1, H + 1, W + 1, 2 x 2 x n), to (1, 2 H, 2 W, n).

    The pixels of a pair see neighbours that are shifted by one, so of each four one begins a pixel later.
    """
    _, rows, columns, _ = tf.unstack(tf.shape(pixels))
    y, x = tf.range(2 * rows - 2), tf.range(2 * columns - 2)
    places = ((y + 1) // 2 * columns * 4 + y % 2 * 2)[:, None] + (x + 1) // 2 * 4 + x % 2
    return tf.gather(tf.reshape(pixels, (-1, pixels.shape[3] // 4)), places)[None]


def _output_layer(x: tf.Tensor, folded: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(subpixel_conv(x, folded), tf.float32)
    mean = _channel_means(pixels)
    variance = _channel_means(tf.square(pixels - tf.tile(mean, [4])))
    scale = gamma * tf.math.rsqrt(variance + EPSILON)
    offset = beta - mean * scale
    return tf.nn.depth_to_space(tf.sigmoid(pixels * tf.tile(scale, [4]) + tf.tile(offset, [4])), 2)


def subpixel_conv(x: tf.Tensor, folded: tf.Tensor) -> tf.Tensor:
    """Map (1, H, W, n) to (1, H / 2, W / 2, 2 x 2 x m): `folded` is `folding.subpixel_kernel` of the kernel."""
    return tf.nn.conv2d(_reflect_pad(x, folded.shape[0] // 2 - 1), folded, 2, "VALID")


def _channel_means(pixels: tf.Tensor) -> tf.Tensor:
    """Return the mean of each colour of (1, H, W, 2 x 2 x 3), row by row: one sum of millions is not exact."""
    return tf.reduce_mean(tf.reshape(tf.reduce_mean(pixels, (0, 2)), (-1, 3)), 0)


def reflect_conv(x: tf.Tensor, kernel: tf.Tensor, stride: int = 1) -> tf.Tensor:
    return tf.nn.conv2d(_reflect_pad(x, kernel.shape[0] // 2), kernel, stride, "VALID")


def _reflect_pad(x: tf.Tensor, margin: int) -> tf.Tensor:
    if x.shape[3] == 3:  # gathering takes twice the time of this for so few channels, and a quarter for more
        return tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], "REFLECT")
    return _gather_pad(x, lambda n: [tf.range(margin, 0, -1), tf.range(n), n - 2 - tf.range(margin)])


def _edge_pad(x: tf.Tensor) -> tf.Tensor:
    """Pad by one with the outermost pixels: once upsampled, that is reflection."""
    return _gather_pad(x, lambda n: [[0], tf.range(n), [n - 1]])


def _gather_pad(x: tf.Tensor, places: Callable[[tf.Tensor], list[Any]]) -> tf.Tensor:
    """Pad by gathering; `places` gives the source of each pixel along a side of that length.

    Gathering both axes at once takes half the time of rows and then columns, and a quarter of tf.pad's.
    """
    _, height, width, _ = tf.unstack(tf.shape(x))
    rows, columns = (tf.concat(places(side), 0) for side in (height, width))
    return tf.gather(tf.reshape(x, (-1, x.shape[3])), rows[:, None] * width + columns)[None]


def _instance_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Normalise by instance, as the batch normalisation of a batch of one, which is one operation."""
    return tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=EPSILON, is_training=True)[0]
