"""Passes over maps that are too large for memory: while a band is at work, the next is read and the last is written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeAlias, TypeVar

import numpy as np

from model.bands import TILE_ROWS, Convolutions
from model.canvas import Plane
from model.kernels import Norm
from model.moments import Band, Moments, Scale

T = TypeVar("T")
Read: TypeAlias = Callable[[np.ndarray, int], None]  # fills it with rows of a picture or a map, from that one on
OnRows: TypeAlias = Callable[[int], None]  # how many are done, of the pass that is under way


def slices(height: int, step: int) -> list[slice]:
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


def overlapping(read: Read, shape: tuple[int, ...], step: int, more: int) -> Generator[Band, None, None]:
    """Bands of `step` rows, with so many rows more at either side or what there is. No row is read twice.

    Each is its reader's to look at only: the next takes rows from it.
    """
    kept, done = np.empty((0, *shape[1:]), "float32"), 0
    for rows in slices(shape[0], step):
        stop = min(rows.stop + more, shape[0])
        band = Band(done - len(kept), np.empty((len(kept) + stop - done, *shape[1:]), "float32"))
        band.rows[: len(kept)] = kept
        read(band.rows[len(kept) :], done)
        yield band
        kept, done = band.rows[max(0, rows.stop - more - band.first) :].copy(), stop


def ahead(things: Generator[T, None, None]) -> Generator[T, None, None]:
    """Makes the next one, in a thread, while the last is at work: so no processor waits for the disk."""
    with closing(things), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, things, None)
        while (thing := coming.result()) is not None:
            coming = thread.submit(next, things, None)
            yield thing


def residual(
    convolutions: Convolutions, norms: Sequence[Norm], x: Plane, y: Plane, step: int, on_rows: OnRows
) -> Scale:
    """Residual blocks, of the map in x, about so many rows at a time; y is as large, and need not be filled.

    In the end x and y, normalised with what is returned, add up to what the blocks give.
    on_rows is called after each band of each pass; what it raises ends the run.
    """
    passes, scale = _Residual(convolutions, x, y, -(-step // TILE_ROWS) * TILE_ROWS, on_rows), Scale.none(x.shape[2])
    for number, norm in enumerate(norms):
        if number and number % 2 == 0:
            found = passes.joined(scale, number)
        else:
            found = passes.rectified(y if number else x, scale, number)
        scale = Scale.of(norm, found)
    return scale


class _Residual:
    """What a pass writes takes the place of what it has read."""

    def __init__(self, convolutions: Convolutions, x: Plane, y: Plane, step: int, on_rows: OnRows) -> None:
        self._convolutions, self._x, self._y = convolutions, x, y
        self._height, self._step, self._on_rows = x.shape[0], step, on_rows

    def rectified(self, source: Plane, scale: Scale, number: int) -> list[Moments]:
        """Fills y."""
        found = []
        with closing(self._read(source)) as bands, _Writer() as writer:
            for rows, band in zip(slices(self._height, self._step), bands, strict=True):
                out = self._new(rows)
                found.append(self._convolutions.rectified(band, scale, number, out))
                writer.put({self._y: out})
                self._on_rows(rows.stop)
        return found

    def joined(self, scale: Scale, number: int) -> list[Moments]:
        """Fills x with the sums, and y."""
        found = []
        with closing(self._read(self._x)) as xs, closing(self._read(self._y)) as ys, _Writer() as writer:
            for rows, x, y in zip(slices(self._height, self._step), xs, ys, strict=True):
                both, out = self._new(rows), self._new(rows)
                found.append(self._convolutions.joined(x, y, scale, both.rows, number, out))
                writer.put({self._x: both, self._y: out})
                self._on_rows(rows.stop)
        return found

    def _read(self, plane: Plane) -> Generator[Band, None, None]:
        return ahead(overlapping(plane.read_into, plane.shape, self._step, 1))

    def _new(self, rows: slice) -> Band:
        return Band(rows.start, np.empty((rows.stop - rows.start, *self._x.shape[1:]), "float32"))


class _Writer:
    """Writes bands in a thread, one set at a time."""

    def __enter__(self) -> _Writer:
        self._thread, self._writing = ThreadPoolExecutor(1), Future[None]()
        self._writing.set_result(None)
        return self

    def put(self, bands: Mapping[Plane, Band]) -> None:
        """Returns as soon as what came before is written."""
        self._writing.result()
        self._writing = self._thread.submit(_write, bands)

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._writing.result()


def _write(bands: Mapping[Plane, Band]) -> None:
    for plane, band in bands.items():
        plane[band.first : band.stop] = band.rows
