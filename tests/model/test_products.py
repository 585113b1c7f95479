"""Products in registers, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from model.products import COLUMNS, ROWS, laid_out, multiply


@pytest.mark.parametrize("channels", [1, 3, COLUMNS - 1, COLUMNS, COLUMNS + 8, 4 * COLUMNS])
@pytest.mark.parametrize("count", [1, ROWS - 1, ROWS, 2 * ROWS])
def test_products_are_those_of_numpy(channels: int, count: int):
    random = np.random.default_rng(0)
    rows = random.standard_normal((5, 2 * ROWS, channels), dtype="float32")
    matrices = random.standard_normal((5, channels, channels), dtype="float32")
    sums = np.empty_like(rows)
    multiply(rows.ravel(), laid_out(matrices), sums.ravel(), channels, 2 * ROWS, count)
    wanted = (rows.astype("float64") @ matrices)[:, :count]
    assert np.abs(sums[:, :count] - wanted).max() < 1e-4


def test_every_number_of_a_matrix_is_laid_out_once():
    matrices = np.arange(2 * 40 * 40, dtype="float32").reshape(2, 40, 40)
    flat = laid_out(matrices)
    assert sorted(flat) == sorted(matrices.ravel())
    assert np.array_equal(flat[:COLUMNS], matrices[0, 0, :COLUMNS])
    assert np.array_equal(flat[COLUMNS : 2 * COLUMNS], matrices[0, 1, :COLUMNS])
