"""Dead leaves are pictures with edges, each another."""

from __future__ import annotations

import numpy as np
import pytest

from model.finetuning.dead_leaves import dead_leaves

SIDE = 64


@pytest.mark.parametrize("seed", range(4))
def test_leaves_have_edges_and_flat_parts(seed: int):
    picture = dead_leaves(SIDE, np.random.default_rng(seed))
    assert (picture.shape, picture.dtype) == ((SIDE, SIDE, 3), np.float32)
    assert 0 <= picture.min() < picture.max() <= 1
    steps = np.abs(np.diff(picture.mean(-1), axis=1))
    assert np.quantile(steps, 0.98) > 4 * np.median(steps)
    assert np.array_equal(picture, dead_leaves(SIDE, np.random.default_rng(seed)))
    assert not np.array_equal(picture, dead_leaves(SIDE, np.random.default_rng(seed + 9)))
