"""Magenta's transformer in Keras: a photo and a style vector to a pastiche.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", BMVC 2017
(https://arxiv.org/abs/1705.06830).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import keras
from keras import KerasTensor, ops

from model.networks.architecture import BATCH_EPSILON, EPSILON, Architecture, normalised_channels
from model.networks.layers import batch_norm, layer_name, reflect_conv

# x -> mean and variance, (N, 1, 1, C) each
StatisticsFunction: TypeAlias = Callable[[KerasTensor], Sequence[KerasTensor]]


def build_transformer(architecture: Architecture) -> keras.Model:
    """Build the network of content images (N, H, W, 3) in 0..1 and style vectors (N, vector_size).

    It gives pastiches (N, H', W', 3) in 0..1, with H' and W' rounded up to multiples of 4; the surplus lies at the
    bottom and the right.
    """
    content, vector = _transformer_inputs(architecture)
    pastiche = _transform(content, vector, architecture, _instance_statistics)
    return keras.Model([content, vector], pastiche, name="transformer")


def build_temporal_transformer(architecture: Architecture) -> keras.Model:
    """Build the transformer for the frames of a clip, whose normalisations mix in the statistics of the frame before.

    Besides content and vector it takes the statistics (N, 2, C) that it gave for that frame, mean and variance of every
    normalisation one after another, and the share 0..1 (N, 1) in which they are mixed into its own. It gives the
    pastiches and the mixed statistics.
    """
    content, vector = _transformer_inputs(architecture)
    former = keras.Input((2, normalised_channels(architecture)), name="former")
    share = keras.Input((1,), name="share")
    mixed: list[KerasTensor] = []

    def mixed_statistics(x: KerasTensor) -> Sequence[KerasTensor]:
        begin, filters = sum(each.shape[-1] for each in mixed), x.shape[-1]
        own = ops.stack([ops.squeeze(each, (1, 2)) for each in _instance_statistics(x)], axis=1)
        both = own + share[:, :, None] * (former[:, :, begin : begin + filters] - own)
        mixed.append(both)
        return [both[:, index, None, None, :] for index in (0, 1)]

    pastiche = _transform(content, vector, architecture, mixed_statistics)
    return keras.Model([content, vector, former, share], [pastiche, ops.concatenate(mixed, axis=-1)])


def _transformer_inputs(architecture: Architecture) -> tuple[KerasTensor, KerasTensor]:
    return keras.Input((None, None, 3), name="content"), keras.Input((architecture.vector_size,), name="vector")


def _transform(
    content: KerasTensor, vector: KerasTensor, architecture: Architecture, statistics: StatisticsFunction
) -> KerasTensor:
    first, second, third = architecture.channels
    x = _contract(content, "conv1", first, 9, 1, architecture)
    x = _contract(x, "conv2", second, 3, 2, architecture)
    x = _contract(x, "conv3", third, 3, 2, architecture)
    for block in range(1, architecture.residual_blocks + 1):
        x = _residual(x, vector, f"transformer/residual/residual{block}", third, statistics)
    x = _expand(x, vector, "conv1", second, 3, 2, "relu", statistics)
    x = _expand(x, vector, "conv2", first, 3, 2, "relu", statistics)
    return _expand(x, vector, "conv3", 3, 9, 1, "sigmoid", statistics)


def _contract(
    x: KerasTensor, name: str, filters: int, size: int, stride: int, architecture: Architecture
) -> KerasTensor:
    path = f"transformer/contract/{name}"
    batch = architecture.contract_norm == "batch"
    x = reflect_conv(x, path, filters, size, stride, bias=not batch)
    return ops.relu(batch_norm(x, path, epsilon=BATCH_EPSILON) if batch else x)


def _residual(
    x: KerasTensor, vector: KerasTensor, path: str, filters: int, statistics: StatisticsFunction
) -> KerasTensor:
    y = reflect_conv(x, f"{path}/conv1", filters, 3)
    y = ops.relu(_style_norm(y, vector, f"{path}/conv1", statistics))
    y = reflect_conv(y, f"{path}/conv2", filters, 3)
    y = _style_norm(y, vector, f"{path}/conv2", statistics)
    return keras.layers.Add(name=layer_name(path))([x, y])


def _expand(
    x: KerasTensor,
    vector: KerasTensor,
    name: str,
    filters: int,
    size: int,
    scale: int,
    activation: str,
    statistics: StatisticsFunction,
) -> KerasTensor:
    path = f"transformer/expand/{name}/conv"
    if scale > 1:
        x = keras.layers.UpSampling2D(scale, interpolation="nearest", name=layer_name(f"{path}/upsample"))(x)
    x = _style_norm(reflect_conv(x, path, filters, size), vector, path, statistics)
    return keras.layers.Activation(activation, name=layer_name(f"{path}/{activation}"))(x)


def _style_norm(x: KerasTensor, vector: KerasTensor, path: str, statistics: StatisticsFunction) -> KerasTensor:
    """Apply conditional instance normalisation (Dumoulin et al. 2017): beta and gamma are linear in the vector."""
    filters = x.shape[-1]
    params = f"style_params/{path}/StyleNorm"
    beta = keras.layers.Dense(filters, name=layer_name(f"{params}/Conv"))(vector)
    gamma = keras.layers.Dense(filters, bias_initializer="ones", name=layer_name(f"{params}/Conv_1"))(vector)
    mean, variance = statistics(x)
    scale = ops.rsqrt(variance + EPSILON) * gamma[:, None, None, :]
    return x * scale + (beta[:, None, None, :] - mean * scale)


def _instance_statistics(x: KerasTensor) -> Sequence[KerasTensor]:
    mean, variance = ops.moments(x, axes=[1, 2], keepdims=True)
    return mean, variance
