"""Passes over maps that are too large for memory: while a band is at work, the next is read and the last is written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeAlias, TypeVar

import numpy as np

from model.imaging.scratch import DiskArray
from model.inference.statistics import Band

T = TypeVar("T")
ReadRows: TypeAlias = Callable[[np.ndarray, int], None]  # fills it with rows of a picture or a map, from that one on


def row_slices(height: int, step: int) -> list[slice]:
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def overlapping_bands(read: ReadRows, shape: tuple[int, ...], step: int, more: int) -> Generator[Band, None, None]:
    """Bands of `step` rows, with so many rows more at either side or what there is. No row is read twice.

    Each is its reader's to look at only: the next takes rows from it.
    """
    kept, done = np.empty((0, *shape[1:]), "float32"), 0
    for rows in row_slices(shape[0], step):
        stop = min(rows.stop + more, shape[0])
        band = Band(done - len(kept), np.empty((len(kept) + stop - done, *shape[1:]), "float32"))
        band.rows[: len(kept)] = kept
        read(band.rows[len(kept) :], done)
        yield band
        kept, done = band.rows[max(0, rows.stop - more - band.first) :].copy(), stop


def prefetch(things: Generator[T, None, None]) -> Generator[T, None, None]:
    """Makes the next one, in a thread, while the last is at work: so no processor waits for the disk."""
    with closing(things), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, things, None)
        while (thing := coming.result()) is not None:
            coming = thread.submit(next, things, None)
            yield thing


class _BandWriter:
    """Writes bands in a thread, one set at a time."""

    def __enter__(self) -> _BandWriter:
        self._thread, self._writing = ThreadPoolExecutor(1), Future[None]()
        self._writing.set_result(None)
        return self

    def put(self, bands: Mapping[DiskArray, Band]) -> None:
        """Returns as soon as what came before is written."""
        self._writing.result()
        self._writing = self._thread.submit(_write_bands, bands)

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._writing.result()


def _write_bands(bands: Mapping[DiskArray, Band]) -> None:
    for plane, band in bands.items():
        plane[band.first : band.stop] = band.rows
