"""The transformer in fewer steps, against the Keras model."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.imaging.pixel_ops import psnr
from model.inference import folding
from model.inference.engine import FLOAT32_PLAN, Backends, ExecutionPlan, TransformerEngine
from model.inference.folding import StyleNorms
from model.networks.architecture import LITE, V1_256, Architecture
from model.networks.layers import read_arrays
from model.networks.transformer import build_transformer
from tests.support.tiny_weights import TINY

BATCHED = Architecture("texture", 8, (4, 6, 8), 1, "batch")


def transformer_of(architecture: Architecture) -> keras.Model:
    """Return a transformer with random numbers in place of all defaults."""
    keras.utils.set_random_seed(0)
    transformer, rng = build_transformer(architecture), np.random.default_rng(0)
    for variable in transformer.variables:
        if len(variable.shape) == 1:
            variable.assign(np.asarray(variable) + rng.uniform(-0.2, 0.2, variable.shape))
    return transformer


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).random((height, width, 3), dtype="float32")


def both(architecture: Architecture, content: np.ndarray, plan: ExecutionPlan) -> tuple[np.ndarray, np.ndarray]:
    """Return the pastiches of the engine and of Keras."""
    transformer = transformer_of(architecture)
    arrays = folding.transformer_arrays(architecture, read_arrays(transformer))
    vector = np.random.default_rng(1).standard_normal(architecture.vector_size, dtype="float32")
    ours = TransformerEngine(Backends(architecture, arrays), plan).run(
        content, StyleNorms(architecture, arrays)(vector)
    )
    return ours, transformer([content[None], vector[None]], training=False)[0].numpy()


@pytest.mark.parametrize("size", [(32, 32), (33, 70), (64, 50), (101, 35)])
@pytest.mark.parametrize("architecture", [TINY, BATCHED, LITE], ids=["tiny", "batched", "lite"])
@pytest.mark.parametrize("blocks", ["float32", "winograd"])
def test_the_picture_is_that_of_keras(architecture: Architecture, size: tuple[int, int], blocks: str):
    ours, wanted = both(architecture, picture(*size), FLOAT32_PLAN._replace(blocks=blocks))
    assert ours.shape == wanted.shape
    assert np.abs(ours - wanted).max() < (1e-4 if blocks == "float32" else 5e-4)


def test_the_full_network():
    ours, wanted = both(V1_256, picture(64, 72), FLOAT32_PLAN._replace(blocks="winograd"))
    assert wanted.std() > 0.1
    assert psnr(ours, wanted) > 80


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_looks_the_same(precision):
    ours, wanted = both(TINY, picture(64, 72), ExecutionPlan(precision, precision, precision))
    assert 40 < psnr(ours, wanted) < 100
