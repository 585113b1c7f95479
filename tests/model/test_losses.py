from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from model.losses import gram, relative_error


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype("float32")


def test_gram_averages_the_products_of_channels(features: np.ndarray):
    expected = np.einsum("nhwi,nhwj->nij", features, features) / 35
    assert np.allclose(ops.convert_to_numpy(gram(features)), expected, atol=1e-5)


def test_gram_does_not_know_where_a_feature_is_nor_how_large_the_picture(features: np.ndarray):
    once = ops.convert_to_numpy(gram(features))
    turned, doubled = features[:, ::-1, ::-1], np.concatenate([features, features], axis=1)
    assert np.allclose(once, ops.convert_to_numpy(gram(turned)), atol=1e-5)
    assert np.allclose(once, ops.convert_to_numpy(gram(doubled)), atol=1e-5)


def test_relative_error_is_0_for_the_target_and_1_for_nothing(features: np.ndarray):
    assert ops.convert_to_numpy(relative_error(features, features)).tolist() == [0, 0]
    assert np.allclose(relative_error(np.zeros_like(features), features), [1, 1])


def test_relative_error_is_each_picture_s_own_and_knows_no_contrast(features: np.ndarray):
    scale = np.array([1, 1000], "float32")[:, None, None, None]
    errors = ops.convert_to_numpy(relative_error(1.1 * scale * features, scale * features))
    assert errors.shape == (2,)
    assert np.allclose(errors, 0.01, rtol=1e-3)


def test_relative_error_to_an_empty_target_is_finite(features: np.ndarray):
    assert np.isfinite(relative_error(features, np.zeros_like(features))).all()
