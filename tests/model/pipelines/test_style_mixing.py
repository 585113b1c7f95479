"""Points between styles: blends, strengths, and how much of the photo shows through."""

from __future__ import annotations

import numpy as np
import pytest

from model.pipelines.style_mixing import (
    StylePoint,
    between,
    blend,
    blend_styles,
    imported_share,
    mean_picture,
    mixing_share,
    opacity,
    parts_between,
    parts_opacity,
)
from model.weights.johnson_files import JohnsonNetwork, decode
from tests.support.arrays import noise
from tests.support.style_networks import style_network
from tests.support.torch_files import imported_style

VECTORS = [noise(8, seed=seed) for seed in range(3)]
NETWORK = style_network()
IMPORTED = decode(imported_style().network)


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


def test_styles_that_can_be_mixed_are_one_part():
    points = [StylePoint(v) for v in VECTORS]
    ((point, share),) = blend_styles(points, [0.5, 0.3, 0.2])
    assert np.array_equal(point.vector, blend(points, [0.5, 0.3, 0.2]).vector)
    assert share == 1.0


def test_an_imported_network_is_a_part_of_its_own():
    parts = blend_styles([StylePoint(VECTORS[0]), IMPORTED, StylePoint(VECTORS[1])], [0.2, 0.5, 0.3])
    assert [share for _, share in parts] == [0.5, 0.5]
    assert np.allclose(parts[0][0].vector, 0.4 * VECTORS[0] + 0.6 * VECTORS[1])
    assert parts[1][0] is IMPORTED
    assert imported_share(parts) == 0.5
    assert blend_styles([StylePoint(VECTORS[0]), IMPORTED], [0.0, 1.0]) == ((IMPORTED, 1.0),)
    assert imported_share(blend_styles([StylePoint(VECTORS[0]), IMPORTED], [1.0, 0.0])) == 0


def test_strength_moves_points_and_leaves_imported_networks():
    point, imported = parts_between(lambda: VECTORS[0], ((StylePoint(VECTORS[1]), 0.6), (IMPORTED, 0.4)), 0.25)
    assert np.allclose(point[0].vector, 0.75 * VECTORS[0] + 0.25 * VECTORS[1])
    assert imported == (IMPORTED, 0.4)
    assert parts_between(lambda: pytest.fail("not needed"), ((IMPORTED, 1.0),), 0.5) == ((IMPORTED, 1.0),)


def test_the_opacity_of_imported_networks_is_the_strength():
    alone = ((IMPORTED, 1.0),)
    assert [parts_opacity(alone, strength) for strength in (0, 0.25, 1, 1.5)] == [0, 0.25, 1, 1]
    assert parts_opacity(((StylePoint(VECTORS[0]), 1.0),), 0.5) == opacity(0.5)
    half = ((StylePoint(VECTORS[0]), 0.5), *((network, 0.5) for network, _ in alone))
    assert parts_opacity(half, 0.5) == pytest.approx((opacity(0.5) + 0.5) / 2)


def test_the_mean_of_pictures():
    pictures = {"point": noise(2, 2, 3), "imported": noise(2, 2, 3, seed=1)}

    def render(style: object) -> np.ndarray:
        return pictures["imported" if isinstance(style, JohnsonNetwork) else "point"]

    mean = mean_picture(((StylePoint(VECTORS[0]), 0.25), (IMPORTED, 0.75)), render)
    assert np.allclose(mean, 0.25 * pictures["point"] + 0.75 * pictures["imported"], atol=1e-6)
    assert mean_picture(((IMPORTED, 1.0),), render) is pictures["imported"]
