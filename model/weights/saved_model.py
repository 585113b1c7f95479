"""The official v1-256 weights, read from a SavedModel: a folder, its .tar.gz, or a TensorFlow Hub handle."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from model.errors import WeightsBroken, WeightsMissing

MAX_UNPACKED_BYTES = 512_000_000  # bytes; the official archive holds 95 MB
FIELD = "model_path"


def read_saved_model(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read the float32 variables under their full names, such as "InceptionV3/Conv2d_1a_3x3/weights".

    Raises WeightsMissing where there is nothing to read, WeightsBroken where it is no SavedModel or a damaged one.
    """
    source = os.fspath(path)
    if source.startswith("https://"):
        return _read_folder(_resolve_hub_handle(source), source)
    local = Path(source)
    if local.is_dir():
        return _read_folder(local, local.name)
    if local.is_file():
        with TemporaryDirectory() as folder:
            return _read_folder(_unpack(local, Path(folder)), local.name)
    raise WeightsMissing(f"There are no weights at '{source}': check the path.", FIELD)


def _resolve_hub_handle(handle: str) -> Path:
    import tensorflow as tf
    import tensorflow_hub as hub

    try:
        return Path(hub.resolve(handle))
    except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError, tf.errors.OpError) as error:
        raise WeightsMissing(
            f"The weights could not be fetched from {handle}: check the network connection, or download the archive "
            "by other means and give its path.",
            FIELD,
        ) from error


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack into `folder`, and return where in it the SavedModel lies."""
    size = 0
    try:
        with tarfile.open(archive) as members:
            for member in members:
                size += member.size + tarfile.BLOCKSIZE
                if size > MAX_UNPACKED_BYTES:
                    raise WeightsBroken(f"'{archive.name}' unpacks to more than {MAX_UNPACKED_BYTES:,} bytes.", FIELD)
                members.extract(member, folder, filter="data")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged, or no .tar.gz archive; download it again"
        raise WeightsBroken(f"'{archive.name}' could not be unpacked: {reason}.", FIELD) from error
    return next((graph.parent for graph in folder.rglob("saved_model.pb")), folder)


def _read_folder(folder: Path, name: str) -> dict[str, np.ndarray]:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    if not (folder / "saved_model.pb").is_file():
        raise WeightsBroken(f"'{name}' is not a SavedModel: there is no saved_model.pb in it.", FIELD)
    if not (folder / "variables" / "variables.index").is_file():
        raise WeightsBroken(f"'{name}' is a SavedModel without its weights: variables.index is missing.", FIELD)
    try:
        checkpoint = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        return {full: checkpoint.get_tensor(key) for full, key in _float_variables(checkpoint)}
    except (tf.errors.OpError, DecodeError, LookupError, ValueError) as error:
        raise WeightsBroken(
            f"The variables in '{name}' are damaged or incomplete: download it again.", FIELD
        ) from error


def _float_variables(checkpoint: Any) -> Iterator[tuple[str, str]]:
    """Yield full name and checkpoint key of each, by the object graph that TensorFlow 2 stores with its variables."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    types = checkpoint.get_variable_to_dtype_map()
    graph = TrackableObjectGraph.FromString(checkpoint.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    for node in graph.nodes:
        for variable in node.attributes:
            if types[variable.checkpoint_key] == "float32":
                yield variable.full_name, variable.checkpoint_key
