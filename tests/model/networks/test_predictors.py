"""The style predictor."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.networks.predictors import build_predictor
from tests.support.arrays import noise
from tests.support.tiny_weights import TINY


@pytest.fixture(scope="module")
def predictor() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_predictor(TINY)


@pytest.mark.parametrize("size", [(256, 256), (256, 301), (75, 128)])
def test_a_painting_of_any_shape_becomes_one_vector(predictor: keras.Model, size: tuple[int, int]):
    vector = keras.ops.convert_to_numpy(predictor(noise(1, *size, 3), training=False))
    assert vector.shape == (1, 8)
    assert np.isfinite(vector).all()
