"""Inception-v3 (Szegedy et al. 2016) up to Mixed_6e: the style predictor of the published v1-256 network.

It departs from the paper where the published graph does: ReLU6 for ReLU, batch normalisation without a scale, the image
taken as it is in 0..1. Names are the checkpoint's, oddities included.
"""

from __future__ import annotations

import keras
from keras import KerasTensor, ops

from model.networks.architecture import BATCH_EPSILON, Architecture
from model.networks.layers import batch_norm, conv, layer_name

ConvUnit = tuple[str, int]  # name, filters


def inception_predictor(image: KerasTensor, architecture: Architecture) -> KerasTensor:
    """Map style images (N, H, W, 3) in 0..1, at least 75 pixels a side, to style vectors (N, 768)."""
    x = _stem(image)
    x = _mixed_5(x, "Mixed_5b", 32)
    x = _mixed_5(x, "Mixed_5c", 64, narrow="Conv2d_0b_1x1", wide="Conv_1_0c_5x5")
    x = _mixed_5(x, "Mixed_5d", 64)
    x = _mixed_6a(x)
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _mixed_6(x, name, width)
    return ops.mean(x, axis=(1, 2))


def _stem(x: KerasTensor) -> KerasTensor:
    x = _unit(x, "Conv2d_1a_3x3", 32, stride=2, padding="valid")
    x = _unit(x, "Conv2d_2a_3x3", 32, padding="valid")
    x = _unit(x, "Conv2d_2b_3x3", 64)
    x = _max_pool(x, "MaxPool_3a_3x3")
    x = _unit(x, "Conv2d_3b_1x1", 80)
    x = _unit(x, "Conv2d_4a_3x3", 192, padding="valid")
    return _max_pool(x, "MaxPool_5a_3x3")


def _mixed_5(
    x: KerasTensor, name: str, pooled: int, narrow: str = "Conv2d_0a_1x1", wide: str = "Conv2d_0b_5x5"
) -> KerasTensor:
    branches = [
        _branch(x, f"{name}/Branch_0", ("Conv2d_0a_1x1", 64)),
        _branch(x, f"{name}/Branch_1", (narrow, 48), (wide, 64)),
        _branch(x, f"{name}/Branch_2", ("Conv2d_0a_1x1", 64), ("Conv2d_0b_3x3", 96), ("Conv2d_0c_3x3", 96)),
        _pooled_branch(x, f"{name}/Branch_3", pooled),
    ]
    return ops.concatenate(branches, axis=-1)


def _mixed_6a(x: KerasTensor) -> KerasTensor:
    """Halve the maps; both layers named 1a_1x1 are in truth 3x3."""
    y = _branch(x, "Mixed_6a/Branch_1", ("Conv2d_0a_1x1", 64), ("Conv2d_0b_3x3", 96))
    branches = [
        _unit(x, "Mixed_6a/Branch_0/Conv2d_1a_1x1", 384, size=(3, 3), stride=2, padding="valid"),
        _unit(y, "Mixed_6a/Branch_1/Conv2d_1a_1x1", 96, size=(3, 3), stride=2, padding="valid"),
        _max_pool(x, "Mixed_6a/Branch_2/MaxPool_1a_3x3"),
    ]
    return ops.concatenate(branches, axis=-1)


def _mixed_6(x: KerasTensor, name: str, width: int) -> KerasTensor:
    row_first = (("Conv2d_0a_1x1", width), ("Conv2d_0b_1x7", width), ("Conv2d_0c_7x1", 192))
    column_first = (
        ("Conv2d_0a_1x1", width),
        ("Conv2d_0b_7x1", width),
        ("Conv2d_0c_1x7", width),
        ("Conv2d_0d_7x1", width),
        ("Conv2d_0e_1x7", 192),
    )
    branches = [
        _branch(x, f"{name}/Branch_0", ("Conv2d_0a_1x1", 192)),
        _branch(x, f"{name}/Branch_1", *row_first),
        _branch(x, f"{name}/Branch_2", *column_first),
        _pooled_branch(x, f"{name}/Branch_3", 192),
    ]
    return ops.concatenate(branches, axis=-1)


def _branch(x: KerasTensor, path: str, *units: ConvUnit) -> KerasTensor:
    for name, filters in units:
        x = _unit(x, f"{path}/{name}", filters)
    return x


def _pooled_branch(x: KerasTensor, path: str, filters: int) -> KerasTensor:
    x = keras.layers.AveragePooling2D(3, 1, "same", name=layer_name(f"InceptionV3/{path}/AvgPool_0a_3x3"))(x)
    return _unit(x, f"{path}/Conv2d_0b_1x1", filters)


def _max_pool(x: KerasTensor, path: str) -> KerasTensor:
    return keras.layers.MaxPooling2D(3, 2, "valid", name=layer_name(f"InceptionV3/{path}"))(x)


def _unit(
    x: KerasTensor,
    path: str,
    filters: int,
    *,
    size: tuple[int, int] | None = None,
    stride: int = 1,
    padding: str = "same",
) -> KerasTensor:
    """Convolve, batch-normalise and apply ReLU6; without `size` the kernel is as the name ends: Conv2d_0b_1x7."""
    path = f"InceptionV3/{path}"
    x = conv(x, path, filters, size or _kernel_size(path), stride, padding=padding)
    return ops.relu6(batch_norm(x, path, epsilon=BATCH_EPSILON))


def _kernel_size(path: str) -> tuple[int, int]:
    height, width = path.rsplit("_", 1)[1].split("x")
    return int(height), int(width)
