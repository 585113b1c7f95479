"""The losses that networks are trained for."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from model.finetuning.perceptual_losses import (
    LAYER_WEIGHTS,
    Judge,
    flat_steepness,
    halved,
    steepness,
    style_error,
    windows,
)
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


def test_windows_are_cut_at_their_offsets():
    pictures = np.random.default_rng(0).random((2, 9, 9, 3))
    cut = ops.convert_to_numpy(windows(pictures, np.array([[0, 5], [3, 1]], "int32"), 4))
    assert np.allclose(cut, [pictures[0, 0:4, 5:9], pictures[1, 3:7, 1:5]])


def test_halves_leave_out_an_odd_row():
    picture = np.arange(5 * 4 * 3, dtype="float32").reshape(5, 4, 3)
    assert np.array_equal(halved(picture)[1, 1], picture[2:4, 2:].mean((0, 1)))
    assert halved(picture).shape == (2, 2, 3)


def test_a_ramp_is_as_steep_as_it_rises():
    ramp = np.broadcast_to(np.arange(32, dtype="float32")[:, None, None] / 100, (32, 32, 3))[None]
    assert np.allclose(steepness(ramp), 0.01, atol=1e-4)


def test_strokes_count_where_the_photo_is_flat():
    strokes, flat, rough = noise(1, 64, 64, 3), np.full((1, 64, 64, 3), 0.5, "float32"), noise(1, 64, 64, 3, seed=1)
    assert float(flat_steepness(strokes, flat)) == pytest.approx(float(ops.mean(steepness(strokes))), rel=0.01)
    assert float(flat_steepness(strokes, rough)) < 0.05 * float(flat_steepness(strokes, flat))
    assert float(flat_steepness(flat, flat)) < 1e-3
