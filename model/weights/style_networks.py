"""Files of style networks: a NumPy .npz of int8 kernels, float16 gammas and betas, and what they belong to, as JSON.

Those that ship lie in `styles/`, one for each style of the gallery; a painting is recognised by its pixels.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.errors import WeightsBroken
from model.networks.architecture import STYLE_PARAMS, Architecture, normalised_channels, transformer_shapes
from model.networks.style_network import StyleNetwork
from model.weights.npz import dequantise, quantise

SHIPPED_FOLDER = Path(__file__).with_name("styles")
SHIPPED_INDEX = SHIPPED_FOLDER / "index.json"
MAX_NETWORK_BYTES = 2_000_000  # of a file; those that ship take 400 thousand
DECODED_CACHE_SIZE = 32  # networks; two megabytes each
_ERRORS = (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


class StyleNetworkFile(NamedTuple):
    """A style network with the sizes that it needs."""

    architecture: Architecture
    network: StyleNetwork


def encode(
    name: str,
    architecture: Architecture,
    base_sha256: str,
    arrays: Mapping[str, np.ndarray],
    gamma: np.ndarray,
    beta: np.ndarray,
) -> bytes:
    """Return the file of a style network; raise ValueError where a number is not finite."""
    about = {"name": name, "architecture": asdict(architecture), "base_sha256": base_sha256}
    entries = quantise({**arrays, "gamma": gamma, "beta": beta})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, about=np.array(json.dumps(about)), **entries)
    return buffer.getvalue()


@lru_cache(DECODED_CACHE_SIZE)
def decode(data: bytes) -> StyleNetworkFile:
    """Read what `encode` returned; raise WeightsBroken for anything else."""
    try:
        if len(data) > MAX_NETWORK_BYTES:
            raise ValueError("too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            entries = {name: file[name] for name in file.files}
        about = json.loads(str(entries.pop("about")))
        sizes = Architecture(**about["architecture"] | {"channels": tuple(about["architecture"]["channels"])})
        arrays = {name: np.asarray(array, "float32") for name, array in dequantise(entries).items()}
        gamma, beta = arrays.pop("gamma"), arrays.pop("beta")
        _check_shapes(sizes, arrays, gamma, beta)
    except _ERRORS as error:
        raise WeightsBroken("The network of this style is damaged, or no such file: use another.", "style") from error
    digest = hashlib.sha256(data).hexdigest()
    return StyleNetworkFile(sizes, StyleNetwork(about["name"], digest, about["base_sha256"], arrays, gamma, beta))


def _check_shapes(architecture: Architecture, arrays: Mapping[str, np.ndarray], *norms: np.ndarray) -> None:
    """Raise ValueError or KeyError for arrays that are not those of a transformer, or hold numbers that are none."""
    shapes = transformer_shapes(architecture)
    wanted = {name: shape for name, shape in shapes.items() if not name.startswith(STYLE_PARAMS)}
    if arrays.keys() != wanted.keys() or any(arrays[name].shape != shape for name, shape in wanted.items()):
        raise ValueError("other arrays")
    if any(norm.shape != (normalised_channels(architecture),) for norm in norms):
        raise ValueError("other normalisations")
    if not all(np.isfinite(array).all() for array in (*arrays.values(), *norms)):
        raise ValueError("not finite")


def for_painting(pixels_sha256: str, base_sha256: str) -> bytes | None:
    """Return the file that ships for a painting, by the sha256 of its pixels, where it is for these weights."""
    name = _shipped_names().get(pixels_sha256)
    data = _read_shipped(name) if name else None
    return data if data and decode(data).network.base_sha256 == base_sha256 else None


def find_shipped(sha256: str) -> bytes | None:
    """Return the file that ships with this sha256."""
    files = map(_read_shipped, _shipped_names().values())
    return next((data for data in files if hashlib.sha256(data).hexdigest() == sha256), None)


@cache
def _shipped_names() -> dict[str, str]:
    """Return the names of the files that ship by the sha256 of their paintings' pixels."""
    names: dict[str, str] = json.loads(SHIPPED_INDEX.read_text("utf-8")) if SHIPPED_INDEX.is_file() else {}
    return names


@cache
def _read_shipped(name: str) -> bytes:
    return (SHIPPED_FOLDER / name).read_bytes()
