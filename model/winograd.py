"""The residual blocks on a processor: their 3x3 convolutions by Winograd's minimal filtering F(6x6, 3x3).

Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016 (https://arxiv.org/abs/1509.09308). A
tile of 8 x 8 pixels is turned into 64 numbers, each of which is multiplied by a matrix of its own, and what comes out
turned back into 6 x 6 pixels: 64 products where the plain sum takes 324. All of it is in float32, and exact to 100 dB.

Neither TensorFlow nor the other runtimes compute it so, and of TensorFlow's operations the turning costs more than is
saved. Here Numba compiles it, together with what stands between two convolutions: the normalisation before, the sums
for the one after. The matrix products are NumPy's. A few tiles at a time go all the way, so they stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import count as counted
from itertools import cycle
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numba
import numpy as np

from model.device import cores
from model.kernels import Norm
from model.layers import EPSILON
from model.progress import OnBlock

TILE, STEP = 8, 6  # pixels a side, of what a tile sees and of what it gives
POINTS = [Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")]  # where the polynomials are multiplied
STRIP_FLOATS = 2048  # tiles times channels: 0.5 MB there and back; one of its products is too small for BLAS's threads
CHANNELS_AT_ONCE = 64  # so that a tile stays in the first cache

See: TypeAlias = Callable[[np.ndarray, int, int], None]  # fills the tiles from the first on, so many


class Tower:
    """Residual blocks, one after another. Safe to use from many threads."""

    def __init__(self, kernels: Sequence[np.ndarray]) -> None:
        """kernels: two for each block, (3, 3, C, C)."""
        self._kernels = [spread(kernel) for kernel in kernels]
        self._turns = _turns(kernels[0].shape[3])

    def __call__(self, x: np.ndarray, norms: Sequence[Norm], on_block: OnBlock | None = None) -> np.ndarray:
        """(H, W, C) float32, nowhere negative, 5 pixels a side or more -> the same after all blocks.

        norms: one for each kernel. on_block(index): called before each block; what it raises ends the run.
        """
        plane, plain = _Plane(x.shape, self._turns), _Scale.none(x.shape[2])
        pairs = zip(self._kernels, norms, strict=True)
        for index, (first, second) in enumerate(zip(pairs, pairs, strict=True)):
            if on_block:
                on_block(index)
            if index == 0:
                y, scale = plane.rectified(x, plain, *first)
            else:
                x, y, scale = plane.joined(x, y, scale, *first)
            y, scale = plane.rectified(y, scale, *second)
        return plane.sum(x, y, scale)


@dataclass(frozen=True)
class _Scale:
    """A normalisation whose statistics are known: x * factor + offset, each of a channel."""

    factor: np.ndarray
    offset: np.ndarray

    @classmethod
    def none(cls, channels: int) -> _Scale:
        return cls(np.ones(channels, "float32"), np.zeros(channels, "float32"))

    @classmethod
    def of(cls, norm: Norm, sums: np.ndarray, count: int) -> _Scale:
        """sums: (2, C) float64, of the numbers and of their squares."""
        (gamma, beta), (mean, square) = norm, sums / count
        variance = np.maximum(square - mean**2, 0)  # of a flat map, what is left is rounding, of either sign
        factor = gamma / np.sqrt(variance + EPSILON)
        return cls(factor.astype("float32"), (beta - mean * factor).astype("float32"))


class _Plane:
    """Feature maps of one size, and their convolutions."""

    def __init__(self, shape: tuple[int, ...], turns: _Turns) -> None:
        self._shape, self._turns = shape, turns
        self._height, self._width, self._channels = shape
        self._tiles = -(-self._height // STEP) * -(-self._width // STEP)
        # Fresh memory for each map would take as long as filling it; the last two of each are all that is needed.
        self._products, self._sums = (cycle(np.empty((2, *shape), "float32")) for _ in range(2))

    def rectified(self, x: np.ndarray, scale: _Scale, kernel: np.ndarray, norm: Norm) -> tuple[np.ndarray, _Scale]:
        """Normalised, without what is negative, and convolved; with the scale of what comes out."""
        see = partial(self._turns.rectified, x.ravel(), scale.factor, scale.offset, *self._shape[:2])
        return self._convolved(see, kernel, norm)

    def joined(
        self, x: np.ndarray, y: np.ndarray, scale: _Scale, kernel: np.ndarray, norm: Norm
    ) -> tuple[np.ndarray, np.ndarray, _Scale]:
        """x and the normalised y: their sum; that convolved; and the scale of what comes out."""
        both = next(self._sums)
        sources = x.ravel(), y.ravel(), scale.factor, scale.offset, both.ravel()
        return both, *self._convolved(partial(self._turns.joined, *sources, *self._shape[:2]), kernel, norm)

    def sum(self, x: np.ndarray, y: np.ndarray, scale: _Scale) -> np.ndarray:
        """x and the normalised y, in the place of y."""

        def work(rows: slice) -> None:
            _add(x[rows].ravel(), scale.factor, scale.offset, y[rows].ravel())

        list(_threads().map(work, [slice(top, top + STEP) for top in range(0, self._height, STEP)]))
        return y

    def _convolved(self, see: See, kernel: np.ndarray, norm: Norm) -> tuple[np.ndarray, _Scale]:
        tiles = STRIP_FLOATS // self._channels
        y, firsts = next(self._products), range(0, self._tiles, tiles)
        sums = np.zeros((len(firsts), 2, self._channels), "float32")  # strip by strip: no order of threads shows

        def work(numbers: Iterator[int]) -> None:
            seen, product = (np.empty((TILE * TILE, tiles, self._channels), "float32") for _ in range(2))
            while (number := next(numbers)) < len(firsts):
                first = firsts[number]
                count = min(tiles, self._tiles - first)
                see(seen.ravel(), first, count)
                np.matmul(seen[:, :count], kernel, out=product[:, :count])
                self._turns.put(product.ravel(), y.ravel(), sums[number].ravel(), *self._shape[:2], first, count)

        list(_threads().map(work, [counted()] * cores()))
        return y, _Scale.of(norm, sums.sum(axis=0, dtype="float64"), self._height * self._width)


@cache
def _threads() -> ThreadPoolExecutor:
    """All renders share them: no more work at a time than there are processors."""
    return ThreadPoolExecutor(cores(), "winograd")


def spread(kernel: np.ndarray) -> np.ndarray:
    """(3, 3, n, m) -> (64, n, m), the matrices of a tile's 64 numbers."""
    others = [[q for q in POINTS if q != p] for p in POINTS]
    rows = [[float(p**k / prod(p - q for q in rest)) for k in range(3)] for p, rest in zip(POINTS, others, strict=True)]
    turn = np.array([*rows, [0, 0, 1]], "float64")
    matrices: np.ndarray = np.einsum("ai,bj,ijnm->abnm", turn, turn, kernel).astype("float32")
    return matrices.reshape(TILE * TILE, *kernel.shape[2:])


# What Numba compiles. Arrays come flat and with sizes that are constants: only then does it see that nothing overlaps,
# and takes 16 channels in one instruction. Indices without a sign, or it would look whether each is negative.

_FAST: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": {"contract"}, "error_model": "numpy"}
_f = np.float32
_u = np.uint64


@numba.njit(forceinline=True, **_FAST)
def _there(line, p, step):  # type: ignore[no-untyped-def]
    """Eight pixels, `step` apart -> what they are at the points: products of all (x - p) but one, and of all."""
    a, b, c, d = line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step]
    e, f, g, h = (line[p + _u(4) * step], line[p + _u(5) * step], line[p + _u(6) * step], line[p + _u(7) * step])
    even1, odd1 = c - _f(4.25) * e + g, b - _f(4.25) * d + f
    even2, odd2 = _f(0.25) * c - _f(1.25) * e + g, _f(0.5) * b - _f(2.5) * d + _f(2) * f
    even3, odd3 = _f(4) * c - _f(5) * e + g, _f(2) * b - _f(2.5) * d + _f(0.5) * f
    zero, every = g - a + _f(5.25) * (c - e), h - b + _f(5.25) * (d - f)
    return zero, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, even3 + odd3, even3 - odd3, every


@numba.njit(forceinline=True, **_FAST)
def _back(line, p, step):  # type: ignore[no-untyped-def]
    """Of eight products the six sums: of those at each point times its powers."""
    a, b, c, d = line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step]
    e, f, g, h = (line[p + _u(4) * step], line[p + _u(5) * step], line[p + _u(6) * step], line[p + _u(7) * step])
    sum1, sum2, sum3 = b + c, d + e, f + g
    odd1, odd2, odd3 = b - c, d - e, f - g
    return (
        a + sum1 + sum2 + sum3,
        odd1 + _f(2) * odd2 + _f(0.5) * odd3,
        sum1 + _f(4) * sum2 + _f(0.25) * sum3,
        odd1 + _f(8) * odd2 + _f(0.125) * odd3,
        sum1 + _f(16) * sum2 + _f(0.0625) * sum3,
        odd1 + _f(32) * odd2 + _f(0.03125) * odd3 + h,
    )


@numba.njit(forceinline=True, **_FAST)
def _set(line, p, step, values):  # type: ignore[no-untyped-def]
    line[p], line[p + step], line[p + _u(2) * step] = values[0], values[1], values[2]
    line[p + _u(3) * step], line[p + _u(4) * step], line[p + _u(5) * step] = values[3], values[4], values[5]


@numba.njit(forceinline=True, **_FAST)
def _set_all(line, p, step, values):  # type: ignore[no-untyped-def]
    _set(line, p, step, values)
    line[p + _u(6) * step], line[p + _u(7) * step] = values[6], values[7]


@numba.njit(forceinline=True, **_FAST)
def _mirrored(index, length):  # type: ignore[no-untyped-def]
    """Beyond the end of the last tile anything will do, as long as it is inside."""
    if index < 0:
        return -index
    return max(0, 2 * length - 2 - index) if index >= length else index


@numba.njit(forceinline=True, **_FAST)
def _turn(tile, seen, place, some, kind):  # type: ignore[no-untyped-def]
    """A tile's columns where they are, then its rows to where they are multiplied, `kind` apart."""
    row = TILE * some
    for k in range(row):
        _set_all(tile, _u(k), _u(row), _there(tile, _u(k), _u(row)))
    for i in range(TILE):
        to = seen[place + i * TILE * kind : place + (i * TILE + 7) * kind + some]
        for c in range(some):
            _set_all(to, _u(c), _u(kind), _there(tile, _u(i * row + c), _u(some)))


@numba.njit(**_FAST)
def _add(x, factor, offset, y):  # type: ignore[no-untyped-def]
    channels = len(factor)
    for start in range(0, len(x), channels):
        source, to = x[start : start + channels], y[start : start + channels]
        for c in range(channels):
            to[c] = source[c] + (to[c] * factor[c] + offset[c])


class _Turns(NamedTuple):
    """There, of a map that is normalised and rectified, or of a sum of two; and back."""

    rectified: Callable[..., None]
    joined: Callable[..., None]
    put: Callable[..., None]


@cache
def _turns(channels: int) -> _Turns:
    """Compiled for so many channels; once, and kept on disk: so they may refer to numbers only, and to no function."""
    some = next(n for n in range(min(channels, CHANNELS_AT_ONCE), 0, -1) if channels % n == 0)
    kind = STRIP_FLOATS // channels * channels  # from one of a tile's numbers to the next: those of all tiles
    row = TILE * some
    one, line, next_row = _u(some), _u(row), _u(TILE * kind)

    @numba.njit(**_FAST)
    def rectified(x, factor, offset, height, width, seen, first, count):  # type: ignore[no-untyped-def]
        across = (width + STEP - 1) // STEP
        tile = np.empty(TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * STEP - 1, (first + number) % across * STEP - 1
            for begin in range(0, channels, some):
                scale, shift = factor[begin : begin + some], offset[begin : begin + some]
                for i in range(TILE):
                    start = _mirrored(top + i, height) * width
                    for j in range(TILE):
                        place = (start + _mirrored(left + j, width)) * channels + begin
                        source, to = x[place : place + some], tile[i * row + j * some : i * row + (j + 1) * some]
                        for c in range(some):
                            to[c] = max(source[c] * scale[c] + shift[c], _f(0))
                _turn(tile, seen, number * channels + begin, some, kind)

    @numba.njit(**_FAST)
    def joined(x, y, factor, offset, both, height, width, seen, first, count):  # type: ignore[no-untyped-def]
        across = (width + STEP - 1) // STEP
        tile = np.empty(TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * STEP - 1, (first + number) % across * STEP - 1
            for begin in range(0, channels, some):
                scale, shift = factor[begin : begin + some], offset[begin : begin + some]
                for i in range(TILE):
                    start = _mirrored(top + i, height) * width
                    for j in range(TILE):
                        place = (start + _mirrored(left + j, width)) * channels + begin
                        source, other = x[place : place + some], y[place : place + some]
                        to = tile[i * row + j * some : i * row + (j + 1) * some]
                        for c in range(some):
                            to[c] = source[c] + (other[c] * scale[c] + shift[c])
                        if 0 < i < TILE - 1 and 0 < j < TILE - 1 and top + i < height and left + j < width:
                            both[place : place + some] = to
                _turn(tile, seen, number * channels + begin, some, kind)

    @numba.njit(**_FAST)
    def put(product, y, sums, height, width, first, count):  # type: ignore[no-untyped-def]
        across = (width + STEP - 1) // STEP
        half, made = np.empty(STEP * row, np.float32), np.empty(row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * STEP, (first + number) % across * STEP
            for begin in range(0, channels, some):
                for j in range(TILE):
                    place = j * kind + number * channels + begin
                    products = product[place : place + 7 * TILE * kind + some]
                    for c in range(some):
                        _set(half, _u(j * some + c), line, _back(products, _u(c), next_row))
                total, squares = sums[begin : begin + some], sums[channels + begin : channels + begin + some]
                for i in range(min(STEP, height - top)):
                    for c in range(some):
                        _set(made, _u(c), one, _back(half, _u(i * row + c), one))
                    for j in range(min(STEP, width - left)):
                        place = ((top + i) * width + left + j) * channels + begin
                        to, source = y[place : place + some], made[j * some : (j + 1) * some]
                        for c in range(some):
                            value = source[c]
                            to[c] = value
                            total[c] += value
                            squares[c] += value * value

    return _Turns(rectified, joined, put)
