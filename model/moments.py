"""Parts of a feature map, the statistics of such parts, and the normalisation that follows from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.kernels import Norm
from model.layers import EPSILON


class Band(NamedTuple):
    """Some rows of a feature map, or all."""

    first: int
    rows: np.ndarray  # (h, W, C) float32

    @property
    def stop(self) -> int:
        return self.first + len(self.rows)


class Sums(NamedTuple):
    """Of some pieces of a map: each its first number, and the sums of the differences from it and of their squares.

    Of large numbers that differ little, plain sums would leave nothing; and those of millions would not be exact.
    """

    pieces: np.ndarray  # (N, 3, C) float32
    counts: np.ndarray  # (N, 1), pixels of each


@dataclass(frozen=True)
class Scale:
    """A normalisation whose statistics are known: x * factor + offset, each of a channel, (C,) float32."""

    factor: np.ndarray
    offset: np.ndarray

    @classmethod
    def none(cls, channels: int) -> Scale:
        return cls(np.ones(channels, "float32"), np.zeros(channels, "float32"))

    @classmethod
    def of(cls, norm: Norm, parts: Sequence[Sums]) -> Scale:
        """Put together as in Chan, Golub and LeVeque 1983, in float64."""
        gamma, beta = norm
        first, sums, squares = np.moveaxis(np.concatenate([part.pieces for part in parts]).astype("float64"), 1, 0)
        counts = np.concatenate([part.counts for part in parts])
        means, count = first + sums / counts, counts.sum()
        mean = (counts * means).sum(axis=0) / count
        apart = squares - sums**2 / counts + counts * (means - mean) ** 2
        variance = np.maximum(apart.sum(axis=0) / count, 0)  # of a flat map, what is left is rounding, of either sign
        factor = gamma / np.sqrt(variance + EPSILON)
        return cls(factor.astype("float32"), (beta - mean * factor).astype("float32"))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(h, W, C), in place. Whole rows at once: NumPy is slow where the last axis is short."""
        rows = x.reshape(len(x), -1)
        rows *= np.tile(self.factor, x.shape[1])
        rows += np.tile(self.offset, x.shape[1])
        return x
