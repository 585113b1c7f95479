"""The residual blocks on a processor: their 3x3 convolutions by Winograd's minimal filtering F(8x8, 3x3).

Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016 (https://arxiv.org/abs/1509.09308). A
tile of 10 x 10 pixels is turned into 100 numbers, each of which is multiplied by a matrix of its own, and what comes
out turned back into 8 x 8 pixels: 100 products where the plain sum takes 576. All of it is in float32. Where the
polynomials are multiplied decides how exact that is: of some thousand sets of points these keep most, 96 dB.

Neither TensorFlow nor the other runtimes compute it so, and of TensorFlow's operations the turning costs more than is
saved. Here Numba compiles it, together with what stands between two convolutions: the normalisation before, the sums
for the one after. A few tiles at a time go all the way, so they stay in the cache.
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

from model.compiled import compiled
from model.device import cores
from model.moments import Band, Moments, Scale
from model.products import ROWS, multiply

TILE, STEP = 10, 8  # pixels a side, of what a tile sees and of what it gives
PAIRS = Fraction(2, 5), Fraction(4, 5), Fraction(5, 4), Fraction(5, 2)
POINTS = [Fraction(0), *(sign * p for p in PAIRS for sign in (1, -1))]  # where the polynomials are multiplied
STRIP_FLOATS = 1536  # tiles times channels: 0.6 MB there and back

See: TypeAlias = Callable[[np.ndarray, int, int], None]  # fills the tiles from the first on, so many


class Convolutions:
    """Of feature maps of one size, 5 pixels a side or more, all of their rows or some at a time.

    As `bands.Convolutions` has it.
    """

    def __init__(self, kernels: Sequence[np.ndarray], shape: tuple[int, ...]) -> None:
        """kernels: as `laid_out`. shape: (H, W, C)."""
        self._kernels, self._turns = kernels, _turns(shape[2])
        self._height, self._width, self._channels = shape

    def rectified(self, x: Band, scale: Scale, number: int, out: Band) -> Moments:
        """Of x, normalised and without what is negative."""
        source = x.rows.ravel(), x.first, scale.factor, scale.offset
        see = partial(self._turns.rectified, *source, self._height, self._width)
        return self._convolved(see, self._kernels[number], out)

    def joined(self, x: Band, y: Band, scale: Scale, both: np.ndarray, number: int, out: Band) -> Moments:
        """Of the sum of x and the normalised y, whose rows that go out are put into `both`."""
        sources = x.rows.ravel(), y.rows.ravel(), x.first, scale.factor, scale.offset, both.ravel(), out.first
        see = partial(self._turns.joined, *sources, self._height, self._width)
        return self._convolved(see, self._kernels[number], out)

    def _convolved(self, see: See, kernel: np.ndarray, out: Band) -> Moments:
        at_once, across = _tiles_at_once(self._channels), -(-self._width // STEP)
        begin, end = (across * -(-row // STEP) for row in (out.first, out.stop))
        firsts = range(begin, end, at_once)
        pieces = np.zeros((len(firsts), 3, self._channels), "float32")  # strip by strip: no order of threads shows
        counts = np.zeros((len(firsts), 1))

        def work(numbers: Iterator[int]) -> None:
            seen, product = (np.empty(TILE * TILE * at_once * self._channels, "float32") for _ in range(2))
            target = out.rows.ravel(), out.first, self._height, self._width
            while (number := next(numbers)) < len(firsts):
                first = firsts[number]
                count = min(at_once, end - first)
                see(seen, first, count)
                multiply(seen, kernel, product, self._channels, at_once, count)
                counts[number] = self._turns.put(product, *target, pieces[number].ravel(), first, count)

        list(_threads().map(work, [counted()] * cores()))
        return Moments.of(pieces, counts)


def add(x: np.ndarray, y: np.ndarray, scale: Scale) -> None:
    """x and the normalised y, in the place of y; both (h, W, C)."""

    def work(rows: slice) -> None:
        _add(x[rows].ravel(), scale.factor, scale.offset, y[rows].ravel())

    list(_threads().map(work, [slice(top, top + STEP) for top in range(0, len(x), STEP)]))


@cache
def _threads() -> ThreadPoolExecutor:
    """All renders share them: no more work at a time than there are processors."""
    return ThreadPoolExecutor(cores(), "winograd")


def _tiles_at_once(channels: int) -> int:
    return max(1, STRIP_FLOATS // channels // ROWS) * ROWS


def spread(kernel: np.ndarray) -> np.ndarray:
    """(3, 3, n, m) -> (100, n, m), the matrices of a tile's 100 numbers."""
    others = [[q for q in POINTS if q != p] for p in POINTS]
    rows = [[float(p**k / prod(p - q for q in rest)) for k in range(3)] for p, rest in zip(POINTS, others, strict=True)]
    turn = np.array([*rows, [0, 0, 1]], "float64")
    matrices: np.ndarray = np.einsum("ai,bj,ijnm->abnm", turn, turn, kernel).astype("float32")
    return matrices.reshape(TILE * TILE, *kernel.shape[2:])


# What Numba compiles. Arrays come flat and with sizes that are constants: only then does it see that nothing overlaps,
# and takes 16 channels in one instruction. Indices without a sign, or it would look whether each is negative.

_f = np.float32
_u = np.uint64


def _coefficients(squares: Iterable[Fraction]) -> tuple[np.float32, ...]:
    """Of the product of all (t - square), from the second highest power of t down."""
    return tuple(np.float32(c) for c in np.poly([float(square) for square in squares])[1:])


_ALL = _coefficients(p * p for p in PAIRS)
_REST1, _REST2, _REST3, _REST4 = (_coefficients(q * q for q in PAIRS if q != p) for p in PAIRS)
_POWERS1, _POWERS2, _POWERS3, _POWERS4 = (tuple(np.float32(p**k) for k in range(STEP)) for p in PAIRS)


@compiled(forceinline=True)
def _five(line, p, step):  # type: ignore[no-untyped-def]
    return line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step], line[p + _u(4) * step]


@compiled(forceinline=True)
def _pair(even, odd, rest, point):  # type: ignore[no-untyped-def]
    """Of x (x + p) rest(x^2) and of x (x - p) rest(x^2): even powers and odd ones, together and apart."""
    one = even[3] + rest[0] * even[2] + rest[1] * even[1] + rest[2] * even[0]
    other = point * (odd[3] + rest[0] * odd[2] + rest[1] * odd[1] + rest[2] * odd[0])
    return one + other, one - other


@compiled(forceinline=True)
def _there(line, p, step):  # type: ignore[no-untyped-def]
    """Ten pixels, `step` apart -> what they are at the points: products of all (x - p) but one, and of all."""
    a, b, c, d, e = _five(line, p, step)
    f, g, h, i, j = _five(line, p + _u(5) * step, step)
    even, odd = (c, e, g, i), (b, d, f, h)
    zero = i + _ALL[0] * g + _ALL[1] * e + _ALL[2] * c + _ALL[3] * a
    every = j + _ALL[0] * h + _ALL[1] * f + _ALL[2] * d + _ALL[3] * b
    one, two = _pair(even, odd, _REST1, _POWERS1[1]), _pair(even, odd, _REST2, _POWERS2[1])
    three, four = _pair(even, odd, _REST3, _POWERS3[1]), _pair(even, odd, _REST4, _POWERS4[1])
    return zero, one[0], one[1], two[0], two[1], three[0], three[1], four[0], four[1], every


@compiled(forceinline=True)
def _sum(pairs, k):  # type: ignore[no-untyped-def]
    """Of what stands at each pair of points, times its power k."""
    return _POWERS1[k] * pairs[0] + _POWERS2[k] * pairs[1] + _POWERS3[k] * pairs[2] + _POWERS4[k] * pairs[3]


@compiled(forceinline=True)
def _back(line, p, step):  # type: ignore[no-untyped-def]
    """Of ten products the eight sums: of those at each point times its powers."""
    a, b, c, d, e = _five(line, p, step)
    f, g, h, i, j = _five(line, p + _u(5) * step, step)
    even, odd = (b + c, d + e, f + g, h + i), (b - c, d - e, f - g, h - i)
    first, last = a + _sum(even, 0), _sum(odd, 7) + j
    return first, _sum(odd, 1), _sum(even, 2), _sum(odd, 3), _sum(even, 4), _sum(odd, 5), _sum(even, 6), last


@compiled(forceinline=True)
def _set(line, p, step, values):  # type: ignore[no-untyped-def]
    line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step] = values[0], values[1], values[2], values[3]
    p += _u(4) * step
    line[p], line[p + step], line[p + _u(2) * step], line[p + _u(3) * step] = values[4], values[5], values[6], values[7]


@compiled(forceinline=True)
def _set_all(line, p, step, values):  # type: ignore[no-untyped-def]
    _set(line, p, step, values)
    line[p + _u(8) * step], line[p + _u(9) * step] = values[8], values[9]


@compiled(forceinline=True)
def _mirrored(index, length):  # type: ignore[no-untyped-def]
    """Beyond the end of the last tile anything will do, as long as it is inside."""
    if index < 0:
        return -index
    return max(0, 2 * length - 2 - index) if index >= length else index


@compiled(forceinline=True)
def _turn(tile, seen, place, channels, kind):  # type: ignore[no-untyped-def]
    """A tile's columns where they are, then its rows to where they are multiplied, `kind` apart."""
    row = TILE * channels
    for k in range(row):
        _set_all(tile, _u(k), _u(row), _there(tile, _u(k), _u(row)))
    for i in range(TILE):
        to = seen[place + i * TILE * kind : place + (i * TILE + TILE - 1) * kind + channels]
        for c in range(channels):
            _set_all(to, _u(c), _u(kind), _there(tile, _u(i * row + c), _u(channels)))


@compiled()
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
    put: Callable[..., int]  # and how many pixels


@cache
def _turns(channels: int) -> _Turns:
    """Compiled for so many channels; once, and kept on disk: so they may refer to numbers only, and to no function.

    Maps are (height, width, channels), but what comes may begin at row `above` (x, y), and what goes at row `start`.
    Tiles are numbered from left to right and down; `count` of them from `first` on are turned, or put. seen, product:
    (100, tiles, channels). sums: of each channel its first number, then the sums of the differences from it, and of
    their squares.
    """
    kind = _tiles_at_once(channels) * channels  # from one of a tile's numbers to the next: those of all tiles
    row = TILE * channels
    one, line, next_row = _u(channels), _u(row), _u(TILE * kind)

    @compiled()
    def rectified(x, above, factor, offset, height, width, seen, first, count):  # type: ignore[no-untyped-def]
        across = (width + STEP - 1) // STEP
        tile = np.empty(TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * STEP - 1, (first + number) % across * STEP - 1
            for i in range(TILE):
                begin = (max(_mirrored(top + i, height), above) - above) * width
                for j in range(TILE):
                    place = (begin + _mirrored(left + j, width)) * channels
                    source = x[place : place + channels]
                    to = tile[i * row + j * channels : i * row + (j + 1) * channels]
                    for c in range(channels):
                        to[c] = max(source[c] * factor[c] + offset[c], _f(0))
            _turn(tile, seen, number * channels, channels, kind)

    @compiled()
    def joined(x, y, above, factor, offset, both, start, height, width, seen, first, count):  # type: ignore[no-untyped-def]
        across = (width + STEP - 1) // STEP
        tile = np.empty(TILE * row, np.float32)
        for number in range(count):
            top, left = (first + number) // across * STEP - 1, (first + number) % across * STEP - 1
            for i in range(TILE):
                begin = (max(_mirrored(top + i, height), above) - above) * width
                for j in range(TILE):
                    place = (begin + _mirrored(left + j, width)) * channels
                    source, other = x[place : place + channels], y[place : place + channels]
                    to = tile[i * row + j * channels : i * row + (j + 1) * channels]
                    for c in range(channels):
                        to[c] = source[c] + (other[c] * factor[c] + offset[c])
                    if 0 < i <= STEP and 0 < j <= STEP and top + i < height and left + j < width:  # not a neighbour's
                        place = ((top + i - start) * width + left + j) * channels
                        both[place : place + channels] = to
            _turn(tile, seen, number * channels, channels, kind)

    @compiled()
    def put(product, y, start, height, width, sums, first, count):  # type: ignore[no-untyped-def]
        across, pixels = (width + STEP - 1) // STEP, 0
        half, made = np.empty(STEP * row, np.float32), np.empty(row, np.float32)
        shift, total = sums[:channels], sums[channels : 2 * channels]
        squares = sums[2 * channels : 3 * channels]
        for number in range(count):
            top, left = (first + number) // across * STEP, (first + number) % across * STEP
            down, right = min(STEP, height - top), min(STEP, width - left)
            for j in range(TILE):
                place = j * kind + number * channels
                products = product[place : place + (TILE - 1) * TILE * kind + channels]
                for c in range(channels):
                    _set(half, _u(j * channels + c), line, _back(products, _u(c), next_row))
            for i in range(down):
                for c in range(channels):
                    _set(made, _u(c), one, _back(half, _u(i * row + c), one))
                if pixels == 0:
                    shift[:] = made[:channels]
                pixels += right
                for j in range(right):
                    place = ((top + i - start) * width + left + j) * channels
                    to, source = y[place : place + channels], made[j * channels : (j + 1) * channels]
                    for c in range(channels):
                        to[c] = source[c]
                        apart = source[c] - shift[c]
                        total[c] += apart
                        squares[c] += apart * apart
        return pixels

    return _Turns(rectified, joined, put)
