"""Points between styles: blends, strengths, and how much of the photo shows through."""

from __future__ import annotations

import numpy as np
import pytest

from model.pipelines.style_mixing import StylePoint, between, blend, mixing_share, opacity
from tests.support.arrays import noise
from tests.support.style_networks import style_network

VECTORS = [noise(8, seed=seed) for seed in range(3)]
NETWORK = style_network()


def test_a_blend_of_vectors_is_their_mean():
    mixed = blend([StylePoint(v) for v in VECTORS], [0.5, 0.3, 0.2])
    assert np.array_equal(mixed.vector, np.average(VECTORS, axis=0, weights=[0.5, 0.3, 0.2]).astype("float32"))
    assert mixed.networks == ()


def test_a_blend_with_a_network_keeps_the_vector_of_the_rest():
    mixed = blend([StylePoint(VECTORS[0]), StylePoint(VECTORS[1], ((NETWORK, 1.0),))], [0.75, 0.25])
    assert np.allclose(mixed.vector, VECTORS[0])
    assert mixed.networks == ((NETWORK, 0.25),)
    assert mixed.arbitrary_share == 0.75


def test_networks_alone_keep_the_mean_of_their_vectors():
    points = [StylePoint(vector, ((style_network(seed), 1.0),)) for seed, vector in enumerate(VECTORS[:2])]
    mixed = blend(points, [0.5, 0.5])
    assert np.allclose(mixed.vector, np.mean(VECTORS[:2], axis=0), atol=1e-6)
    assert [share for _, share in mixed.networks] == [0.5, 0.5]


def test_between_the_photo_and_a_vector_vectors_are_mixed():
    point = between(VECTORS[0], StylePoint(VECTORS[1]), 0.25)
    assert np.allclose(point.vector, 0.75 * VECTORS[0] + 0.25 * VECTORS[1])
    assert point.networks == ()


def test_between_the_photo_and_a_network_the_photo_has_the_rest():
    point = between(VECTORS[0], StylePoint(VECTORS[1], ((NETWORK, 1.0),)), 0.25)
    assert np.array_equal(point.vector, VECTORS[0])
    assert point.networks == ((NETWORK, 0.25),)


@pytest.mark.parametrize("share", [0.3, 0.9, 1.4])
def test_between_the_photo_and_a_blend_shares_add_up(share: float):
    style = StylePoint(VECTORS[1], ((NETWORK, 0.6),))
    point = between(VECTORS[0], style, share)
    whole = point.arbitrary_share * point.vector
    assert np.allclose(whole, (1 - share) * VECTORS[0] + share * 0.4 * VECTORS[1], atol=1e-6)
    assert point.networks[0][1] == pytest.approx(share * 0.6)


def test_the_end_of_the_way_is_the_style():
    style = StylePoint(VECTORS[1], ((NETWORK, 1.0),))
    assert between(VECTORS[0], style, 1.0).networks == style.networks


def test_the_share_goes_from_nothing_to_all_and_on():
    values = [mixing_share(strength) for strength in np.linspace(0, 1.5, 31)]
    assert (values[0], values[20], values[-1]) == (0, 1, 1.5)
    assert values == sorted(values)


def test_opacity_goes_from_nothing_to_all_and_no_further():
    values = [opacity(strength) for strength in np.linspace(0, 1.5, 31)]
    assert (values[0], values[20], values[-1]) == (0, 1, 1)
    assert values == sorted(values)
