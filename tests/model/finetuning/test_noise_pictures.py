"""Plain pictures are pictures, calm, and each another."""

from __future__ import annotations

import numpy as np
import pytest

from model.finetuning.noise_pictures import plain_picture

SIDE = 64


@pytest.mark.parametrize("seed", range(4))
def test_plain_pictures_are_calm_pictures(seed: int):
    picture = plain_picture(SIDE, np.random.default_rng(seed))
    assert (picture.shape, picture.dtype) == ((SIDE, SIDE, 3), np.float32)
    assert 0 <= picture.min() < picture.max() <= 1
    assert np.abs(np.diff(picture, axis=1)).mean() < 0.05
    assert np.array_equal(picture, plain_picture(SIDE, np.random.default_rng(seed)))
    assert not np.array_equal(picture, plain_picture(SIDE, np.random.default_rng(seed + 9)))
