"""Builds a SavedModel of the official network with random variables, from its graph alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def build(graph: Path, folder: Path, seed: int = 0) -> Path:
    """`graph` holds saved_model.pb, object_graph.pb and variables/variables.index; returns `folder`."""
    import tensorflow as tf

    (folder / "variables").mkdir(parents=True)
    shutil.copy(graph / "saved_model.pb", folder)
    objects = (graph / "object_graph.pb").read_bytes()
    checkpoint = tf.train.load_checkpoint(str(graph / "variables" / "variables"))
    shapes = checkpoint.get_variable_to_shape_map()
    rng = np.random.default_rng(seed)
    tensors = {key: _random(name, shapes[key], rng) for name, key in _variables(objects)}
    tensors[OBJECT_GRAPH] = np.array(objects, dtype=object)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "variables" / "variables"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.constant(tensor) for tensor in tensors.values()],
    )
    return folder


def _variables(objects: bytes) -> list[tuple[str, str]]:
    """(full name, checkpoint key), sorted, so that one seed gives one network."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    nodes = TrackableObjectGraph.FromString(objects).nodes
    return sorted((variable.full_name, variable.checkpoint_key) for node in nodes for variable in node.attributes)


def _random(name: str, shape: list[int], rng: np.random.Generator) -> Any:
    """Values that keep the signal alive through forty layers, none of them at its default."""
    if name == "save_counter":
        return np.int64(1)
    if name.endswith("moving_variance"):
        return rng.uniform(0.5, 1.5, shape).astype("float32")
    noise = rng.standard_normal(shape, dtype="float32")
    if name.endswith("/weights"):
        gain = 0.05 if name.startswith("style_params/") else 2  # a style moves beta and gamma, but saturates nothing
        return noise * np.float32(np.sqrt(gain / np.prod(shape[:-1])))
    gamma = name.endswith("Conv_1/biases")
    return np.float32(gamma) + np.float32(0.1) * noise
