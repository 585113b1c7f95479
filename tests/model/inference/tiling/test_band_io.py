"""Bands that overlap, made ahead of their use."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from model.imaging.scratch import DiskArray
from model.inference.tiling import residual_passes
from model.inference.tiling.band_io import overlapping_bands, prefetch
from model.inference.tiling.band_layers import TensorFlowConvolutions
from tests.support.tiny_weights import TINY, tiny_arrays


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


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(plane: DiskArray, rows: slice, band: np.ndarray) -> None:
        raise OSError("no room")

    norms = [(np.ones(8, "float32"), np.zeros(8, "float32"))] * 2
    with DiskArray(tmp_path, (20, 9, 8), "float32") as x, DiskArray(tmp_path, (20, 9, 8), "float32") as y:
        monkeypatch.setattr(DiskArray, "__setitem__", full)
        with pytest.raises(OSError, match="no room"):
            residual_passes.run_residual_blocks(
                TensorFlowConvolutions(TINY, arrays(), "float32"), norms, x, y, 8, lambda rows: None
            )


def arrays() -> dict[str, np.ndarray]:
    from model.inference import folding

    return folding.transformer_arrays(TINY, tiny_arrays())
