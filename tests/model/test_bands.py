from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from model.bands import Conv, Moments, UpConv, ahead, through
from model.layers import EPSILON


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")


def in_bands(layer: Conv | UpConv, x: np.ndarray, rows: int) -> np.ndarray:
    bands = (x[top : top + rows] for top in range(0, len(x), rows))
    return np.concatenate(list(through(layer, bands, len(x))))


def plain(layer: Conv | UpConv, x: np.ndarray) -> np.ndarray:
    """The same layer as the networks have it."""
    if isinstance(layer, UpConv):
        x = x.repeat(2, axis=0).repeat(2, axis=1)
    margin = len(layer.kernel) // 2
    x = np.pad(x, [(margin, margin), (margin, margin), (0, 0)], mode="reflect")
    y = tf.nn.conv2d(x[None], layer.kernel, getattr(layer, "stride", 1), "VALID")[0].numpy()
    return y if layer.bias is None else np.maximum(y + layer.bias, 0)


LAYERS = {
    "9x9": Conv(noise(9, 9, 3, 8), noise(8)),
    "3x3": Conv(noise(3, 3, 3, 8)),
    "strided": Conv(noise(3, 3, 3, 8), noise(8), stride=2),
    "doubling": UpConv(noise(3, 3, 3, 8)),
    "doubling with a bias": UpConv(noise(3, 3, 3, 8), noise(8)),
}


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 100])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_layer_in_bands_is_that_layer(layer: Conv | UpConv, rows: int):
    x = noise(23, 18, 3)
    np.testing.assert_allclose(in_bands(layer, x, rows), plain(layer, x), atol=1e-4)


@pytest.mark.parametrize("rows", [2, 4, 6, 100])
def test_few_colours_come_out_of_two_rows_at_once(rows: int):
    layer, x = Conv(noise(9, 9, 5, 3)), noise(24, 18, 5)
    np.testing.assert_allclose(in_bands(layer, x, rows), plain(layer, x), atol=1e-4)


def test_a_normalisation_melts_into_the_layer_before():
    moments = Moments()
    moments.add(noise(30, 20, 8))
    norm = moments.norm(noise(8, seed=1), noise(8, seed=2))
    for layer in (Conv(noise(3, 3, 3, 8)), UpConv(noise(3, 3, 3, 8))):
        x = noise(10, 12, 3)
        y = np.maximum(plain(layer, x) * norm.scale + norm.offset, 0)
        np.testing.assert_allclose(plain(layer.normed(norm), x), y, atol=1e-4)


def test_moments_of_bands_are_those_of_the_whole():
    """Far from zero, where squares would drown the variance."""
    x = noise(500, 40, 6) * np.float32(0.5) + np.arange(6, dtype="float32") * 4
    moments = Moments()
    for top in (0, 7, 8, 300):
        moments.add(x[top : {0: 7, 7: 8, 8: 300, 300: 500}[top]])
    norm = moments.norm(np.ones(6), np.zeros(6))
    exact = x.astype("float64")
    scale = 1 / np.sqrt(exact.var(axis=(0, 1)) + EPSILON)
    np.testing.assert_allclose(norm.scale, scale, rtol=1e-4)
    np.testing.assert_allclose(norm.offset, -exact.mean(axis=(0, 1)) * scale, atol=1e-2)


def test_the_next_band_is_made_while_the_last_is_at_work():
    made, may_go_on = [], threading.Event()

    def bands() -> Iterator[np.ndarray]:
        for number in range(3):
            made.append(number)
            may_go_on.set()
            yield noise(1, 1, 1)

    coming = ahead(bands())
    next(coming)
    may_go_on.clear()
    assert may_go_on.wait(timeout=10) or made == [0, 1]
    assert len(list(coming)) == 2


def test_what_goes_wrong_ahead_comes_through():
    def bands() -> Iterator[np.ndarray]:
        yield noise(1, 1, 1)
        raise OSError("no room")

    coming = ahead(bands())
    next(coming)
    with pytest.raises(OSError, match="no room"):
        next(coming)
