"""The transformer for pictures of any size in bounded memory, with the same pastiche as in one piece, up to rounding.

A style normalisation needs the mean and the variance of all of its input. So the network runs in passes, each over the
whole picture and up to the next statistics, in bands of full-width rows; feature maps lie on disk between two passes.
The expanding layers run anew in each of three passes, as their maps would be the largest on disk.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import tensorflow as tf

from model.errors import ImageTooLarge
from model.imaging import scratch
from model.imaging.pixel_ops import RowSource, WriteRows
from model.imaging.scratch import DiskArray
from model.inference.folding import NormParams
from model.inference.magenta import Magenta
from model.inference.statistics import ChannelAffine, ChannelStatistics
from model.inference.tiling import residual_passes
from model.inference.tiling.band_io import overlapping_bands, prefetch, row_slices
from model.inference.tiling.band_layers import (
    HALO_ROWS,
    ContractExpandLayers,
    ResidualConvolutions,
    TensorFlowConvolutions,
)
from model.networks.architecture import Architecture
from model.progress import OnStage

# Pixels; from here on, two thirds of the memory for two thirds more time (docs/benchmarks.md).
TILING_THRESHOLD = 3_200_000
BAND_PIXELS = 500_000  # of the picture: more take more memory, fewer more time for the rows that two bands share
MIN_BAND_ROWS = 8  # of the residual blocks' maps
FIXED_PASSES = 6  # beside those of the residual blocks: contract, add up, expand three times, write the picture


def render(
    network: Magenta, content: RowSource, vector: np.ndarray, write: WriteRows, on_stage: OnStage | None = None
) -> None:
    """Hand the pastiche of `content` to write(top, rows), band by band from the top: (h, W, 3) float32 in 0..1.

    Sides are 32 pixels or more: a picture that is smaller than the kernels reach is for Magenta.render.
    on_stage(done, of): called at the start and after each band of each pass; what it raises stops the render.
    Raises ImageTooLarge where the disk has no room for the feature maps.
    """
    height, width = content.shape[:2]
    needed = disk_bytes(network.architecture, height, width)
    with scratch.temporary_folder() as folder:
        _check_disk_space(folder, needed, width, height)
        try:
            run = _TiledRender(network, folder, (height, width), on_stage or _ignore_progress).run
            run(content, network.norm_params(vector), write)
        except OSError as error:
            if error.errno == errno.ENOSPC:  # filled by others since then
                raise _disk_full_error(folder, needed, width, height) from error
            raise


def disk_bytes(architecture: Architecture, height: int, width: int) -> int:
    """Return how much `render` needs for a while: two feature maps of the residual blocks, or one and the picture."""
    rows, columns, channels = -(-height // 4), -(-width // 4), architecture.channels[2]
    return 4 * rows * columns * (channels + max(channels, 16 * 3))


def _check_disk_space(folder: Path, needed: int, width: int, height: int) -> None:
    if needed > shutil.disk_usage(folder).free:
        raise _disk_full_error(folder, needed, width, height)


def _disk_full_error(folder: Path, needed: int, width: int, height: int) -> ImageTooLarge:
    free = shutil.disk_usage(folder).free
    return ImageTooLarge(
        f"A result of {width} x {height} pixels needs {needed / 1e9:.1f} GB of disk for a while, but only "
        f"{free / 1e9:.1f} GB is free: make room, let TMPDIR name another disk, or ask for a smaller size.",
        "size",
    )


def _ignore_progress(done: int, of: int) -> None:
    pass


class _TiledRender:
    """One render. Rows are those of the residual blocks' maps, a quarter of the picture's."""

    def __init__(self, network: Magenta, folder: Path, size: tuple[int, int], on_stage: OnStage) -> None:
        self._network, self._folder, self._on_stage = network, folder, on_stage
        self._outer_layers = ContractExpandLayers(
            network.architecture, network.arrays, network.plan.contracting, network.plan.expanding
        )
        self._height, self._width = size
        self._rows, self._columns = -(-self._height // 4), -(-self._width // 4)
        self._band_rows = max(MIN_BAND_ROWS, BAND_PIXELS // (16 * self._columns))
        self._bands = row_slices(self._rows, self._band_rows)
        passes = FIXED_PASSES + 2 * network.architecture.residual_blocks
        self._rows_done, self._rows_total = 0, passes * self._rows

    def run(self, content: RowSource, norms: Sequence[NormParams], write: WriteRows) -> None:
        self._on_stage(0, self._rows_total)
        *residual, first, second, third = norms
        with self._new_plane(1, self._network.architecture.channels[2]) as x:
            affines: list[ChannelAffine] = []
            self._contract(content, x)
            self._run_residual_blocks(residual, x)
            for norm in first, second:
                parts = [statistics for _, _, statistics in self._expand(x, affines)]
                affines.append(ChannelAffine.from_statistics(norm, parts))
            with self._new_plane(4, 3) as last:
                parts = []
                for rows, expanded, statistics in self._expand(x, affines):
                    last[4 * rows.start : 4 * rows.stop] = expanded.numpy()
                    parts.append(statistics)
                self._write_pastiche(last, ChannelAffine.from_statistics(third, parts), write)

    def _contract(self, content: RowSource, x: DiskArray) -> None:
        """Fill x with the residual blocks' input."""

        def read(band: np.ndarray, first: int) -> None:
            pixels = content[first : first + len(band)]
            np.divide(pixels, np.float32(255 if pixels.dtype == np.uint8 else 1), out=band)

        with closing(prefetch(overlapping_bands(read, content.shape, 4 * self._band_rows, 4 * HALO_ROWS))) as bands:
            for rows, band in zip(self._bands, bands, strict=True):
                x[rows] = self._outer_layers.contract(band, rows)
                self._report_rows(rows.stop)

    def _run_residual_blocks(self, norms: Sequence[NormParams], x: DiskArray) -> None:
        with self._new_plane(1, x.shape[2]) as y:
            affine = residual_passes.run_residual_blocks(
                self._convolutions(x.shape), norms, x, y, self._band_rows, self._report_rows
            )
            for rows in self._bands:
                x[rows] += affine(y[rows])
                self._report_rows(rows.stop)

    def _convolutions(self, shape: tuple[int, ...]) -> ResidualConvolutions:
        network, blocks = self._network, self._network.plan.blocks
        if blocks == "winograd":
            assert network.winograd_blocks
            return network.winograd_blocks.convolutions(shape)
        return TensorFlowConvolutions(network.architecture, network.arrays, blocks)

    def _expand(
        self, x: DiskArray, affines: Sequence[ChannelAffine]
    ) -> Iterator[tuple[slice, tf.Tensor, ChannelStatistics]]:
        """Yield the rows of each band with the result of `ContractExpandLayers.expand`."""
        with closing(prefetch(overlapping_bands(x.read_into, x.shape, self._band_rows, HALO_ROWS))) as bands:
            for rows, band in zip(self._bands, bands, strict=True):
                yield rows, *self._outer_layers.expand(band, rows, affines)
                self._report_rows(rows.stop)

    def _write_pastiche(self, last: DiskArray, affine: ChannelAffine, write: WriteRows) -> None:
        for rows in self._bands:
            own = slice(4 * rows.start, min(4 * rows.stop, self._height))
            write(own.start, tf.sigmoid(affine(last[own])[:, : self._width]).numpy())
            self._report_rows(rows.stop)

    def _report_rows(self, rows: int) -> None:
        """Report that so many rows of the pass under way are done."""
        self._on_stage(self._rows_done + rows, self._rows_total)
        if rows == self._rows:
            self._rows_done += rows

    def _new_plane(self, scale: int, channels: int) -> DiskArray:
        return DiskArray(self._folder, (scale * self._rows, scale * self._columns, channels), "float32")
