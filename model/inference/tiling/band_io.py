"""Bands of maps that are too large for memory: while one is computed, the next is read and the last is written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeAlias, TypeVar

import numpy as np

from model.imaging.scratch import DiskArray
from model.inference.statistics import Band

T = TypeVar("T")
ReadRows: TypeAlias = Callable[
    [np.ndarray, int], None
]  # fills the array with rows of a picture or map, from that one on


def row_slices(height: int, step: int) -> list[slice]:
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def overlapping_bands(read: ReadRows, shape: tuple[int, ...], step: int, more: int) -> Generator[Band, None, None]:
    """Yield bands of `step` rows with `more` rows at either side, or as many as there are. No row is read twice.

    A band must not be written to: the next takes rows from it.
    """
    shared, done = np.empty((0, *shape[1:]), "float32"), 0
    for rows in row_slices(shape[0], step):
        stop = min(rows.stop + more, shape[0])
        band = Band(done - len(shared), np.empty((len(shared) + stop - done, *shape[1:]), "float32"))
        band.rows[: len(shared)] = shared
        read(band.rows[len(shared) :], done)
        yield band
        shared, done = band.rows[max(0, rows.stop - more - band.first) :].copy(), stop


def prefetch(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Make the next item in a thread while the last is in use, so that no processor waits for the disk."""
    with closing(items), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


class BandWriter:
    """A thread that writes bands, one set at a time."""

    def __enter__(self) -> BandWriter:
        self._thread, self._writing = ThreadPoolExecutor(1), Future[None]()
        self._writing.set_result(None)
        return self

    def submit(self, bands: Mapping[DiskArray, Band]) -> None:
        """Begin to write these, as soon as the set before is written."""
        self._writing.result()
        self._writing = self._thread.submit(_write_bands, bands)

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._writing.result()


def _write_bands(bands: Mapping[DiskArray, Band]) -> None:
    for plane, band in bands.items():
        plane[band.first : band.stop] = band.rows
