"""What makes two pictures alike in style or in content, on an encoder's feature maps (N, H, W, C)."""

from __future__ import annotations

from keras import KerasTensor, ops


def gram(features: KerasTensor) -> KerasTensor:
    """Gram matrices (N, C, C): channel products averaged over positions (Gatys, Ecker and Bethge 2016, eq. 3)."""
    _, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (-1, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(height * width, flat.dtype)


def relative_error(value: KerasTensor, target: KerasTensor) -> KerasTensor:
    """Squared distance as a share of the target's own squared length, for each picture, (N,).

    Dividing by the target makes layers and pictures of different contrast count alike.
    """
    axes = tuple(range(1, len(target.shape)))
    return ops.sum(ops.square(value - target), axes) / (ops.sum(ops.square(target), axes) + 1e-12)
