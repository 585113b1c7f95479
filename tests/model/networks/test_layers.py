"""Layers by the names of the checkpoints, and arrays that go by them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.networks.architecture import LITE, V1_256, Architecture
from model.networks.layers import assign_arrays, dtype_policy, read_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from tests.support.arrays import noise
from tests.support.tiny_weights import TINY, paint


def test_arrays_of_one_network_make_another_its_equal(transformer: keras.Model):
    twin = build_transformer(TINY)
    content, vector = noise(1, 32, 32, 3), noise(1, 8)
    assert not np.array_equal(paint(twin, content, vector), paint(transformer, content, vector))
    assign_arrays(twin, read_arrays(transformer) | {"unasked": np.zeros(3)})
    assert np.array_equal(paint(twin, content, vector), paint(transformer, content, vector))


def test_names_are_the_checkpoints_and_each_is_there_once(transformer: keras.Model):
    arrays = read_arrays(transformer)
    assert len(arrays) == len(transformer.variables)
    assert not [name for name in arrays if "." in name or "kernel" in name]


@pytest.mark.parametrize("architecture", [TINY, LITE, V1_256], ids=["tiny", "lite", "full"])
def test_every_backend_takes_the_layers_names(architecture: Architecture):
    """Keras itself forbids slashes, PyTorch dots."""
    for network in build_transformer(architecture), build_predictor(architecture):
        assert not [layer.name for layer in network.layers if "." in layer.name or "/" in layer.name]


def test_a_kernel_over_a_vector_may_come_as_a_1x1_convolution(transformer: keras.Model):
    arrays = read_arrays(transformer)
    pointwise = {name: a[None, None] if a.ndim == 2 else a for name, a in arrays.items()}
    twin = build_transformer(TINY)
    assign_arrays(twin, pointwise)
    assert all(np.array_equal(array, arrays[name]) for name, array in read_arrays(twin).items())


def test_an_array_that_is_missing_or_of_another_shape_is_named(transformer: keras.Model):
    arrays = read_arrays(transformer)
    name = "transformer/contract/conv2/weights"
    with pytest.raises(ValueError, match=rf"{name}: shape \(1, 2\), but \(3, 3, 4, 6\) was expected"):
        assign_arrays(transformer, arrays | {name: np.zeros((1, 2))})
    del arrays[name]
    with pytest.raises(KeyError, match=name):
        assign_arrays(transformer, arrays)


def test_layers_inside_have_the_policy_and_those_after_do_not():
    with dtype_policy("mixed_bfloat16"):
        inside = keras.layers.Dense(1)
    assert inside.dtype_policy.name == "mixed_bfloat16"
    assert keras.layers.Dense(1).dtype_policy.name == "float32"


def test_an_error_inside_gives_the_policy_back():
    with pytest.raises(ValueError, match="stop"), dtype_policy("mixed_bfloat16"):
        raise ValueError("stop")
    assert keras.config.dtype_policy().name == "float32"
