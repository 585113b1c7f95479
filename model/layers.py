"""What the networks share: layers under their checkpoint names, and the constants of the published graphs."""

from __future__ import annotations

import keras
from keras import KerasTensor

EPSILON = 1e-5  # of the style normalisations in the published graphs, and of our own networks
BATCH_EPSILON = 1e-3  # of the batch normalisations in the published graphs


def layer_name(path: str) -> str:
    """The Keras name of a layer that the checkpoints call `path`."""
    return path.replace("/", "-")


def conv(
    x: KerasTensor,
    path: str,
    filters: int,
    size: int | tuple[int, int],
    stride: int = 1,
    *,
    padding: str = "valid",
    bias: bool = False,
) -> KerasTensor:
    layer = keras.layers.Conv2D(
        filters, size, stride, padding, use_bias=bias, kernel_initializer="he_normal", name=layer_name(path)
    )
    return layer(x)


def batch_norm(x: KerasTensor, path: str, *, scale: bool = False, epsilon: float = EPSILON) -> KerasTensor:
    return keras.layers.BatchNormalization(
        epsilon=epsilon, scale=scale, momentum=0.99, name=layer_name(f"{path}/BatchNorm")
    )(x)
