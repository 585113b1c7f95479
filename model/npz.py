"""Weights as this project ships them: a NumPy .npz of float16 arrays under their checkpoint names, and their sizes.

The entry "architecture" holds the fields of `networks.Architecture` as JSON, so that better weights of other widths
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
from model.networks import V1_256, Architecture
from model.official import read_official


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
    return read_npz(Path(path)) if str(path).endswith(".npz") else (V1_256, read_official(path))
