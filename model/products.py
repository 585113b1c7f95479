"""Products of a dozen rows with a matrix, a hundred at a time: most of what Winograd's filtering takes.

BLAS copies both sides before it multiplies them, which for so few rows takes its time, and drives what comes next out
of the cache: a block took a seventh longer with it. Here the matrices are laid out once as they will be read, and sums
stay in registers. Numba has no vectors, so the inner loop is written for LLVM (https://llvm.org/docs/LangRef.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba.core import cgutils, types
from numba.extending import intrinsic

from model.compiled import compiled

_WIDE = get_host_cpu_features().get("avx512f", False)
LANES = 16 if _WIDE else 8  # float32 numbers in a vector
ROWS = 12 if _WIDE else 6  # two sums each: 24 of 32 registers, or 12 of 16
COLUMNS = 2 * LANES

_LANE, _PLACE = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_NOTHING = ir.Constant(_VECTOR, ir.Undefined)
_ALL_FIRST = ir.Constant(ir.VectorType(_LANE, LANES), [0] * LANES)


def laid_out(matrices: np.ndarray) -> np.ndarray:
    """(N, n, m) -> flat: of each the first COLUMNS of every row, then the next; what is left over comes last."""
    whole = matrices.shape[2] // COLUMNS * COLUMNS
    parts = [matrices[:, :, start : start + COLUMNS] for start in range(0, whole, COLUMNS)]
    flat = [part.reshape(len(matrices), -1) for part in (*parts, matrices[:, :, whole:])]
    return np.hstack(flat).ravel()


@compiled()
def multiply(rows, matrices, sums, channels, apart, count):  # type: ignore[no-untyped-def]
    """rows, sums: flat, of each matrix (apart, channels), and apart is a multiple of ROWS; `count` of them count.

    matrices: (N, channels, channels), laid out.
    """
    left_over = channels % COLUMNS
    for number in range(len(rows) // (apart * channels)):
        first, matrix = number * apart * channels, matrices[number * channels * channels :]
        for column in range(0, channels - left_over, COLUMNS):
            part = matrix[column * channels :]
            for row in range(0, count, ROWS):
                start = first + row * channels
                _multiply_rows(rows[start:], part, sums[start + column :], channels)  # type: ignore[call-arg]
        _multiply_rest(rows[first:], matrix, sums[first:], channels, left_over, count)


@compiled()
def _multiply_rest(rows, matrix, sums, channels, left_over, count):  # type: ignore[no-untyped-def]
    """The last columns, where there are not COLUMNS of them any more."""
    start = channels - left_over
    for row in range(count):
        for column in range(left_over):
            total = np.float32(0)
            for k in range(channels):
                total += rows[row * channels + k] * matrix[start * channels + k * left_over + column]
            sums[row * channels + start + column] = total


@intrinsic
def _multiply_rows(_, rows, matrix, sums, channels):  # type: ignore[no-untyped-def]
    """ROWS rows of so many channels, with COLUMNS columns of a matrix."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        arrays = zip(signature.args[:3], arguments[:3], strict=True)
        pointers = [context.make_array(kind)(context, builder, array).data for kind, array in arrays]
        _unroll(builder, pointers, arguments[3])
        return context.get_dummy_value()

    return types.void(rows, matrix, sums, channels), generate


def _unroll(builder: ir.IRBuilder, pointers: Sequence[ir.Value], channels: ir.Value) -> None:
    rows, matrix, sums = pointers
    zero = ir.Constant(_VECTOR, [0.0] * LANES)
    new = partial(cgutils.alloca_once_value, builder, zero)
    totals = [(new(), new()) for _ in range(ROWS)]  # LLVM finds registers for them
    places = [builder.mul(channels, ir.Constant(_PLACE, row)) for row in range(ROWS)]
    with cgutils.for_range(builder, channels) as loop:
        start = builder.mul(loop.index, ir.Constant(_PLACE, COLUMNS))
        columns = [builder.load(_vector(builder, matrix, start, half), align=4) for half in range(2)]
        for place, halves in zip(places, totals, strict=True):
            factor = _everywhere(builder, builder.load(builder.gep(rows, [builder.add(place, loop.index)])))
            for column, total in zip(columns, halves, strict=True):
                product = builder.fmul(factor, column, flags=["contract"])
                builder.store(builder.fadd(product, builder.load(total), flags=["contract"]), total)
    for place, halves in zip(places, totals, strict=True):
        for half, total in enumerate(halves):
            builder.store(builder.load(total), _vector(builder, sums, place, half), align=4)


def _vector(builder: ir.IRBuilder, array: ir.Value, start: ir.Value, half: int) -> ir.Value:
    place = builder.add(start, ir.Constant(_PLACE, half * LANES))
    return builder.bitcast(builder.gep(array, [place]), _VECTOR.as_pointer())


def _everywhere(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    return builder.shuffle_vector(builder.insert_element(_NOTHING, number, ir.Constant(_LANE, 0)), _NOTHING, _ALL_FIRST)
