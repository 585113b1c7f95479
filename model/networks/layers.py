"""Layers that the networks share, and their variables by checkpoint name.

Layers carry the names of the published checkpoints with "/" written as "-" (Keras forbids slashes, and PyTorch dots),
so that one table of names and arrays serves every set of weights: see `read_arrays` and `assign_arrays`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from model.networks.architecture import EPSILON


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build the layers inside with that Keras policy, which is the thread's own."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def layer_name(path: str) -> str:
    """Return the Keras name of a layer that the checkpoints call `path`."""
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


def reflect_conv(
    x: KerasTensor, path: str, filters: int, size: int, stride: int = 1, *, bias: bool = False
) -> KerasTensor:
    """Convolve a picture that is continued by its mirror image, so that a stride of 1 keeps its size."""
    margin = size // 2
    x = ops.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")
    return conv(x, path, filters, size, stride, bias=bias)


def batch_norm(x: KerasTensor, path: str, *, scale: bool = False, epsilon: float = EPSILON) -> KerasTensor:
    return keras.layers.BatchNormalization(
        epsilon=epsilon, scale=scale, momentum=0.99, name=layer_name(f"{path}/BatchNorm")
    )(x)


_VARIABLE_NAMES = {"kernel": "weights", "bias": "biases"}  # Keras's name -> the checkpoints'


def variable_name(variable: Any) -> str:
    """Return the checkpoints' name of a Keras variable, whose path is "[model/]layer-name/kernel"."""
    layer, name = variable.path.split("/")[-2:]
    return f"{layer.replace('-', '/')}/{_VARIABLE_NAMES.get(name, name)}"


def read_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return every variable of `model` under its checkpoint name."""
    return {variable_name(v): v.numpy() for v in model.variables if v.dtype != "uint32"}


def assign_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Copy each of `model`'s variables from `arrays` by name; arrays that no variable asks for are ignored.

    Raises KeyError for a name that is missing and ValueError for a wrong shape. 1x1 convolutions over a vector are
    Dense layers here, so their kernels lose two axes of length one.
    """
    for variable in model.variables:
        name = variable_name(variable)
        array = np.asarray(arrays[name], dtype="float32")
        if array.ndim == 4 and len(variable.shape) == 2:
            array = array.reshape(array.shape[2:])
        if array.shape != tuple(variable.shape):
            raise ValueError(f"{name}: shape {array.shape}, but {tuple(variable.shape)} was expected")
        variable.assign(array)
