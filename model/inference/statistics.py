"""Bands of a feature map, the statistics of such parts, and the normalisation that follows from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.inference.folding import NormParams
from model.networks.architecture import EPSILON

TILE_ROWS = 8  # of the residual blocks' maps, as many as Winograd's output tiles: bands begin at multiples of it


class Band(NamedTuple):
    """Some rows of a feature map, or all, and the number of the first."""

    first: int
    rows: np.ndarray  # (h, W, C) float32

    @property
    def stop(self) -> int:
        return self.first + len(self.rows)


class ChannelStatistics(NamedTuple):
    """The number of pixels of a part of a map, and each channel's mean and sum of squared deviations from it."""

    pixels: float
    mean: np.ndarray  # (C,) float64
    squared_deviations: np.ndarray  # (C,) float64

    @classmethod
    def from_sums(cls, pieces: np.ndarray, counts: np.ndarray) -> ChannelStatistics:
        """Compute the statistics of a part from shifted sums of its pieces.

        pieces: (N, 3, C) float32, of each its first number, and the sums of the differences from it and of their
        squares: of large numbers that differ little, plain sums would leave nothing, and those of millions would not be
        exact. counts: (N, 1), pixels of each.
        """
        first, sums, squares = np.moveaxis(pieces.astype("float64"), 1, 0)
        means = first + sums / counts
        return cls._merge(counts, means, squares - sums**2 / counts)

    @classmethod
    def merge(cls, parts: Sequence[ChannelStatistics]) -> ChannelStatistics:
        counts, means, squares = (np.array(column) for column in zip(*parts, strict=True))
        return cls._merge(counts[:, None], means, squares)

    @classmethod
    def _merge(cls, counts: np.ndarray, means: np.ndarray, squares: np.ndarray) -> ChannelStatistics:
        """Merge parts as in Chan, Golub and LeVeque 1983."""
        count = counts.sum()
        mean = (counts * means).sum(axis=0) / count
        return cls(count, mean, (squares + counts * (means - mean) ** 2).sum(axis=0))


@dataclass(frozen=True)
class ChannelAffine:
    """A normalisation whose statistics are known: x * factor + offset for each channel, both (C,) float32."""

    factor: np.ndarray
    offset: np.ndarray

    @classmethod
    def identity(cls, channels: int) -> ChannelAffine:
        return cls(np.ones(channels, "float32"), np.zeros(channels, "float32"))

    @classmethod
    def from_statistics(cls, norm: NormParams, parts: Sequence[ChannelStatistics]) -> ChannelAffine:
        """Compute the affine map of a normalisation; `parts` make up the whole feature map."""
        (gamma, beta), (pixels, mean, squares) = norm, ChannelStatistics.merge(parts)
        variance = np.maximum(squares / pixels, 0)  # of a flat map, what is left is rounding, of either sign
        factor = gamma / np.sqrt(variance + EPSILON)
        return cls(factor.astype("float32"), (beta - mean * factor).astype("float32"))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Apply it to (h, W, C) in place, whole rows at once: NumPy is slow where the last axis is short."""
        rows = x.reshape(len(x), -1)
        rows *= np.tile(self.factor, x.shape[1])
        rows += np.tile(self.offset, x.shape[1])
        return x
