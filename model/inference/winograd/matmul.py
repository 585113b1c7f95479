"""Products of a dozen rows with a matrix, a hundred at a time: where Winograd's filtering spends most of its time.

BLAS copies both operands before it multiplies them, which for so few rows takes its time, and evicts what comes next
from the cache: a block took a seventh longer with it. Here the matrices are packed once as they will be read, and sums
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
REGISTER_ROWS = 12 if _HAS_AVX512 else 6  # two vectors of sums each: 24 of 32 registers, or 12 of 16
REGISTER_COLUMNS = 2 * LANES

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_UNDEFINED_VECTOR = ir.Constant(_VECTOR, ir.Undefined)
_BROADCAST_MASK = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)


def pack_matrices(matrices: np.ndarray) -> np.ndarray:
    """Flatten (N, n, m): of each matrix REGISTER_COLUMNS columns after another, row by row; the remainder is last."""
    whole = matrices.shape[2] // REGISTER_COLUMNS * REGISTER_COLUMNS
    parts = [matrices[:, :, start : start + REGISTER_COLUMNS] for start in range(0, whole, REGISTER_COLUMNS)]
    flat = [part.reshape(len(matrices), -1) for part in (*parts, matrices[:, :, whole:])]
    return np.hstack(flat).ravel()


@cached_njit()
def batched_matmul(rows, matrices, sums, channels, stride, count):  # type: ignore[no-untyped-def]
    """Multiply the rows of each batch by its matrix, into `sums`.

    rows, sums: flat (N, stride, channels), of which the first `count` rows are used; stride is a multiple of
    REGISTER_ROWS. matrices: (N, channels, channels), packed.
    """
    remainder = channels % REGISTER_COLUMNS
    for number in range(len(rows) // (stride * channels)):
        first, matrix = number * stride * channels, matrices[number * channels * channels :]
        for column in range(0, channels - remainder, REGISTER_COLUMNS):
            part = matrix[column * channels :]
            for row in range(0, count, REGISTER_ROWS):
                start = first + row * channels
                _multiply_rows(rows[start:], part, sums[start + column :], channels)  # type: ignore[call-arg]
        _multiply_remainder(rows[first:], matrix, sums[first:], channels, remainder, count)


@cached_njit()
def _multiply_remainder(rows, matrix, sums, channels, remainder, count):  # type: ignore[no-untyped-def]
    """Multiply by the last columns, of which there are fewer than REGISTER_COLUMNS."""
    start = channels - remainder
    for row in range(count):
        for column in range(remainder):
            total = np.float32(0)
            for k in range(channels):
                total += rows[row * channels + k] * matrix[start * channels + k * remainder + column]
            sums[row * channels + start + column] = total


@intrinsic
def _multiply_rows(_, rows, matrix, sums, channels):  # type: ignore[no-untyped-def]
    """Multiply REGISTER_ROWS rows by REGISTER_COLUMNS columns of a matrix."""

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
