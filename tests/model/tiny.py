"""Weights of a network small enough to make, load and run in a test: random, and of the project's own kind."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from model import encoder_layers, encoders
from model.networks import Architecture, build_predictor, build_transformer, read_arrays
from model.npz import write_npz

TINY = Architecture("texture", 8, (4, 6, 8), 1)


def tiny_arrays(seed: int = 0, architecture: Architecture = TINY) -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(seed)
    return read_arrays(build_predictor(architecture)) | read_arrays(build_transformer(architecture))


def write_tiny(path: Path, seed: int = 0) -> Path:
    write_npz(path, TINY, tiny_arrays(seed))
    return path


def write_tiny_encoder(folder: Path, seed: int = 0) -> Path:
    """In the place of the encoder that ships, where `folder` is STYLE_MODEL_DIR."""
    keras.utils.set_random_seed(seed)
    path = folder / encoder_layers.SHIPPED.name
    np.savez(path, **read_arrays(encoders.build_slim((4, 6, 8, 8, 8))))
    return path
