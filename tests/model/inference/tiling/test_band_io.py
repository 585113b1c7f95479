"""Bands that overlap, made ahead of their use."""

from __future__ import annotations

import threading
from collections.abc import Generator

import numpy as np
import pytest

from model.inference.tiling.band_io import overlapping_bands, prefetch


@pytest.mark.parametrize("more", [1, 2, 8])
@pytest.mark.parametrize("step", [1, 4, 8, 100])
@pytest.mark.parametrize("height", [5, 8, 33])
def test_bands_have_rows_more_at_either_side_and_none_is_read_twice(height: int, step: int, more: int):
    rows, read = np.arange(height, dtype="float32")[:, None, None], []

    def fill(band: np.ndarray, first: int) -> None:
        read.extend(range(first, first + len(band)))
        band[:] = rows[first : first + len(band)]

    bands = list(overlapping_bands(fill, rows.shape, step, more))
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

    coming = prefetch(bands())
    next(coming)
    assert made.wait(timeout=60)
    assert len(list(coming)) == 2


def test_what_goes_wrong_ahead_comes_through():
    def bands() -> Generator[np.ndarray, None, None]:
        yield np.zeros(1)
        raise OSError("no room")

    coming = prefetch(bands())
    next(coming)
    with pytest.raises(OSError, match="no room"):
        next(coming)
