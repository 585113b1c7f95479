"""Each other way to run the weights is the same network: the bench compares like with like."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.imaging.pixel_ops import psnr
from model.networks.architecture import Architecture
from model.networks.layers import read_arrays
from model.networks.transformer import build_transformer
from tests.support.tiny_weights import TINY

WHY = "needs the other ways that requirements-dev.txt names"
peers = pytest.importorskip("bench._peers", reason=WHY, exc_type=ImportError)
peers_onnx = pytest.importorskip("bench._peers_onnx", reason=WHY, exc_type=ImportError)

SIZE = 36, 48
BATCH = Architecture("texture", 8, (4, 6, 8), 2, "batch")


@pytest.fixture(params=[TINY, BATCH], ids=["bias", "batch norm"])
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return request.param


@pytest.fixture
def arrays(architecture: Architecture) -> dict[str, np.ndarray]:
    """None of them at its default."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    plain = read_arrays(build_transformer(architecture))
    return {name: array + rng.uniform(0, 0.2, array.shape).astype("float32") for name, array in plain.items()}


@pytest.fixture
def transformer(architecture: Architecture, arrays: dict[str, np.ndarray]) -> keras.Model:
    return peers.keras_transformer(architecture, arrays)


@pytest.fixture
def inputs(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vector = np.random.default_rng(1).normal(0, 1, TINY.vector_size).astype("float32")
    return np.ascontiguousarray(photo[: SIZE[0], : SIZE[1]]), vector


@pytest.fixture
def reference(transformer: keras.Model, inputs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    picture = peers.in_keras(transformer)(*inputs)
    assert picture.std() > 0.05  # the comparison means something
    return picture


@pytest.fixture
def model(architecture: Architecture, arrays: dict[str, np.ndarray]):
    return peers_onnx.transformer(architecture, arrays, SIZE)


def decibels(run, inputs: tuple[np.ndarray, np.ndarray], reference: np.ndarray) -> float:
    picture = run(*inputs)
    assert picture.shape == reference.shape
    return psnr(picture, reference)


def test_the_graph_is_the_network(arrays, transformer, inputs, reference, model) -> None:
    assert set(read_arrays(transformer)) == set(arrays)
    for run in peers.in_openvino(model), peers.in_onnxruntime(model):
        assert decibels(run, inputs, reference) > 90


def test_reduced_precision_is_nearly_the_network(inputs, reference, model) -> None:
    for precision in peers.openvino_precisions():
        assert decibels(peers.in_openvino(model, precision), inputs, reference) > 35
    assert decibels(peers.in_onnxruntime(peers_onnx.halved(model)), inputs, reference) > 45


def test_eight_bits_are_roughly_the_network(inputs, reference, model) -> None:
    quantised = peers_onnx.quantised(model, *inputs)
    assert decibels(peers.in_onnxruntime(quantised), inputs, reference) > 20


@pytest.mark.parametrize(("kind", "least"), [("float32", 90), ("float16", 45), ("int8", 20)])
def test_a_tflite_file_is_the_network(transformer, inputs, reference, kind: str, least: float) -> None:
    run = peers.in_litert(peers.tflite(transformer, SIZE, kind), SIZE)
    assert decibels(run, inputs, reference) > least
