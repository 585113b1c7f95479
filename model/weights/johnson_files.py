"""Files of networks after Johnson: a NumPy .npz of int8 kernels, float16 vectors, and what they are, as JSON.

The entry "about" holds {"name", "architecture": "johnson", "channels", "residual_blocks"}. Networks that others have
trained come from the state dicts of PyTorch's fast neural style example.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from model.errors import WeightsBroken
from model.networks.johnson_architecture import JOHNSON, JohnsonArchitecture, johnson_shapes, torch_name
from model.style_file import NAME_LENGTH
from model.weights.npz import SCALE_SUFFIX, dequantise, quantise
from model.weights.torch_files import read_state_dict

MAX_JOHNSON_BYTES = 4_000_000  # of a file and of what it unpacks to; the published networks take 1.7 million
JOHNSON_CACHE_SIZE = 8  # networks; seven megabytes each
_DEPRECATED = re.compile(r"(res\d+\.)?in\d+\.running_(mean|var)")  # in files of before PyTorch 0.4; never used


@dataclass(frozen=True)
class JohnsonNetwork:
    """A network of one style; `arrays` are float32, by the names of `johnson_shapes`, and `sha256` is the file's.

    Networks of one hash are equal, so that what is made of them is remembered by it.
    """

    name: str = field(compare=False)
    sha256: str
    architecture: JohnsonArchitecture = field(compare=False)
    arrays: Mapping[str, np.ndarray] = field(compare=False, repr=False)


class _About(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    architecture: Literal["johnson"] = "johnson"
    channels: tuple[PositiveInt, PositiveInt, PositiveInt]
    residual_blocks: int = Field(ge=0, le=100)


def import_torch(path: Path, name: str = "", architecture: JohnsonArchitecture = JOHNSON) -> bytes:
    """Return the file of a network from a state dict of PyTorch's, under the file's name unless it is given another.

    Raises WeightsBroken for a file that holds anything but such a network.
    """
    state = {key: array for key, array in read_state_dict(path).items() if not _DEPRECATED.fullmatch(key)}
    arrays = {}
    for own_name, shape in johnson_shapes(architecture).items():
        arrays[own_name] = _take(state, torch_name(own_name), shape, path)
    if state:
        raise _other_network(path, f"{min(state)[:NAME_LENGTH]!r} is one array too many")
    try:
        return encode((name or path.stem)[:NAME_LENGTH], architecture, arrays)
    except ValueError as error:
        sentence = f"'{path.name}' cannot be used: some of its numbers are too large, or not finite."
        raise WeightsBroken(sentence, "model_path") from error


def _take(state: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """Take an array out of a state dict, as float32, with a kernel (output, input, height, width) in our order."""
    if name not in state:
        raise _other_network(path, f"'{name}' is missing")
    array = state.pop(name)
    ours = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    if ours.shape != shape:
        raise _other_network(path, f"'{name}' has the shape {array.shape}")
    with np.errstate(over="ignore"):  # quantising refuses the infinities
        return ours.astype("float32")


def _other_network(path: Path, difference: str) -> WeightsBroken:
    return WeightsBroken(
        f"'{path.name}' is no network of PyTorch's fast neural style example: {difference}.", "model_path"
    )


def encode(name: str, architecture: JohnsonArchitecture, arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the file of a network; raise ValueError for a name too long, and for numbers too large or not finite."""
    about = _About(name=name, channels=architecture.channels, residual_blocks=architecture.residual_blocks)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, about=np.array(about.model_dump_json()), **quantise(arrays))
    return buffer.getvalue()


@lru_cache(JOHNSON_CACHE_SIZE)
def decode(data: bytes) -> JohnsonNetwork:
    """Read what `encode` returned; raise WeightsBroken for anything else."""
    try:
        entries = _unpack(data)
        about = _About.model_validate_json(str(entries.pop("about")))
        architecture = JohnsonArchitecture(about.channels, about.residual_blocks)
        _check_entries(entries, architecture)
        arrays = {name: np.asarray(array, "float32") for name, array in dequantise(entries).items()}
    except Exception as error:  # NumPy and zipfile raise many kinds for what may be sent
        raise WeightsBroken("This is no network of a style, or it is damaged: use another.", "style") from error
    return JohnsonNetwork(about.name, hashlib.sha256(data).hexdigest(), architecture, arrays)


def _unpack(data: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_JOHNSON_BYTES:
            raise ValueError("too large")
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _check_entries(entries: Mapping[str, np.ndarray], architecture: JohnsonArchitecture) -> None:
    """Raise ValueError for entries that are not those of such a network, or hold what is no number."""
    shapes = johnson_shapes(architecture)
    scales = {name + SCALE_SUFFIX: shape[-1:] for name, shape in shapes.items() if len(shape) > 1}
    if {name: entry.shape for name, entry in entries.items()} != shapes | scales:
        raise ValueError("other arrays")
    if not all(entry.dtype.kind in "if" and np.isfinite(entry).all() for entry in entries.values()):
        raise ValueError("not finite")
