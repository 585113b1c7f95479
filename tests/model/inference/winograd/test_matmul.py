"""Products in registers, against NumPy's."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from model.inference.winograd.matmul import REGISTER_COLUMNS, REGISTER_ROWS, batched_matmul, pack_matrices


@pytest.mark.parametrize(
    "channels", [1, 3, REGISTER_COLUMNS - 1, REGISTER_COLUMNS, REGISTER_COLUMNS + 8, 4 * REGISTER_COLUMNS]
)
@pytest.mark.parametrize("count", [1, REGISTER_ROWS - 1, REGISTER_ROWS, 2 * REGISTER_ROWS])
def test_products_are_those_of_numpy(channels: int, count: int):
    random = np.random.default_rng(0)
    rows = random.standard_normal((5, 2 * REGISTER_ROWS, channels), dtype="float32")
    matrices = random.standard_normal((5, channels, channels), dtype="float32")
    sums = np.empty_like(rows)
    batched_matmul(rows.ravel(), pack_matrices(matrices), sums.ravel(), channels, 2 * REGISTER_ROWS, count)
    wanted = (rows.astype("float64") @ matrices)[:, :count]
    assert np.abs(sums[:, :count] - wanted).max() < 1e-4


def test_every_number_of_a_matrix_is_laid_out_once():
    matrices = np.arange(2 * 40 * 40, dtype="float32").reshape(2, 40, 40)
    flat = pack_matrices(matrices)
    assert sorted(flat) == sorted(matrices.ravel())
    assert np.array_equal(flat[:REGISTER_COLUMNS], matrices[0, 0, :REGISTER_COLUMNS])
    assert np.array_equal(flat[REGISTER_COLUMNS : 2 * REGISTER_COLUMNS], matrices[0, 1, :REGISTER_COLUMNS])


NARROW = """
from llvmlite import binding
binding.get_host_cpu_features = dict
from model.inference.winograd import matmul
assert matmul.LANES == 8, matmul.LANES
import pytest
file = "tests/model/inference/winograd/test_matmul.py"
raise SystemExit(pytest.main(["-q", "-p", "no:cacheprovider", file, "-k", "numpy and 1-"]))
"""


def test_processors_without_wide_vectors(tmp_path):
    """As most are: in a process for which Numba compiles for an older one."""
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", NARROW], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
