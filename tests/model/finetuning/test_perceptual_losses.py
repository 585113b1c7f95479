"""The losses that networks are trained for."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from model.finetuning.perceptual_losses import LAYER_WEIGHTS, Judge, halved, style_error, style_term, windows
from model.refinement.encoders import build_slim
from tests.support.arrays import noise


@pytest.fixture(scope="module")
def judge() -> Judge:
    keras.utils.set_random_seed(0)
    slim = build_slim((4, 6, 8, 8, 8))
    *styles, content, last = slim.outputs
    return Judge(keras.Model(slim.inputs, [*styles, last, content]))


def test_a_picture_is_its_own_style(judge: Judge):
    *grams, _ = judge(noise(1, 64, 64, 3))
    assert float(style_error(grams, grams)[0]) == 0


def test_layers_count_by_their_weights():
    targets = [np.ones((1, 2, 2), "float32")] * len(LAYER_WEIGHTS)
    grams = [np.full((1, 2, 2), 1 + error, "float32") for error in (0.1, 0.2, 0.3, 0.4, 0.5)]
    wanted = np.average(np.square([0.1, 0.2, 0.3, 0.4, 0.5]), weights=LAYER_WEIGHTS)
    assert float(style_error(grams, targets)[0]) == pytest.approx(wanted, rel=1e-4)


def test_the_style_term_falls_with_either_error():
    terms = [float(style_term(*map(ops.convert_to_tensor, pair))) for pair in ([[0.5], [0.5]], [[0.25], [0.5]])]
    more = float(style_term(ops.convert_to_tensor([0.5]), ops.convert_to_tensor([0.25])))
    assert terms[1] < more < terms[0]


def test_windows_are_cut_at_their_offsets():
    pictures = np.random.default_rng(0).random((2, 9, 9, 3))
    cut = ops.convert_to_numpy(windows(pictures, np.array([[0, 5], [3, 1]], "int32"), 4))
    assert np.allclose(cut, [pictures[0, 0:4, 5:9], pictures[1, 3:7, 1:5]])


def test_halves_leave_out_an_odd_row():
    picture = np.arange(5 * 4 * 3, dtype="float32").reshape(5, 4, 3)
    assert np.array_equal(halved(picture)[1, 1], picture[2:4, 2:].mean((0, 1)))
    assert halved(picture).shape == (2, 2, 3)
