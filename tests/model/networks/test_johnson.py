"""The network after Johnson in Keras, against the same in NumPy under PyTorch's names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from model.networks.johnson import build_johnson
from model.networks.johnson_architecture import JOHNSON, johnson_shapes
from model.networks.layers import assign_arrays, read_arrays
from model.weights.johnson_files import decode, import_torch
from tests.support.arrays import noise
from tests.support.torch_files import TINY_JOHNSON, johnson_arrays, johnson_state, pickles, state_dict

STATE = johnson_state()


@pytest.fixture(scope="module")
def johnson() -> keras.Model:
    network = build_johnson(TINY_JOHNSON)
    assign_arrays(network, johnson_arrays(STATE))
    return network


def paint(network: keras.Model, content: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(network(content, training=False))


class Reference:
    """A network in NumPy, of a state dict and bytes (C, H, W); kernels are (output, input, height, width)."""

    def __init__(self, state: Mapping[str, np.ndarray]) -> None:
        self.state = {name: array.astype("float64") for name, array in state.items()}

    def __call__(self, picture: np.ndarray, blocks: int = TINY_JOHNSON.residual_blocks) -> np.ndarray:
        x = relu(self.norm(self.conv(picture, "conv1"), "in1"))
        x = relu(self.norm(self.conv(x, "conv2", 2), "in2"))
        x = relu(self.norm(self.conv(x, "conv3", 2), "in3"))
        for block in [f"res{number}" for number in range(1, blocks + 1)]:
            y = relu(self.norm(self.conv(x, f"{block}.conv1"), f"{block}.in1"))
            x = x + self.norm(self.conv(y, f"{block}.conv2"), f"{block}.in2")
        x = relu(self.norm(self.conv(double(x), "deconv1"), "in4"))
        x = relu(self.norm(self.conv(double(x), "deconv2"), "in5"))
        return np.clip(self.conv(x, "deconv3"), 0, 255)

    def conv(self, x: np.ndarray, name: str, stride: int = 1) -> np.ndarray:
        kernel, bias = self.state[f"{name}.conv2d.weight"], self.state[f"{name}.conv2d.bias"]
        margin = kernel.shape[-1] // 2
        x = np.pad(x, [(0, 0), (margin, margin), (margin, margin)], mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
        return np.einsum("ihwyx,oiyx->ohw", windows, kernel) + bias[:, None, None]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        gamma, beta = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma[:, None, None] + beta[:, None, None]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def double(x: np.ndarray) -> np.ndarray:
    return x.repeat(2, axis=1).repeat(2, axis=2)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (34, 36), (35, 5), (5, 6), (7, 21)])
def test_a_pastiche_is_the_reference_s(johnson: keras.Model, size: tuple[int, int]):
    content = noise(1, *size, 3)
    pastiche = paint(johnson, content)
    assert pastiche.shape == (1, *(-(-side // 4) * 4 for side in size), 3)
    theirs = Reference(STATE)(content[0].transpose(2, 0, 1) * 255.0).transpose(1, 2, 0) / 255.0
    assert 0.05 < theirs.std() < 0.35  # neither flat nor black and white: the comparison means something
    assert np.abs(pastiche[0] - theirs).max() < 1e-4


def test_pictures_of_a_batch_do_not_touch_each_other(johnson: keras.Model):
    content = noise(2, 20, 24, 3)
    alone = [paint(johnson, content[index : index + 1]) for index in range(2)]
    assert np.allclose(paint(johnson, content), np.concatenate(alone), atol=1e-5)


def test_eight_bits_do_not_show(johnson: keras.Model, tmp_path: Path):
    (tmp_path / "candy.pth").write_bytes(pickles(state_dict(STATE)))
    stored = build_johnson(TINY_JOHNSON)
    assign_arrays(stored, decode(import_torch(tmp_path / "candy.pth", architecture=TINY_JOHNSON)).arrays)
    content = noise(1, 48, 48, 3)
    assert np.sqrt(np.mean((paint(stored, content) - paint(johnson, content)) ** 2)) < 1.5 / 255


def test_the_published_network_has_exactly_the_arrays_that_the_sizes_tell():
    assert {name: array.shape for name, array in read_arrays(build_johnson()).items()} == johnson_shapes(JOHNSON)


def test_every_backend_takes_the_layers_names(johnson: keras.Model):
    assert not [layer.name for layer in johnson.layers if "." in layer.name or "/" in layer.name]
