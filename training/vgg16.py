"""torchvision's VGG16, which judged no training, and what LPIPS makes of its features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops

from model.networks.layers import dtype_policy

BLOCKS = (2, 2, 3, 3, 3)  # convolutions
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))  # relu1_1 ... relu5_1
LPIPS_LAYERS = tuple(f"block{block}_conv{count}" for block, count in enumerate(BLOCKS, 1))  # the last of each block
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB in 0..1


def read_vgg16(path: Path) -> dict[str, np.ndarray]:
    """Read kernels (HWIO), biases and LPIPS's linear layers from a .npz."""
    with np.load(path) as file:
        return {name: file[name].astype("float32") for name in file.files}


def vgg16(arrays: Mapping[str, np.ndarray], layers: tuple[str, ...], dtype: str = "float32") -> keras.Model:
    """Build the network from pictures (N, H, W, 3) RGB in 0..1 to the feature maps of `layers` after their ReLU."""
    picture = keras.Input((None, None, 3))
    x = (picture - ops.array(MEAN, "float32")) / ops.array(DEVIATION, "float32")
    maps: dict[str, KerasTensor] = {}
    for block, count in enumerate(BLOCKS, start=1):
        x = ops.max_pool(x, 2) if block > 1 else x
        for convolution in range(1, count + 1):
            name = f"block{block}_conv{convolution}"
            x = maps[name] = _convolution(x, arrays[f"{name}/kernel"], arrays[f"{name}/bias"], dtype)
    return keras.Model(picture, [maps[name] for name in layers], name="vgg16")


def _convolution(x: KerasTensor, kernel: np.ndarray, bias: np.ndarray, dtype: str) -> KerasTensor:
    with dtype_policy(dtype):
        layer = keras.layers.Conv2D(kernel.shape[-1], 3, padding="same", activation="relu", trainable=False)
    y = layer(x)
    layer.set_weights([kernel, bias])
    return y


def lpips(one: list[KerasTensor], other: list[KerasTensor], linear: list[np.ndarray]) -> KerasTensor:
    """Measure how unlike two pictures look, (N,), from their features at LPIPS_LAYERS.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1, with the
    weights (C,) of each layer.
    """
    layers = zip(one, other, linear, strict=True)
    return sum(ops.mean(ops.square(_unit(a) - _unit(b)) @ weights[:, None], (1, 2, 3)) for a, b, weights in layers)


def _unit(features: KerasTensor) -> KerasTensor:
    """Scale each position's channels to length 1."""
    return features / (ops.norm(features, axis=-1, keepdims=True) + 1e-10)
