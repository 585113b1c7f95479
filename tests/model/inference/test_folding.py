"""The transformer's arrays, as they are selected for the engine."""

from __future__ import annotations

import keras
import numpy as np

from model.inference import folding
from model.networks.architecture import Architecture
from model.networks.layers import read_arrays, variable_name
from model.networks.transformer import build_transformer

BATCHED = Architecture("texture", 8, (4, 6, 8), 1, "batch")


def transformer_of(architecture: Architecture) -> keras.Model:
    """Return a transformer with random numbers in place of all defaults."""
    keras.utils.set_random_seed(0)
    transformer, rng = build_transformer(architecture), np.random.default_rng(0)
    for variable in transformer.variables:
        if len(variable.shape) == 1:
            variable.assign(np.asarray(variable) + rng.uniform(-0.2, 0.2, variable.shape))
    return transformer


def test_arrays_are_those_of_the_network():
    transformer = transformer_of(BATCHED)
    arrays = read_arrays(transformer)
    fitted = folding.transformer_arrays(BATCHED, arrays | {"another": np.zeros(3)})
    assert set(fitted) == {variable_name(variable) for variable in transformer.variables}
    assert all(np.array_equal(fitted[name], arrays[name]) for name in fitted)
