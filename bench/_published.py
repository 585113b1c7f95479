"""The published networks, as far as the folder STYLE_SHARED has them to compare with."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np

from bench._measure import ROOT
from model.networks.architecture import V1_256
from model.networks.layers import read_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer
from model.weights.npz import write_npz
from tests.support import saved_model


def shared() -> Path:
    """As for the tests, `shared` beside the repository where STYLE_SHARED names none."""
    return Path(os.environ.get("STYLE_SHARED") or ROOT.parent / "shared")


GRAPH = shared() / "weights" / "magenta_graph"
LITE_TRANSFORMER = shared() / "weights" / "magenta_lite_transformer_fp16.tflite"
LITE_SIDE = 384  # pixels that it was made for
LITE_ARRAYS = shared() / "weights" / "magenta_lite_transformer.npz"  # that file's own
LITE_PREDICTOR = shared() / "weights" / "magenta_lite_predictor_int8.tflite"


def full_weights(folder: Path) -> Path:
    """Random numbers of the published size, none at its default: speed and precision do not depend on them.

    A SavedModel where there is a graph to put them into, else a file of this project's kind.
    """
    if GRAPH.is_dir():
        return saved_model.build(GRAPH, folder / "magenta-v1-256")
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    arrays = read_arrays(build_predictor(V1_256)) | read_arrays(build_transformer(V1_256))
    shifted = {name: array + rng.uniform(-0.2, 0.2, array.shape) for name, array in arrays.items() if array.ndim == 1}
    write_npz(folder / "full.npz", V1_256, arrays | shifted)
    return folder / "full.npz"


def missing(what: str, *files: Path) -> str:
    """A paragraph on what is not measured for want of these; empty where all are there."""
    absent = [file.name for file in files if not file.exists()]
    return f"\n\nNot measured, for want of {' and '.join(absent)} in the folder STYLE_SHARED: {what}." if absent else ""
