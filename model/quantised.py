"""Kernels in eight bits, so that a file of weights is half as large as with float16.

Of each output channel, the last axis: whole numbers from -127 to 127 under the kernel's own name, and what to multiply
them by, as float32 under that name and "/scale" (Krishnamoorthi, "Quantizing deep convolutional networks for efficient
inference", 2018: symmetric, per channel). Vectors stay float16.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

SCALE = "/scale"
LARGEST = 127
_NOT_FINITE = "some of the weights are too large for float16, or not finite"


def packed(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Raises ValueError where a number is not finite, or a vector's too large for float16."""
    entries: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim > 1:
            entries[name], entries[name + SCALE] = _quantised(array)
        else:
            with np.errstate(over="ignore"):
                entries[name] = array.astype("float16")
    if not all(np.isfinite(entry).all() for entry in entries.values()):
        raise ValueError(_NOT_FINITE)
    return entries


def unpacked(entries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """float32 arrays; what is not quantised stays as it is."""
    scales = {name: entry for name, entry in entries.items() if name.endswith(SCALE)}
    return {
        name: entry * scales[name + SCALE] if name + SCALE in scales else entry
        for name, entry in entries.items()
        if name not in scales
    }


def _quantised(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(array).all():
        raise ValueError(_NOT_FINITE)
    scale = np.abs(array).max(tuple(range(array.ndim - 1))).astype("float32") / LARGEST
    whole = np.rint(array / np.maximum(scale, np.finfo("float32").tiny))
    return whole.astype("int8"), scale
