"""The residual blocks in passes over maps on disk: each convolution needs the statistics of all that came before."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeAlias

import numpy as np

from model.imaging.scratch import DiskArray
from model.inference.folding import NormParams
from model.inference.statistics import TILE_ROWS, Band, ChannelAffine, ChannelStatistics
from model.inference.tiling.band_io import BandWriter, overlapping_bands, prefetch, row_slices
from model.inference.tiling.band_layers import ResidualConvolutions

OnRows: TypeAlias = Callable[[int], None]  # how many rows of the pass under way are done


def run_residual_blocks(
    convolutions: ResidualConvolutions,
    norms: Sequence[NormParams],
    x: DiskArray,
    y: DiskArray,
    step: int,
    on_rows: OnRows,
) -> ChannelAffine:
    """Run the residual blocks on the map in x, about `step` rows at a time; y is as large, and need not be filled.

    In the end x and y, normalised by what is returned, add up to the output of the blocks.
    on_rows is called after each band of each pass; what it raises ends the run.
    """
    affine = ChannelAffine.identity(x.shape[2])
    passes = _ResidualPasses(convolutions, x, y, -(-step // TILE_ROWS) * TILE_ROWS, on_rows)
    for number, norm in enumerate(norms):
        if number and number % 2 == 0:
            statistics = passes.convolve_sum(affine, number)
        else:
            statistics = passes.convolve_rectified(y if number else x, affine, number)
        affine = ChannelAffine.from_statistics(norm, statistics)
    return affine


class _ResidualPasses:
    """Passes over two maps on disk; the output of a pass takes the place of its input."""

    def __init__(
        self, convolutions: ResidualConvolutions, x: DiskArray, y: DiskArray, step: int, on_rows: OnRows
    ) -> None:
        self._convolutions, self._x, self._y = convolutions, x, y
        self._height, self._step, self._on_rows = x.shape[0], step, on_rows

    def convolve_rectified(self, source: DiskArray, affine: ChannelAffine, number: int) -> list[ChannelStatistics]:
        """Write the convolution of the rectified, normalised source into y."""
        statistics = []
        with closing(self._read_bands(source)) as bands, BandWriter() as writer:
            for rows, band in zip(row_slices(self._height, self._step), bands, strict=True):
                out = self._new_band(rows)
                statistics.append(self._convolutions.convolve_rectified(band, affine, number, out))
                writer.submit({self._y: out})
                self._on_rows(rows.stop)
        return statistics

    def convolve_sum(self, affine: ChannelAffine, number: int) -> list[ChannelStatistics]:
        """Write the sum of x and the normalised y into x, and its convolution into y."""
        statistics = []
        with (
            closing(self._read_bands(self._x)) as xs,
            closing(self._read_bands(self._y)) as ys,
            BandWriter() as writer,
        ):
            for rows, x, y in zip(row_slices(self._height, self._step), xs, ys, strict=True):
                total, out = self._new_band(rows), self._new_band(rows)
                statistics.append(self._convolutions.convolve_sum(x, y, affine, total.rows, number, out))
                writer.submit({self._x: total, self._y: out})
                self._on_rows(rows.stop)
        return statistics

    def _read_bands(self, plane: DiskArray) -> Generator[Band, None, None]:
        return prefetch(overlapping_bands(plane.read_into, plane.shape, self._step, 1))

    def _new_band(self, rows: slice) -> Band:
        return Band(rows.start, np.empty((rows.stop - rows.start, *self._x.shape[1:]), "float32"))
