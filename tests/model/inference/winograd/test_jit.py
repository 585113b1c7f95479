"""Where Numba keeps what it has compiled, and that it compiles where it can keep nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numba.core import caching

from model.inference.winograd.jit import cached_njit


def add_one(numbers):
    numbers += 1


@pytest.fixture(autouse=True)
def unwritable_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the project was installed by somebody else, and the user has no home."""
    only = [caching.UserProvidedCacheLocator]
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", only)


def assert_adds_one() -> None:
    numbers = np.zeros(3, "float32")
    cached_njit()(add_one)(numbers)
    assert numbers.tolist() == [1, 1, 1]


def test_it_is_kept_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_CACHE_DIR", str(tmp_path))
    assert_adds_one()
    assert list((tmp_path / "numba").rglob("*add_one*.nbi"))


def test_where_nothing_can_be_kept_it_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STYLE_CACHE_DIR", str(tmp_path / "file"))
    assert_adds_one()
