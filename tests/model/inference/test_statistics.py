"""Statistics of pieces are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from model.inference.statistics import ChannelAffine, ChannelStatistics
from model.networks.architecture import EPSILON


def moments(rows: np.ndarray) -> ChannelStatistics:
    """Of each row, in float32."""
    first = rows[:, :1]
    apart = rows - first
    pieces = np.stack([first[:, 0], apart.sum(axis=1), np.square(apart).sum(axis=1)], axis=1)
    return ChannelStatistics.from_sums(pieces, np.full((len(rows), 1), rows.shape[1]))


@pytest.mark.parametrize("level", [0, 4, 1000])
def test_far_from_zero_as_well(level: float):
    x = (np.random.default_rng(0).standard_normal((50, 40, 6)) * 0.5 + level).astype("float32")
    gamma, beta = np.arange(1, 7, dtype="float32"), np.arange(6, dtype="float32")
    affine = ChannelAffine.from_statistics(
        (gamma, beta), [moments(x[:7]), moments(x[7:8]), moments(x[8:, :25]), moments(x[8:, 25:])]
    )
    exact = x.astype("float64")
    factor = gamma / np.sqrt(exact.var(axis=(0, 1)) + EPSILON)
    np.testing.assert_allclose(affine.factor, factor, rtol=1e-5)
    np.testing.assert_allclose(affine.offset, beta - exact.mean(axis=(0, 1)) * factor, rtol=1e-5, atol=1e-5)


def test_it_scales_in_place():
    x = np.ones((2, 3, 2), "float32")
    assert ChannelAffine(np.array([2, 3], "float32"), np.array([1, 0], "float32"))(x) is x
    assert x[1, 2].tolist() == [3, 3]


def test_none_changes_nothing():
    x = np.random.default_rng(0).random((2, 3, 5), dtype="float32")
    assert np.array_equal(ChannelAffine.identity(5)(x.copy()), x)
