"""The residual blocks on a processor: their 3x3 convolutions by Winograd's minimal filtering F(8x8, 3x3).

Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016 (https://arxiv.org/abs/1509.09308). The
input transform turns a tile of 10 x 10 pixels into 100 numbers, each of which is multiplied by a matrix of its own, and
the inverse transform turns the products into 8 x 8 pixels: 100 products where the plain sum takes 576. All of it is in
float32. The interpolation points decide how exact that is: of some thousand sets these are the best, with 96 dB.

Neither TensorFlow nor the other runtimes compute it so, and built of TensorFlow's operations the transforms cost more
than is saved. Here Numba compiles them, together with what stands between two convolutions: the normalisation before,
the sums for the one after. A few tiles at a time go through all steps, so they stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache, partial
from itertools import count as counted
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np

from model.hardware.device import cores
from model.inference.statistics import TILE_ROWS, Band, ChannelAffine, ChannelStatistics
from model.inference.winograd.jit import cached_njit
from model.inference.winograd.matmul import REGISTER_ROWS, batched_matmul

OUTPUT_TILE = TILE_ROWS  # pixels a side
INPUT_TILE = OUTPUT_TILE + 2  # pixels a side, with the neighbours that a 3x3 kernel sees
POINT_MAGNITUDES = Fraction(2, 5), Fraction(4, 5), Fraction(5, 4), Fraction(5, 2)
INTERPOLATION_POINTS = [Fraction(0), *(sign * p for p in POINT_MAGNITUDES for sign in (1, -1))]
BATCH_FLOATS = 1536  # tiles times channels: 0.6 MB before and after the products

# Fills an array with the transformed tiles: first tile, number of tiles.
InputTransform: TypeAlias = Callable[[np.ndarray, int, int], None]


class WinogradConvolutions:
    """The convolutions of feature maps of one size, 5 pixels a side or more, all of their rows or some at a time.

    They do as `band_layers.ResidualConvolutions` describes.
    """

    def __init__(self, kernels: Sequence[np.ndarray], shape: tuple[int, ...]) -> None:
        """kernels: transformed and packed by `matmul.pack_matrices`. shape: (H, W, C)."""
        self._kernels, self._transforms = kernels, _compile_transforms(shape[2])
        self._height, self._width, self._channels = shape

    def convolve_rectified(self, x: Band, affine: ChannelAffine, number: int, out: Band) -> ChannelStatistics:
        """Convolve the normalised x without its negative values into `out`; return the statistics of `out`."""
        source = x.rows.ravel(), x.first, affine.factor, affine.offset
        transform = partial(self._transforms.transform_rectified, *source, self._height, self._width)
        return self._convolve(transform, self._kernels[number], out)

    def convolve_sum(
        self, x: Band, y: Band, affine: ChannelAffine, total: np.ndarray, number: int, out: Band
    ) -> ChannelStatistics:
        """Convolve the sum of x and the normalised y into `out`, and write its rows of that sum into `total`."""
        sources = x.rows.ravel(), y.rows.ravel(), x.first, affine.factor, affine.offset, total.ravel(), out.first
        transform = partial(self._transforms.transform_sum, *sources, self._height, self._width)
        return self._convolve(transform, self._kernels[number], out)

    def _convolve(self, transform: InputTransform, kernel: np.ndarray, out: Band) -> ChannelStatistics:
        at_once, across = _tiles_per_batch(self._channels), -(-self._width // OUTPUT_TILE)
        begin, end = (across * -(-row // OUTPUT_TILE) for row in (out.first, out.stop))
        firsts = range(begin, end, at_once)
        pieces = np.zeros(
            (len(firsts), 3, self._channels), "float32"
        )  # by batch, so that the order of threads does not show
        counts = np.zeros((len(firsts), 1))

        def work(numbers: Iterator[int]) -> None:
            tiles, products = (
                np.empty(INPUT_TILE * INPUT_TILE * at_once * self._channels, "float32") for _ in range(2)
            )
            target = out.rows.ravel(), out.first, self._height, self._width
            while (number := next(numbers)) < len(firsts):
                first = firsts[number]
                count = min(at_once, end - first)
                transform(tiles, first, count)
                batched_matmul(tiles, kernel, products, self._channels, at_once, count)
                sums = pieces[number].ravel()
                counts[number] = self._transforms.inverse_transform(products, *target, sums, first, count)

        list(_thread_pool().map(work, [counted()] * cores()))
        return ChannelStatistics.from_sums(pieces, counts)


def add_normalised(x: np.ndarray, y: np.ndarray, affine: ChannelAffine) -> None:
    """Add x to the normalised y in the place of y; both (h, W, C)."""

    def work(rows: slice) -> None:
        _add_normalised_rows(x[rows].ravel(), affine.factor, affine.offset, y[rows].ravel())

    list(_thread_pool().map(work, [slice(top, top + OUTPUT_TILE) for top in range(0, len(x), OUTPUT_TILE)]))


@cache
def _thread_pool() -> ThreadPoolExecutor:
    """Return the threads that all renders share: no more work at a time than there are processors."""
    return ThreadPoolExecutor(cores(), "winograd")


def _tiles_per_batch(channels: int) -> int:
    return max(1, BATCH_FLOATS // channels // REGISTER_ROWS) * REGISTER_ROWS


def filter_transform(kernel: np.ndarray) -> np.ndarray:
    """Transform a kernel (3, 3, n, m) to (100, n, m), the matrices of a tile's 100 numbers."""
    others = [[q for q in INTERPOLATION_POINTS if q != p] for p in INTERPOLATION_POINTS]
    rows = [
        [float(p**k / prod(p - q for q in rest)) for k in range(3)]
        for p, rest in zip(INTERPOLATION_POINTS, others, strict=True)
    ]
    filters = np.array([*rows, [0, 0, 1]], "float64")
    matrices: np.ndarray = np.einsum("ai,bj,ijnm->abnm", filters, filters, kernel).astype("float32")
    return matrices.reshape(INPUT_TILE * INPUT_TILE, *kernel.shape[2:])


_f = np.float32
_u = np.uint64


def _polynomial_coefficients(squares: Iterable[Fraction]) -> tuple[np.float32, ...]:
    """Expand the product of all (t - square), from the second highest power of t down."""
    return tuple(np.float32(c) for c in np.poly([float(square) for square in squares])[1:])


_COEFFICIENTS_ALL = _polynomial_coefficients(p * p for p in POINT_MAGNITUDES)
_COEFFICIENTS_WITHOUT1, _COEFFICIENTS_WITHOUT2, _COEFFICIENTS_WITHOUT3, _COEFFICIENTS_WITHOUT4 = (
    _polynomial_coefficients(q * q for q in POINT_MAGNITUDES if q != p) for p in POINT_MAGNITUDES
)
_POWERS1, _POWERS2, _POWERS3, _POWERS4 = (tuple(np.float32(p**k) for k in range(OUTPUT_TILE)) for p in POINT_MAGNITUDES)


@cached_njit(forceinline=True)
def _load_five(line, p, step):  # type: ignore[no-untyped-def]
    return line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step], line[p + _u(4) * step]


@cached_njit(forceinline=True)
def _evaluate_pair(even, odd, rest, point):  # type: ignore[no-untyped-def]
    """Evaluate x (x + p) rest(x^2) and x (x - p) rest(x^2) as sum and difference of their even and odd powers."""
    one = even[3] + rest[0] * even[2] + rest[1] * even[1] + rest[2] * even[0]
    other = point * (odd[3] + rest[0] * odd[2] + rest[1] * odd[1] + rest[2] * odd[0])
    return one + other, one - other


@cached_njit(forceinline=True)
def _input_transform_1d(line, p, step):  # type: ignore[no-untyped-def]
    """Map ten pixels, `step` apart, to the points: the products of all (x - p) but one, and of all of them."""
    a, b, c, d, e = _load_five(line, p, step)
    f, g, h, i, j = _load_five(line, p + _u(5) * step, step)
    even, odd = (c, e, g, i), (b, d, f, h)
    zero = i + _COEFFICIENTS_ALL[0] * g + _COEFFICIENTS_ALL[1] * e + _COEFFICIENTS_ALL[2] * c + _COEFFICIENTS_ALL[3] * a
    every = (
        j + _COEFFICIENTS_ALL[0] * h + _COEFFICIENTS_ALL[1] * f + _COEFFICIENTS_ALL[2] * d + _COEFFICIENTS_ALL[3] * b
    )
    one, two = (
        _evaluate_pair(even, odd, _COEFFICIENTS_WITHOUT1, _POWERS1[1]),
        _evaluate_pair(even, odd, _COEFFICIENTS_WITHOUT2, _POWERS2[1]),
    )
    three, four = (
        _evaluate_pair(even, odd, _COEFFICIENTS_WITHOUT3, _POWERS3[1]),
        _evaluate_pair(even, odd, _COEFFICIENTS_WITHOUT4, _POWERS4[1]),
    )
    return zero, one[0], one[1], two[0], two[1], three[0], three[1], four[0], four[1], every


@cached_njit(forceinline=True)
def _power_sum(pairs, k):  # type: ignore[no-untyped-def]
    """Add up the values at each pair of points, times the k-th power of the point."""
    return _POWERS1[k] * pairs[0] + _POWERS2[k] * pairs[1] + _POWERS3[k] * pairs[2] + _POWERS4[k] * pairs[3]


@cached_njit(forceinline=True)
def _inverse_transform_1d(line, p, step):  # type: ignore[no-untyped-def]
    """Map ten products to eight pixels: sums over the points, times their powers."""
    a, b, c, d, e = _load_five(line, p, step)
    f, g, h, i, j = _load_five(line, p + _u(5) * step, step)
    even, odd = (b + c, d + e, f + g, h + i), (b - c, d - e, f - g, h - i)
    first, last = a + _power_sum(even, 0), _power_sum(odd, 7) + j
    return (
        first,
        _power_sum(odd, 1),
        _power_sum(even, 2),
        _power_sum(odd, 3),
        _power_sum(even, 4),
        _power_sum(odd, 5),
        _power_sum(even, 6),
        last,
    )


@cached_njit(forceinline=True)
def _store_eight(line, p, step, values):  # type: ignore[no-untyped-def]
    line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step] = values[0], values[1], values[2], values[3]
    p += _u(4) * step
    line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step] = values[4], values[5], values[6], values[7]


@cached_njit(forceinline=True)
def _store_ten(line, p, step, values):  # type: ignore[no-untyped-def]
    _store_eight(line, p, step, values)
    line[p + _u(8) * step], line[p + _u(9) * step] = values[8], values[9]


@cached_njit(forceinline=True)
def _reflect_index(index, length):  # type: ignore[no-untyped-def]
    """Return the index reflected into 0..length - 1; past what reflection covers, any index inside will do."""
    if index < 0:
        return -index
    return max(0, 2 * length - 2 - index) if index >= length else index


@cached_njit(forceinline=True)
def _input_transform_2d(tile, tiles, place, channels, stride):  # type: ignore[no-untyped-def]
    """Transform a tile's columns in place, then its rows into `tiles`, whose numbers lie `stride` apart."""
    row = INPUT_TILE * channels
    for k in range(row):
        _store_ten(tile, _u(k), _u(row), _input_transform_1d(tile, _u(k), _u(row)))
    for i in range(INPUT_TILE):
        to = tiles[place + i * INPUT_TILE * stride : place + (i * INPUT_TILE + INPUT_TILE - 1) * stride + channels]
        for c in range(channels):
            _store_ten(to, _u(c), _u(stride), _input_transform_1d(tile, _u(i * row + c), _u(channels)))


@cached_njit()
def _add_normalised_rows(x, factor, offset, y):  # type: ignore[no-untyped-def]
    channels = len(factor)
    for start in range(0, len(x), channels):
        source, to = x[start : start + channels], y[start : start + channels]
        for c in range(channels):
            to[c] = source[c] + (to[c] * factor[c] + offset[c])


class _Transforms(NamedTuple):
    """The input transform of a normalised and rectified map, that of a sum of two maps, and the inverse transform."""

    transform_rectified: Callable[..., None]
    transform_sum: Callable[..., None]
    inverse_transform: Callable[..., int]  # returns how many pixels it has written


@cache
def _compile_transforms(channels: int) -> _Transforms:
    """Compile the transforms for so many channels, once; as they are cached on disk, their closures hold numbers only.

    Maps are (height, width, channels), but the inputs x and y may begin at row `above`, and outputs at row `start`.
    Tiles are numbered from left to right and down; `count` of them from `first` on are transformed. tiles, products:
    (100, tiles, channels). sums: of each channel its first number, then the sums of the differences from it, and of
    their squares.
    """
    stride = _tiles_per_batch(channels) * channels  # from one of a tile's numbers to the next: those of all tiles
    row = INPUT_TILE * channels
    one, line, next_row = _u(channels), _u(row), _u(INPUT_TILE * stride)

    @cached_njit()
    def transform_rectified(x, above, factor, offset, height, width, tiles, first, count):  # type: ignore[no-untyped-def]
        across = (width + OUTPUT_TILE - 1) // OUTPUT_TILE
        tile = np.empty(INPUT_TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * OUTPUT_TILE - 1, (first + number) % across * OUTPUT_TILE - 1
            for i in range(INPUT_TILE):
                begin = (max(_reflect_index(top + i, height), above) - above) * width
                for j in range(INPUT_TILE):
                    place = (begin + _reflect_index(left + j, width)) * channels
                    source = x[place : place + channels]
                    to = tile[i * row + j * channels : i * row + (j + 1) * channels]
                    for c in range(channels):
                        to[c] = max(source[c] * factor[c] + offset[c], _f(0))
            _input_transform_2d(tile, tiles, number * channels, channels, stride)

    @cached_njit()
    def transform_sum(x, y, above, factor, offset, total, start, height, width, tiles, first, count):  # type: ignore[no-untyped-def]
        across = (width + OUTPUT_TILE - 1) // OUTPUT_TILE
        tile = np.empty(INPUT_TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * OUTPUT_TILE - 1, (first + number) % across * OUTPUT_TILE - 1
            for i in range(INPUT_TILE):
                begin = (max(_reflect_index(top + i, height), above) - above) * width
                for j in range(INPUT_TILE):
                    place = (begin + _reflect_index(left + j, width)) * channels
                    source, other = x[place : place + channels], y[place : place + channels]
                    to = tile[i * row + j * channels : i * row + (j + 1) * channels]
                    for c in range(channels):
                        to[c] = source[c] + (other[c] * factor[c] + offset[c])
                    # Only the tile's own pixels, not its neighbours'.
                    if 0 < i <= OUTPUT_TILE and 0 < j <= OUTPUT_TILE and top + i < height and left + j < width:
                        place = ((top + i - start) * width + left + j) * channels
                        total[place : place + channels] = to
            _input_transform_2d(tile, tiles, number * channels, channels, stride)

    @cached_njit()
    def inverse_transform(products, y, start, height, width, sums, first, count):  # type: ignore[no-untyped-def]
        across, pixels = (width + OUTPUT_TILE - 1) // OUTPUT_TILE, 0
        half, pixel_row = np.empty(OUTPUT_TILE * row, np.float32), np.empty(row, np.float32)
        shift, total = sums[:channels], sums[channels : 2 * channels]
        squares = sums[2 * channels : 3 * channels]
        for number in range(count):
            top, left = (first + number) // across * OUTPUT_TILE, (first + number) % across * OUTPUT_TILE
            down, right = min(OUTPUT_TILE, height - top), min(OUTPUT_TILE, width - left)
            for j in range(INPUT_TILE):
                place = j * stride + number * channels
                column = products[place : place + (INPUT_TILE - 1) * INPUT_TILE * stride + channels]
                for c in range(channels):
                    _store_eight(half, _u(j * channels + c), line, _inverse_transform_1d(column, _u(c), next_row))
            for i in range(down):
                for c in range(channels):
                    _store_eight(pixel_row, _u(c), one, _inverse_transform_1d(half, _u(i * row + c), one))
                if pixels == 0:
                    shift[:] = pixel_row[:channels]
                pixels += right
                for j in range(right):
                    place = ((top + i - start) * width + left + j) * channels
                    to, source = y[place : place + channels], pixel_row[j * channels : (j + 1) * channels]
                    for c in range(channels):
                        to[c] = source[c]
                        difference = source[c] - shift[c]
                        total[c] += difference
                        squares[c] += difference * difference
        return pixels

    return _Transforms(transform_rectified, transform_sum, inverse_transform)
