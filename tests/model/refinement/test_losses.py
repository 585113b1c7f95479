"""Losses against plain NumPy in float64: on small arrays, and from the pixels up through VGG19's real weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from model.refinement import encoders
from model.refinement.losses import (
    gram,
    relative_error,
    squared_error,
    statistics,
    total_variation,
)

STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))
LAYERS = (*STYLE, "block4_conv2")


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


def test_squared_error_is_the_mean_over_one_picture(features: np.ndarray):
    errors = squared_error(features, features + np.array([1, 3], "float32")[:, None, None, None])
    assert np.allclose(errors, [1, 9])


def test_statistics_are_mean_and_deviation_of_each_channel(features: np.ndarray):
    expected = np.stack([features.mean((1, 2)), features.std((1, 2))], axis=1)
    assert np.allclose(statistics(features), expected, atol=1e-5)


def test_the_deviation_of_a_flat_channel_has_a_gradient():
    flat = tf.Variable(np.full((1, 4, 4, 2), 0.5, "float32"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(statistics(flat))
    assert np.isfinite(tape.gradient(loss, flat)).all()


def test_total_variation_adds_up_the_differences_of_neighbours(features: np.ndarray):
    assert np.allclose(total_variation(features), tf.image.total_variation(tf.constant(features)), rtol=1e-5)
    squares = [np.sum(np.diff(features, axis=axis) ** 2, (1, 2, 3)) for axis in (1, 2)]
    assert np.allclose(total_variation(features, exponent=2), sum(squares), rtol=1e-5)


def test_total_variation_of_a_flat_picture_is_0():
    assert np.all(ops.convert_to_numpy(total_variation(np.full((1, 4, 5, 3), 0.7, "float32"))) == 0)


class Reference:
    """VGG19 up to LAYERS in float64, without any framework."""

    def __init__(self, network: keras.Model) -> None:
        names = [f"block{b}_conv{c}" for b, count in enumerate((2, 2, 4, 4, 1), 1) for c in range(1, count + 1)]
        self.weights = {n: [w.astype("float64") for w in network.get_layer(n).get_weights()] for n in names}

    def features(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        """(H, W, 3) RGB in 0..1 -> features (H', W', C) by layer."""
        x, found = picture[..., ::-1].astype("float64") * 255 - (103.939, 116.779, 123.68), {}
        for name, (kernel, bias) in self.weights.items():
            if name.endswith("conv1") and found:
                h, w, c = x.shape
                x = x[: h // 2 * 2, : w // 2 * 2].reshape(h // 2, 2, w // 2, 2, c).max((1, 3))
            padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
            patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
            x = found[name] = np.maximum(np.tensordot(patches, kernel, ((3, 4, 2), (0, 1, 2))) + bias, 0)
        return {name: found[name] for name in LAYERS}

    def loss(self, picture: np.ndarray, grams: list[np.ndarray], content: np.ndarray) -> float:
        features = self.features(picture)
        style = [relative(plain_gram(features[n]), g) for n, g in zip(STYLE, grams, strict=True)]
        return float(np.mean(style) + relative(features["block4_conv2"], content))


def plain_gram(features: np.ndarray) -> np.ndarray:
    flat = features.reshape(-1, features.shape[-1])
    return flat.T @ flat / len(flat)


def relative(value: np.ndarray, target: np.ndarray) -> float:
    return float(np.sum((value - target) ** 2) / np.sum(target**2))


@pytest.fixture(scope="module")
def vgg(shared: Path) -> Iterator[keras.Model]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLE_MODEL_DIR", str(shared / "weights"))
        yield encoders.build("vgg19", LAYERS)


@pytest.fixture(scope="module")
def reference(vgg: keras.Model) -> Reference:
    network = next(layer for layer in vgg.layers if isinstance(layer, keras.Model))
    return Reference(network)


@pytest.fixture
def pair(photo: np.ndarray, painting: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return photo[:64, :72], painting[:50, :80]


def test_features_and_losses_on_vgg19_equal_float64(
    vgg: keras.Model, reference: Reference, pair: tuple[np.ndarray, np.ndarray]
):
    mine = [vgg(picture[None]) for picture in pair]
    plain = [reference.features(picture) for picture in pair]
    for i, name in enumerate(LAYERS):
        (one, other), (true_one, true_other) = ([m[i] for m in mine], [p[name] for p in plain])
        assert relative(ops.convert_to_numpy(one)[0], true_one) < 1e-8  # squared: 1e-4 of the length
        grams, true_grams = (gram(one), gram(other)), (plain_gram(true_one), plain_gram(true_other))
        for g, true in zip(grams, true_grams, strict=True):
            assert np.abs(ops.convert_to_numpy(g)[0] - true).max() <= 1e-4 * np.abs(true).max()
        assert float(relative_error(*grams)[0]) == pytest.approx(relative(*true_grams), rel=1e-4)
        expected = np.mean((true_grams[0] - true_grams[1]) ** 2)
        assert float(squared_error(*grams)[0]) == pytest.approx(expected, rel=1e-4)
        moments = [np.stack([f.mean((0, 1)), np.sqrt(f.var((0, 1)) + 1e-8)]) for f in (true_one, true_other)]
        assert float(relative_error(statistics(one), statistics(other))[0]) == pytest.approx(
            relative(*moments), rel=1e-4
        )


def test_content_loss_on_vgg19_equals_float64(
    vgg: keras.Model, reference: Reference, pair: tuple[np.ndarray, np.ndarray]
):
    photo, other = pair[0], pair[0][:, ::-1]
    mine = [vgg(picture[None])[-1] for picture in (photo, other)]
    true = [reference.features(picture)["block4_conv2"] for picture in (photo, other)]
    assert float(squared_error(*mine)[0]) == pytest.approx(np.mean((true[0] - true[1]) ** 2), rel=1e-4)
    assert float(relative_error(*mine)[0]) == pytest.approx(relative(*true), rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_gradient_on_vgg19_equals_finite_differences(
    vgg: keras.Model, reference: Reference, pair: tuple[np.ndarray, np.ndarray], seed: int
):
    """Along a random direction, differences being taken of the reference, where they are not lost in rounding.

    The picture has grain: where it is flat, pooling has the choice, and the loss an edge.
    """
    photo, start = pair
    target = reference.features(photo)
    grams, content = [plain_gram(target[name]) for name in STYLE], reference.features(start[::-1])["block4_conv2"]
    picture = tf.Variable(start[None])
    with tf.GradientTape() as tape:
        *style, features = vgg(picture)
        losses = [relative_error(gram(f), g[None].astype("float32")) for f, g in zip(style, grams, strict=True)]
        loss = sum(losses) / len(losses) + relative_error(features, content[None].astype("float32"))
    direction = np.random.default_rng(seed).normal(size=start.shape)
    step = 1e-7
    ahead, behind = (reference.loss(start + sign * step * direction, grams, content) for sign in (1, -1))
    slope = float(np.sum(tape.gradient(loss, picture).numpy()[0] * direction))
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-3)
