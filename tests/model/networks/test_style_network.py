"""Mixtures of the arbitrary network and networks of styles."""

from __future__ import annotations

import numpy as np
import pytest

from model.inference.folding import StyleNorms, transformer_arrays
from model.networks.style_network import mix_arrays
from tests.support.arrays import noise
from tests.support.style_networks import style_network
from tests.support.tiny_weights import TINY, tiny_arrays


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return transformer_arrays(TINY, tiny_arrays())


def joined(norms: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    gammas, betas = zip(*norms, strict=True)
    return np.concatenate(gammas), np.concatenate(betas)


def test_a_network_alone_is_all_there_is(arrays: dict[str, np.ndarray]):
    network = style_network()
    mixed = mix_arrays(TINY, arrays, [(network, 1.0)])
    assert mixed.keys() == arrays.keys()
    assert all(np.array_equal(mixed[name], array) for name, array in network.arrays.items())
    gamma, beta = joined(StyleNorms(TINY, mixed)(noise(TINY.vector_size)))
    assert np.array_equal(gamma, network.gamma)
    assert np.array_equal(beta, network.beta)


def test_shares_are_those_of_a_weighted_mean(arrays: dict[str, np.ndarray]):
    one, other = style_network(1), style_network(2)
    mixed = mix_arrays(TINY, arrays, [(one, 0.25), (other, 0.35)])
    name = "transformer/contract/conv2/weights"
    wanted = 0.4 * arrays[name] + 0.25 * one.arrays[name] + 0.35 * other.arrays[name]
    assert np.allclose(mixed[name], wanted, atol=1e-6)
    vector = noise(TINY.vector_size)
    gamma, beta = joined(StyleNorms(TINY, arrays)(vector))
    mixed_gamma, mixed_beta = joined(StyleNorms(TINY, mixed)(vector))
    assert np.allclose(mixed_gamma, 0.4 * gamma + 0.25 * one.gamma + 0.35 * other.gamma, atol=1e-5)
    assert np.allclose(mixed_beta, 0.4 * beta + 0.25 * one.beta + 0.35 * other.beta, atol=1e-5)
