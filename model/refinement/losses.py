"""Losses of style, content and colour between pictures, on an encoder's feature maps or pixels (N, H, W, C).

There is one loss for each picture, (N,).
"""

from __future__ import annotations

from typing import Literal

from keras import KerasTensor, ops


def gram(features: KerasTensor) -> KerasTensor:
    """Return Gram matrices (N, C, C): channel products averaged over positions (Gatys et al. 2016, eq. 3)."""
    _, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (-1, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / ops.cast(height * width, flat.dtype)


def statistics(features: KerasTensor) -> KerasTensor:
    """Return mean and standard deviation of each channel, (N, 2, C).

    They hold much of what a Gram matrix does: Li et al., "Demystifying Neural Style Transfer", IJCAI 2017; Huang and
    Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", ICCV 2017, eq. 13.
    """
    mean, variance = ops.moments(features, axes=(1, 2))
    return ops.stack([mean, ops.sqrt(variance + 1e-8)], axis=1)


def squared_error(value: KerasTensor, target: KerasTensor) -> KerasTensor:
    """Return the mean squared distance: of features the content loss, of Gram matrices or statistics the style loss.

    Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016: eq. 1 is half the
    sum in place of the mean, eq. 4 a quarter of this mean.
    """
    return ops.mean(ops.square(value - target), _inner_axes(target))


def relative_error(value: KerasTensor, target: KerasTensor) -> KerasTensor:
    """Return the squared distance as a share of the target's own squared length.

    Dividing by the target makes layers and pictures of different contrast count alike.
    """
    axes = _inner_axes(target)
    return ops.sum(ops.square(value - target), axes) / (ops.sum(ops.square(target), axes) + 1e-12)


def total_variation(pictures: KerasTensor, exponent: Literal[1, 2] = 1) -> KerasTensor:
    """Sum the differences to the neighbours right and below over all pixels, to the power of `exponent`.

    1 keeps edges (Rudin, Osher and Fatemi 1992, anisotropic); 2 smooths them (Mahendran and Vedaldi, "Understanding
    Deep Image Representations by Inverting Them", CVPR 2015, with beta = 2).
    """
    down, right = pictures[:, 1:] - pictures[:, :-1], pictures[:, :, 1:] - pictures[:, :, :-1]
    power = ops.abs if exponent == 1 else ops.square
    return sum(ops.sum(power(difference), (1, 2, 3)) for difference in (down, right))


def _inner_axes(x: KerasTensor) -> tuple[int, ...]:
    return tuple(range(1, len(x.shape)))
