"""Bands that overlap, made ahead of their use."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from model import passes
from model.bands import Plain
from model.canvas import Plane
from model.passes import ahead, overlapping
from tests.model.tiny import TINY, tiny_arrays


@pytest.mark.parametrize("more", [1, 2, 8])
@pytest.mark.parametrize("step", [1, 4, 8, 100])
@pytest.mark.parametrize("height", [5, 8, 33])
def test_bands_have_rows_more_at_either_side_and_none_is_read_twice(height: int, step: int, more: int):
    rows, read = np.arange(height, dtype="float32")[:, None, None], []

    def fill(band: np.ndarray, first: int) -> None:
        read.extend(range(first, first + len(band)))
        band[:] = rows[first : first + len(band)]

    bands = list(overlapping(fill, rows.shape, step, more))
    assert read == list(range(height))
    for number, band in enumerate(bands):
        first, stop = max(0, number * step - more), min(height, (number + 1) * step + more)
        assert (band.first, band.stop) == (first, stop)
        assert np.array_equal(band.rows, rows[first:stop])


def test_the_next_band_is_made_while_the_last_is_at_work():
    made = threading.Event()

    def bands() -> Generator[np.ndarray, None, None]:
        for number in range(3):
            if number == 1:
                made.set()
            yield np.zeros(1)

    coming = ahead(bands())
    next(coming)
    assert made.wait(timeout=60)
    assert len(list(coming)) == 2


def test_what_goes_wrong_ahead_comes_through():
    def bands() -> Generator[np.ndarray, None, None]:
        yield np.zeros(1)
        raise OSError("no room")

    coming = ahead(bands())
    next(coming)
    with pytest.raises(OSError, match="no room"):
        next(coming)


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(plane: Plane, rows: slice, band: np.ndarray) -> None:
        raise OSError("no room")

    norms = [(np.ones(8, "float32"), np.zeros(8, "float32"))] * 2
    with Plane(tmp_path, (20, 9, 8), "float32") as x, Plane(tmp_path, (20, 9, 8), "float32") as y:
        monkeypatch.setattr(Plane, "__setitem__", full)
        with pytest.raises(OSError, match="no room"):
            passes.residual(Plain(TINY, arrays(), "float32"), norms, x, y, 8, lambda rows: None)


def arrays() -> dict[str, np.ndarray]:
    from model import kernels

    return kernels.fitted(TINY, tiny_arrays())
