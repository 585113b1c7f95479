"""Passes over maps that are too large for memory: while a band is at work, the next is read and the last is written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeAlias

import numpy as np

from model.imaging.scratch import DiskArray
from model.inference.folding import NormParams
from model.inference.statistics import Band, ChannelAffine, ChannelStatistics
from model.inference.tiling import band_io
from model.inference.tiling.band_layers import TILE_ROWS, ResidualConvolutions

OnRows: TypeAlias = Callable[[int], None]  # how many are done, of the pass that is under way


def run_residual_blocks(
    convolutions: ResidualConvolutions,
    norms: Sequence[NormParams],
    x: DiskArray,
    y: DiskArray,
    step: int,
    on_rows: OnRows,
) -> ChannelAffine:
    """Residual blocks, of the map in x, about so many rows at a time; y is as large, and need not be filled.

    In the end x and y, normalised with what is returned, add up to what the blocks give.
    on_rows is called after each band of each pass; what it raises ends the run.
    """
    passes, scale = (
        _ResidualPasses(convolutions, x, y, -(-step // TILE_ROWS) * TILE_ROWS, on_rows),
        ChannelAffine.identity(x.shape[2]),
    )
    for number, norm in enumerate(norms):
        if number and number % 2 == 0:
            found = passes.joined(scale, number)
        else:
            found = passes.rectified(y if number else x, scale, number)
        scale = ChannelAffine.of(norm, found)
    return scale


class _ResidualPasses:
    """What a pass writes takes the place of what it has read."""

    def __init__(
        self, convolutions: ResidualConvolutions, x: DiskArray, y: DiskArray, step: int, on_rows: OnRows
    ) -> None:
        self._convolutions, self._x, self._y = convolutions, x, y
        self._height, self._step, self._on_rows = x.shape[0], step, on_rows

    def rectified(self, source: DiskArray, scale: ChannelAffine, number: int) -> list[ChannelStatistics]:
        """Fills y."""
        found = []
        with closing(self._read_bands(source)) as bands, band_io._BandWriter() as writer:
            for rows, band in zip(band_io.row_slices(self._height, self._step), bands, strict=True):
                out = self._new_band(rows)
                found.append(self._convolutions.rectified(band, scale, number, out))
                writer.put({self._y: out})
                self._on_rows(rows.stop)
        return found

    def joined(self, scale: ChannelAffine, number: int) -> list[ChannelStatistics]:
        """Fills x with the sums, and y."""
        found = []
        with (
            closing(self._read_bands(self._x)) as xs,
            closing(self._read_bands(self._y)) as ys,
            band_io._BandWriter() as writer,
        ):
            for rows, x, y in zip(band_io.row_slices(self._height, self._step), xs, ys, strict=True):
                both, out = self._new_band(rows), self._new_band(rows)
                found.append(self._convolutions.joined(x, y, scale, both.rows, number, out))
                writer.put({self._x: both, self._y: out})
                self._on_rows(rows.stop)
        return found

    def _read_bands(self, plane: DiskArray) -> Generator[Band, None, None]:
        return band_io.prefetch(band_io.overlapping_bands(plane.read_into, plane.shape, self._step, 1))

    def _new_band(self, rows: slice) -> Band:
        return Band(rows.start, np.empty((rows.stop - rows.start, *self._x.shape[1:]), "float32"))
