"""Other ways to run a transformer's weights on the CPU, each set up as its own documentation advises for one picture.

All cores, a size that is fixed beforehand, and the first call as a warm-up. Each builder gives a `Run`, which takes and
hands back NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import keras
import numpy as np
import onnx
import onnxruntime
import openvino
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from model.hardware.device import cores
from model.networks.architecture import Architecture
from model.networks.layers import assign_arrays
from model.networks.transformer import build_transformer

Run: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (H, W, 3) and a vector (n,) -> (H, W, 3), float32
OPENVINO = {"float32": ("FP32", "f32"), "bfloat16": ("BF16", "bf16"), "float16": ("FP16", "f16")}  # its own two words


def keras_transformer(architecture: Architecture, arrays: Mapping[str, np.ndarray]) -> keras.Model:
    transformer = build_transformer(architecture)
    assign_arrays(transformer, arrays)
    return transformer


def in_keras(transformer: keras.Model) -> Run:
    """In float32, as one TensorFlow graph."""
    compiled = tf.function(lambda content, vector: transformer([content, vector], training=False))
    return lambda content, vector: compiled(tf.constant(content[None]), tf.constant(vector[None]))[0].numpy()


def openvino_precisions() -> list[str]:
    """Those that OpenVINO says this processor computes in."""
    offered = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return [precision for precision, (capability, _) in OPENVINO.items() if capability in offered]


def in_openvino(model: onnx.ModelProto, precision: str = "float32") -> Run:
    """What the run hands back is overwritten by the next one."""
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": OPENVINO[precision][1],
        "INFERENCE_NUM_THREADS": cores(),
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(model.SerializeToString()), "CPU", settings).create_infer_request()

    def run(content: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return request.infer([content[None], vector[None]], share_inputs=True, share_outputs=True)[0][0]

    return run


def in_onnxruntime(model: onnx.ModelProto) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return lambda content, vector: session.run(None, {"content": content[None], "vector": vector[None]})[0][0]


def onnxruntime_has_bfloat16() -> bool:
    """Whether it has a convolution in bfloat16 for this processor."""
    tensors = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.BFLOAT16, [1, 1, 1, 1]) for name in "xky"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Conv", "xk", "y")], "conv", tensors[:2], tensors[2:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    try:
        in_onnxruntime(model)
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        return False
    return True


def tflite(transformer: keras.Model, size: tuple[int, int], kind: str = "float32") -> bytes:
    """A TFLite file of the transformer; kind: the numbers its weights are kept in, "float32", "float16" or "int8"."""
    shapes = (1, *size, 3), (1, transformer.input_shape[1][-1])
    fixed = keras.models.clone_model(
        transformer,
        input_tensors=[keras.Input(batch_shape=shape) for shape in shapes],
        clone_function=lambda layer: _Doubled() if isinstance(layer, keras.layers.UpSampling2D) else layer,
    )
    with TemporaryDirectory() as folder:
        fixed.export(folder, verbose=False, input_signature=[[tf.TensorSpec(shape) for shape in shapes]])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [] if kind == "float32" else [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16] if kind == "float16" else []
        return converter.convert()


class _Doubled(keras.layers.Layer):
    """UpSampling2D as the published files have it, one operation of TFLite's; Keras exports several."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), "nearest")


def in_litert(model: bytes | Path, size: tuple[int, int]) -> Run:
    """The inputs of a TFLite transformer differ in their number of channels, and the content has fewer."""
    interpreter = _interpreter(model)
    content, vector = sorted(interpreter.get_input_details(), key=lambda detail: detail["shape"][-1])
    interpreter.resize_tensor_input(content["index"], (1, *size, 3))
    interpreter.allocate_tensors()
    output = interpreter.get_output_details()[0]["index"]

    def run(picture: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(content["index"], picture[None])
        interpreter.set_tensor(vector["index"], numbers.reshape(vector["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(output)[0]

    return run


def predictor_in_litert(model: Path) -> Callable[[np.ndarray], np.ndarray]:
    """(256, 256, 3) in 0..1 -> the style vector (n,)."""
    interpreter = _interpreter(model)
    interpreter.allocate_tensors()
    (style,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(picture: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(style["index"], picture[None])
        interpreter.invoke()
        return interpreter.get_tensor(output["index"]).ravel()

    return run


def _interpreter(model: bytes | Path) -> Interpreter:
    content = model if isinstance(model, bytes) else model.read_bytes()
    return Interpreter(model_content=content, num_threads=cores())
