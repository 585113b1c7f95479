"""Weights as this project ships them: a NumPy .npz of float16 arrays under their checkpoint names, and their sizes.

The entry "architecture" holds the fields of `architecture.Architecture` as JSON, so that better weights of other widths
need no other code.
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


def write_npz(path: Path, architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError where an array does not fit into float16."""
    halves = {name: np.asarray(array, dtype="float16") for name, array in arrays.items()}
    if not all(np.isfinite(half).all() for half in halves.values()):
        raise ValueError("some of the weights are too large for float16, or not finite")
    entries: dict[str, np.ndarray] = {"architecture": np.array(json.dumps(asdict(architecture))), **halves}
    np.savez_compressed(path, allow_pickle=False, **entries)


def read_npz(path: Path) -> tuple[Architecture, dict[str, np.ndarray]]:
    """What `write_npz` wrote. Raises WeightsBroken for anything else."""
    try:
        with path.open("rb") as data, np.load(data, allow_pickle=False) as file:  # np.load leaves a broken one open
            arrays = {name: file[name] for name in file.files}
        fields = json.loads(str(arrays.pop("architecture")))
        return Architecture(**fields | {"channels": tuple(fields["channels"])}), arrays
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        sentence = f"'{path.name}' is not a weights file of this project, or it is damaged: use another."
        raise WeightsBroken(sentence, "model_path") from error


def read_weights(path: Path | str) -> tuple[Architecture, dict[str, np.ndarray]]:
    """Those of a .npz, else of an official model: a SavedModel folder, its .tar.gz or a TensorFlow Hub handle."""
    return read_npz(Path(path)) if str(path).endswith(".npz") else (V1_256, read_saved_model(path))


SCALE_SUFFIX = "/scale"
INT8_MAX = 127
_NOT_FINITE = "some of the weights are too large for float16, or not finite"


def quantise(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Raises ValueError where a number is not finite, or a vector's too large for float16."""
    entries: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim > 1:
            entries[name], entries[name + SCALE_SUFFIX] = _quantise_kernel(array)
        else:
            with np.errstate(over="ignore"):
                entries[name] = array.astype("float16")
    if not all(np.isfinite(entry).all() for entry in entries.values()):
        raise ValueError(_NOT_FINITE)
    return entries


def dequantise(entries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """float32 arrays; what is not quantised stays as it is."""
    scales = {name: entry for name, entry in entries.items() if name.endswith(SCALE_SUFFIX)}
    return {
        name: entry * scales[name + SCALE_SUFFIX] if name + SCALE_SUFFIX in scales else entry
        for name, entry in entries.items()
        if name not in scales
    }


def _quantise_kernel(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(array).all():
        raise ValueError(_NOT_FINITE)
    scale = np.abs(array).max(tuple(range(array.ndim - 1))).astype("float32") / INT8_MAX
    whole = np.rint(array / np.maximum(scale, np.finfo("float32").tiny))
    return whole.astype("int8"), scale
