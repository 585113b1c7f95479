"""PyTorch's files of state dicts: the zip archives that torch.save writes since 1.6, and what it wrote before.

An archive holds a pickle, "NAME/data.pkl", and each storage as "NAME/data/KEY". The older kind is a row of pickles: a
magic number, the version, facts about the machine, the state dict, and the keys of its storages, which follow, each
after its size as int64. Storages are little-endian. Nothing in a file is run: see `model.weights.torch_pickle`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from model.errors import WeightsBroken
from model.weights import torch_pickle
from model.weights.torch_pickle import TorchStorage, TorchTensor

MAX_TORCH_BYTES = 100_000_000  # bytes, of a file and of all it holds; the published networks take 7 million
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
SIZE_BYTES = 8  # in front of a storage
TORCH_SUFFIXES = (".pth", ".pt", ".model")
_OLD_START = b"\x80\x02\x8a\x0a" + MAGIC_NUMBER.to_bytes(10, "little")  # of the older kind: a pickle of the number


def looks_like_torch(path: Path) -> bool:
    """Tell a file of PyTorch's, by its suffix or its content, from other weights; it may still be a damaged one."""
    return path.is_file() and (path.suffix.lower() in TORCH_SUFFIXES or _has_torch_content(path))


def _has_torch_content(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.read(len(_OLD_START)) == _OLD_START:
                return True
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of float16, float32 or float64 in a state dict, as read-only arrays; integers are left out.

    Raises WeightsBroken for anything else, and runs nothing that a file may ask for.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TORCH_BYTES + 1)
        if len(data) <= MAX_TORCH_BYTES:
            return _read_archive(io.BytesIO(data)) if data.startswith(b"PK") else _read_pickles(io.BytesIO(data))
    except WeightsBroken:
        raise
    except Exception as error:  # pickletools and zipfile raise many kinds for what may be sent
        raise WeightsBroken(
            f"'{path.name}' is no state dict saved by PyTorch, or it is damaged: use another.", "model_path"
        ) from error
    raise WeightsBroken(f"'{path.name}' has more than {MAX_TORCH_BYTES:,} bytes: use a smaller one.", "model_path")


def _read_archive(file: BinaryIO) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_TORCH_BYTES:
            raise ValueError("too large")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("PyTorch compresses nothing")
        (pickled,) = (entry.filename for entry in entries if entry.filename.endswith("/data.pkl"))
        top = pickled.removesuffix("data.pkl")
        byte_order = f"{top}byteorder"
        if byte_order in archive.namelist() and archive.read(byte_order) != b"little":
            raise ValueError("big-endian")
        tensors = _check_tensors(torch_pickle.load(io.BytesIO(archive.read(pickled))))
        storages = {key: archive.read(f"{top}data/{key}") for key in _find_storages(tensors)}
    return _cut_arrays(tensors, storages)


def _read_pickles(file: BinaryIO) -> dict[str, np.ndarray]:
    if torch_pickle.load(file) != MAGIC_NUMBER or torch_pickle.load(file) != PROTOCOL_VERSION:
        raise ValueError("another format")
    torch_pickle.load(file)  # facts about the machine, which the storages do not depend on
    tensors = _check_tensors(torch_pickle.load(file))
    keys = torch_pickle.load(file)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise TypeError("no keys")
    known = _find_storages(tensors)
    storages = {}
    for key in keys:
        if int.from_bytes(file.read(SIZE_BYTES), "little") != known[key].size:
            raise ValueError("another size")
        storages[key] = file.read(known[key].size * known[key].dtype.itemsize)
    if file.read(1):
        raise ValueError("more than the storages")
    return _cut_arrays(tensors, storages)


def _check_tensors(state: object) -> dict[str, TorchTensor]:
    if not isinstance(state, dict) or not all(isinstance(value, TorchTensor) for value in state.values()):
        raise TypeError("no state dict")
    return state


def _find_storages(tensors: Mapping[str, TorchTensor]) -> dict[str, TorchStorage]:
    return {tensor.storage.key: tensor.storage for tensor in tensors.values()}


def _cut_arrays(tensors: Mapping[str, TorchTensor], storages: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    return {
        name: _cut_array(tensor, storages[tensor.storage.key])
        for name, tensor in tensors.items()
        if tensor.storage.dtype.kind == "f"
    }


def _cut_array(tensor: TorchTensor, data: bytes) -> np.ndarray:
    dtype, _, size = tensor.storage
    if len(data) != size * dtype.itemsize:
        raise ValueError("a storage of another size")
    strides = [step * dtype.itemsize for step in tensor.strides]
    return np.ndarray(tensor.shape, dtype, data, tensor.offset * dtype.itemsize, strides)
