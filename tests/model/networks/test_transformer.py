"""The transformer in Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.networks.architecture import LITE, V1_256, Architecture
from model.networks.layers import read_arrays
from model.networks.transformer import build_transformer
from tests.support.arrays import noise
from tests.support.tiny_weights import paint


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (36, 34), (35, 64)])
def test_a_pastiche_has_its_photo_s_size_rounded_up_to_fours(transformer: keras.Model, size: tuple[int, int]):
    pastiche = paint(transformer, noise(1, *size, 3), noise(1, 8))
    assert pastiche.shape == (1, *(-(-side // 4) * 4 for side in size), 3)
    assert 0 <= pastiche.min() < pastiche.max() <= 1


def test_the_vector_decides_the_pastiche(transformer: keras.Model):
    content = noise(1, 32, 32, 3)
    one, other = (paint(transformer, content, vector * noise(1, 8)) for vector in (1, -1))
    assert np.abs(one - other).mean() > 0.01


def test_pictures_of_a_batch_do_not_touch_each_other(transformer: keras.Model):
    content, vectors = noise(2, 32, 36, 3), noise(2, 8)
    alone = [paint(transformer, content[i : i + 1], vectors[i : i + 1]) for i in range(2)]
    assert np.allclose(paint(transformer, content, vectors), np.concatenate(alone), atol=1e-5)


@pytest.mark.parametrize("architecture", [V1_256, LITE], ids=["v1-256", "lite"])
def test_published_sizes(architecture: Architecture):
    transformer = build_transformer(architecture)
    arrays = read_arrays(transformer)
    first, second, third = architecture.channels
    assert arrays["transformer/contract/conv1/weights"].shape == (9, 9, 3, first)
    assert arrays["transformer/residual/residual5/conv2/weights"].shape == (3, 3, third, third)
    assert arrays["style_params/transformer/expand/conv1/conv/StyleNorm/Conv_1/weights"].shape == (
        architecture.vector_size,
        second,
    )
    assert ("transformer/contract/conv1/biases" in arrays) == (architecture.contract_norm == "bias")
    assert ("transformer/contract/conv1/BatchNorm/moving_mean" in arrays) == (architecture.contract_norm == "batch")
    blocks = {name.split("/")[2] for name in arrays if name.startswith("transformer/residual/")}
    assert len(blocks) == architecture.residual_blocks
