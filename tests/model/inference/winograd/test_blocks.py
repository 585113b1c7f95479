"""The residual blocks by Winograd's filtering, against the plain sum."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from model.inference.folding import NormParams
from model.inference.winograd.blocks import WinogradBlocks
from model.networks.architecture import EPSILON
from tests.support.arrays import normal_noise


def kernels(channels: int, blocks: int) -> list[np.ndarray]:
    scale = np.float32((2 / 9 / channels) ** 0.5)
    return [scale * normal_noise(3, 3, channels, channels, seed=seed) for seed in range(2 * blocks)]


def some_norms(channels: int, blocks: int) -> list[NormParams]:
    return [
        (1 + 0.3 * normal_noise(channels, seed=n), 0.3 * normal_noise(channels, seed=99 + n))
        for n in range(1, 2 * blocks + 1)
    ]


def plain(x: np.ndarray, kernels: list[np.ndarray], norms: list[NormParams]) -> np.ndarray:
    """Return what the blocks of `model.networks` give."""
    z = tf.constant(x[None])
    layers = zip(kernels, norms, strict=True)
    for first, second in zip(layers, layers, strict=True):
        z += convolved(tf.nn.relu(convolved(z, *first)), *second)
    return z[0].numpy()


def painted(
    kernels: list[np.ndarray] | WinogradBlocks, x: np.ndarray, norms: list[NormParams], on_block=None
) -> np.ndarray:
    blocks = kernels if isinstance(kernels, WinogradBlocks) else WinogradBlocks(kernels)
    with blocks.run(x, norms, on_block) as y:
        return y.copy()


def convolved(x: tf.Tensor, kernel: np.ndarray, norm: NormParams) -> tf.Tensor:
    y = tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"), kernel, 1, "VALID")
    mean, variance = tf.nn.moments(y, [1, 2], keepdims=True)
    return (y - mean) * tf.math.rsqrt(variance + EPSILON) * norm[0] + norm[1]


@pytest.mark.parametrize("channels", [1, 3, 8, 64, 96, 128])
@pytest.mark.parametrize("size", [(5, 5), (6, 12), (8, 13), (31, 50)])
def test_blocks_are_those_of_the_plain_sum(channels: int, size: tuple[int, int]):
    x, layers, norms = abs(normal_noise(*size, channels)), kernels(channels, 2), some_norms(channels, 2)
    wanted = plain(x, layers, norms)
    assert np.abs(painted(layers, x, norms) - wanted).max() < 2e-4 * np.abs(wanted).max()


def test_the_same_picture_whoever_computes_which_strip():
    x, layers, norms = abs(normal_noise(70, 81, 32)), kernels(32, 1), some_norms(32, 1)
    blocks = WinogradBlocks(layers)
    first = painted(blocks, x, norms)
    with ThreadPoolExecutor(4) as threads:
        assert all(np.array_equal(first, again) for again in threads.map(lambda _: painted(blocks, x, norms), range(8)))


@pytest.mark.parametrize("level", [0.0, 1.0, 100.0])
def test_a_flat_map_stays_finite(level: float):
    """Its variance is nothing but rounding."""
    x = np.full((30, 40, 64), level, "float32")
    assert np.isfinite(painted(kernels(64, 3), x, some_norms(64, 3))).all()


def test_what_came_in_stays_as_it_is():
    x = abs(normal_noise(12, 12, 8))
    x.flags.writeable = False  # as TensorFlow hands it out
    painted(kernels(8, 2), x, some_norms(8, 2))


def test_blocks_are_told_of_and_can_be_stopped():
    told: list[int] = []

    def stop(index: int) -> None:
        told.append(index)
        if index == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        painted(kernels(8, 4), abs(normal_noise(12, 12, 8)), some_norms(8, 4), stop)
    assert told == [0, 1, 2]


def test_nearly_flat_maps_are_told_from_flat_ones():
    """Differences of a thousandth of the numbers: their plain sums of squares would drown in rounding."""
    x, layers = 100 + 0.1 * abs(normal_noise(40, 50, 64)), kernels(64, 1)
    norms = some_norms(64, 1)
    wanted = plain(x, layers, norms)
    assert np.abs(painted(layers, x, norms) - wanted).max() < 0.01 * np.abs(wanted - x).max()
