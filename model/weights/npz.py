"""Weights as this project ships them: a NumPy .npz of float16 arrays by checkpoint name, and their architecture.

The entry "architecture" holds the fields of `Architecture` as JSON, so that better weights of other widths need no
other code. The encoder that ships is quantised to int8, with a scale for each output channel.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from model.errors import WeightsBroken
from model.networks.architecture import V1_256, Architecture
from model.weights.saved_model import read_saved_model

SCALE_SUFFIX = "/scale"
INT8_MAX = 127


def write_npz(path: Path, architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> None:
    """Write weights as float16, or raise ValueError where an array does not fit into it."""
    halves = {name: np.asarray(array, dtype="float16") for name, array in arrays.items()}
    _check_finite(halves)
    entries: dict[str, np.ndarray] = {"architecture": np.array(json.dumps(asdict(architecture))), **halves}
    np.savez_compressed(path, allow_pickle=False, **entries)


def read_npz(path: Path) -> tuple[Architecture, dict[str, np.ndarray]]:
    """Read what `write_npz` has written; raise WeightsBroken for anything else."""
    try:
        with path.open("rb") as data, np.load(data, allow_pickle=False) as file:  # np.load leaves a broken one open
            arrays = {name: file[name] for name in file.files}
        fields = json.loads(str(arrays.pop("architecture")))
        return Architecture(**fields | {"channels": tuple(fields["channels"])}), arrays
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        sentence = f"'{path.name}' is not a weights file of this project, or it is damaged: use another."
        raise WeightsBroken(sentence, "model_path") from error


def read_weights(path: Path | str) -> tuple[Architecture, dict[str, np.ndarray]]:
    """Read a .npz, or else an official model: a SavedModel folder, its .tar.gz or a TensorFlow Hub handle."""
    return read_npz(Path(path)) if str(path).endswith(".npz") else (V1_256, read_saved_model(path))


def quantise(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Quantise kernels to int8 with a scale for each output channel, and vectors to float16.

    Raises ValueError where a number is not finite, or one of a vector too large for float16.
    """
    entries: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim > 1:
            entries[name], entries[name + SCALE_SUFFIX] = _quantise_kernel(array)
        else:
            with np.errstate(over="ignore"):
                entries[name] = array.astype("float16")
    _check_finite(entries)
    return entries


def dequantise(entries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return quantised kernels as float32 arrays, and everything else as it is."""
    scales = {name: entry for name, entry in entries.items() if name.endswith(SCALE_SUFFIX)}
    return {
        name: entry * scales[name + SCALE_SUFFIX] if name + SCALE_SUFFIX in scales else entry
        for name, entry in entries.items()
        if name not in scales
    }


def _quantise_kernel(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _check_finite({"kernel": array})
    scale = np.abs(array).max(tuple(range(array.ndim - 1))).astype("float32") / INT8_MAX
    whole = np.rint(array / np.maximum(scale, np.finfo("float32").tiny))
    return whole.astype("int8"), scale


def _check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError unless all numbers are finite; float16 turns those that are too large into infinities."""
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("some of the weights are too large for float16, or not finite")
