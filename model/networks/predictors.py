"""Magenta's style predictor in Keras: a style image to a style vector, by one of three networks.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", BMVC 2017
(https://arxiv.org/abs/1705.06830).
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import KerasTensor, ops

from model.networks.architecture import EPSILON, Architecture
from model.networks.inception_predictor import inception_predictor
from model.networks.layers import batch_norm, conv, layer_name


def build_predictor(architecture: Architecture) -> keras.Model:
    """Build the network that maps style images (N, H, W, 3) in 0..1 to style vectors (N, vector_size)."""
    image = keras.Input((None, None, 3), name="style")
    vector = _PREDICTORS[architecture.predictor](image, architecture)
    return keras.Model(image, vector, name="predictor")


def _mobilenet_predictor(image: KerasTensor, architecture: Architecture) -> KerasTensor:
    """MobileNetV2 1.0 (Sandler et al. 2018) with its batch norms folded into biases, then a linear bottleneck."""
    x = ops.relu6(conv(image, "MobilenetV2/Conv", 32, 3, 2, padding="same", bias=True))
    block = 0
    for expansion, filters, repeats, stride in _INVERTED_RESIDUALS:
        for repeat in range(repeats):
            path = "MobilenetV2/expanded_conv" + (f"_{block}" if block else "")
            x = _inverted_residual(x, path, expansion, filters, stride if repeat == 0 else 1)
            block += 1
    x = ops.relu6(conv(x, "MobilenetV2/Conv_1", 1280, 1, bias=True))
    x = ops.mean(x, axis=(1, 2))
    return keras.layers.Dense(architecture.vector_size, name=layer_name("mobilenet_conv/Conv"))(x)


_INVERTED_RESIDUALS = (  # expansion, filters, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _inverted_residual(x: KerasTensor, path: str, expansion: int, filters: int, stride: int) -> KerasTensor:
    y = x
    if expansion > 1:
        y = ops.relu6(conv(y, f"{path}/expand", expansion * x.shape[-1], 1, bias=True))
    depthwise = keras.layers.DepthwiseConv2D(3, stride, "same", name=layer_name(f"{path}/depthwise/depthwise_weights"))
    y = ops.relu6(depthwise(y))
    y = conv(y, f"{path}/project", filters, 1, bias=True)
    return x + y if stride == 1 and x.shape[-1] == filters else y


def _texture_predictor(image: KerasTensor, architecture: Architecture) -> KerasTensor:
    """Predict from texture: every stage hands on the mean and the deviation of its feature maps.

    Channel statistics at several depths are what style losses compare (Huang and Belongie 2017); pooling them lets a
    shallow network do what Inception-v3 does for v1-256.
    """
    x, statistics = image * 2.0 - 1.0, []
    for stage, filters in enumerate((32, 64, 128, 256, 256), start=1):
        path = f"texture/stage{stage}"
        x = batch_norm(conv(x, f"{path}/reduce", filters, 3, 2, padding="same"), f"{path}/reduce", scale=True)
        x = ops.relu(x)
        if filters >= 128:
            y = batch_norm(conv(x, f"{path}/refine", filters, 3, padding="same"), f"{path}/refine", scale=True)
            x = x + ops.relu(y)
        mean, variance = ops.moments(x, axes=[1, 2])
        statistics += [mean, ops.sqrt(variance + EPSILON)]
    x = keras.layers.Dense(512, "relu", name=layer_name("texture/mix"))(ops.concatenate(statistics, axis=-1))
    return keras.layers.Dense(architecture.vector_size, name=layer_name("texture/vector"))(x)


_PREDICTORS: dict[str, Callable[[KerasTensor, Architecture], KerasTensor]] = {
    "inception_v3": inception_predictor,
    "mobilenet_v2": _mobilenet_predictor,
    "texture": _texture_predictor,
}
