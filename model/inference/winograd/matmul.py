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

from model.inference.winograd.jit import cached_njit

_HAS_AVX512 = get_host_cpu_features().get("avx512f", False)
LANES = 16 if _HAS_AVX512 else 8  # float32 numbers in a vector
REGISTER_ROWS = 12 if _HAS_AVX512 else 6  # two sums each: 24 of 32 registers, or 12 of 16
REGISTER_COLUMNS = 2 * LANES

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_UNDEFINED_VECTOR = ir.Constant(_VECTOR, ir.Undefined)
_BROADCAST_MASK = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)


def pack_matrices(matrices: np.ndarray) -> np.ndarray:
    """(N, n, m) -> flat: of each the first COLUMNS of every row, then the next; what is left over comes last."""
    whole = matrices.shape[2] // REGISTER_COLUMNS * REGISTER_COLUMNS
    parts = [matrices[:, :, start : start + REGISTER_COLUMNS] for start in range(0, whole, REGISTER_COLUMNS)]
    flat = [part.reshape(len(matrices), -1) for part in (*parts, matrices[:, :, whole:])]
    return np.hstack(flat).ravel()


@cached_njit()
def batched_matmul(rows, matrices, sums, channels, apart, count):  # type: ignore[no-untyped-def]
    """rows, sums: flat, of each matrix (apart, channels), and apart is a multiple of ROWS; `count` of them count.

    matrices: (N, channels, channels), laid out.
    """
    left_over = channels % REGISTER_COLUMNS
    for number in range(len(rows) // (apart * channels)):
        first, matrix = number * apart * channels, matrices[number * channels * channels :]
        for column in range(0, channels - left_over, REGISTER_COLUMNS):
            part = matrix[column * channels :]
            for row in range(0, count, REGISTER_ROWS):
                start = first + row * channels
                _multiply_rows(rows[start:], part, sums[start + column :], channels)  # type: ignore[call-arg]
        _multiply_remainder(rows[first:], matrix, sums[first:], channels, left_over, count)


@cached_njit()
def _multiply_remainder(rows, matrix, sums, channels, left_over, count):  # type: ignore[no-untyped-def]
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
        _emit_microkernel(builder, pointers, arguments[3])
        return context.get_dummy_value()

    return types.void(rows, matrix, sums, channels), generate


def _emit_microkernel(builder: ir.IRBuilder, pointers: Sequence[ir.Value], channels: ir.Value) -> None:
    rows, matrix, sums = pointers
    zero = ir.Constant(_VECTOR, [0.0] * LANES)
    new = partial(cgutils.alloca_once_value, builder, zero)
    totals = [(new(), new()) for _ in range(REGISTER_ROWS)]  # LLVM finds registers for them
    places = [builder.mul(channels, ir.Constant(_INT64, row)) for row in range(REGISTER_ROWS)]
    with cgutils.for_range(builder, channels) as loop:
        start = builder.mul(loop.index, ir.Constant(_INT64, REGISTER_COLUMNS))
        columns = [builder.load(_vector_pointer(builder, matrix, start, half), align=4) for half in range(2)]
        for place, halves in zip(places, totals, strict=True):
            factor = _broadcast(builder, builder.load(builder.gep(rows, [builder.add(place, loop.index)])))
            for column, total in zip(columns, halves, strict=True):
                product = builder.fmul(factor, column, flags=["contract"])
                builder.store(builder.fadd(product, builder.load(total), flags=["contract"]), total)
    for place, halves in zip(places, totals, strict=True):
        for half, total in enumerate(halves):
            builder.store(builder.load(total), _vector_pointer(builder, sums, place, half), align=4)


def _vector_pointer(builder: ir.IRBuilder, array: ir.Value, start: ir.Value, half: int) -> ir.Value:
    place = builder.add(start, ir.Constant(_INT64, half * LANES))
    return builder.bitcast(builder.gep(array, [place]), _VECTOR.as_pointer())


def _broadcast(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    return builder.shuffle_vector(
        builder.insert_element(_UNDEFINED_VECTOR, number, ir.Constant(_INT32, 0)), _UNDEFINED_VECTOR, _BROADCAST_MASK
    )
