"""Weights of a network small enough to make, load and run in a test: random, and of the project's own kind."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from model.networks.architecture import Architecture
from model.networks.layers import read_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.refinement import encoder_registry, encoders
from model.weights.npz import write_npz
from tests.support.tiny_architecture import TINY


def tiny_arrays(seed: int = 0, architecture: Architecture = TINY) -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(seed)
    return read_arrays(build_predictor(architecture)) | read_arrays(build_transformer(architecture))


def paint(transformer: keras.Model, content: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the pastiche of a transformer alone."""
    return keras.ops.convert_to_numpy(transformer([content, vector], training=False))


def write_tiny(path: Path, seed: int = 0) -> Path:
    write_npz(path, TINY, tiny_arrays(seed))
    return path


def write_tiny_encoder(folder: Path, seed: int = 0) -> Path:
    """In the place of the encoder that ships, where `folder` is STYLE_MODEL_DIR."""
    keras.utils.set_random_seed(seed)
    path = folder / encoder_registry.SHIPPED_SLIM.name
    np.savez(path, **read_arrays(encoders.build_slim((4, 6, 8, 8, 8))))
    return path
