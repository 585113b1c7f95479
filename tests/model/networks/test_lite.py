"""The mobile network against the TFLite files that its arrays come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.networks.architecture import LITE
from model.networks.layers import assign_arrays
from model.networks.predictors import build_predictor
from model.networks.transformer import build_transformer

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert to run TFLite files")


@pytest.fixture
def style(shared: Path) -> np.ndarray:
    return square(shared / "data" / "eval" / "style", 256)


@pytest.fixture
def vector(shared: Path, style: np.ndarray) -> np.ndarray:
    return run(shared / "weights" / "magenta_lite_predictor_int8.tflite", style).reshape(1, 100)


def test_predictor_sees_what_the_quantised_one_sees(shared: Path, style: np.ndarray, vector: np.ndarray) -> None:
    predictor = build_predictor(LITE)
    assign_arrays(predictor, np.load(shared / "weights" / "magenta_lite_predictor.npz"))
    ours = predictor.predict(style, verbose=0)
    assert np.corrcoef(ours.ravel(), vector.ravel())[0, 1] >= 0.999


def test_transformer_paints_what_the_published_one_paints(shared: Path, vector: np.ndarray) -> None:
    content = square(shared / "data" / "eval" / "content", 384)
    transformer = build_transformer(LITE)
    assign_arrays(transformer, np.load(shared / "weights" / "magenta_lite_transformer.npz"))
    ours = transformer.predict([content, vector], verbose=0)
    theirs = run(shared / "weights" / "magenta_lite_transformer_fp16.tflite", content, vector.reshape(1, 1, 1, 100))
    assert -10 * np.log10(np.mean((ours - theirs) ** 2)) >= 60


def square(folder: Path, side: int) -> np.ndarray:
    with Image.open(min(folder.glob("*.jpg"))) as image:
        return np.asarray(image.convert("RGB").resize((side, side)), dtype="float32")[None] / 255


def run(file: Path, *inputs: np.ndarray) -> Any:
    """Return the output of a TFLite model whose inputs differ in their number of channels."""
    interpreter = litert.Interpreter(str(file))
    slots = {detail["shape"][-1]: detail["index"] for detail in interpreter.get_input_details()}
    for array in inputs:
        interpreter.resize_tensor_input(slots[array.shape[-1]], array.shape)
    interpreter.allocate_tensors()
    for array in inputs:
        interpreter.set_tensor(slots[array.shape[-1]], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
