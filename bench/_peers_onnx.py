"""The transformer as an ONNX graph, which OpenVINO and ONNX Runtime both read.

Written by hand from the same arrays: channels come before rows, as both compute, and the style normalisation is the one
operation that both know, where an exporter leaves a dozen small ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from model.networks.architecture import BATCH_EPSILON, EPSILON, Architecture

OPSET, IR = 18, 10  # of the standard and of its file format: what both runtimes have long read


def transformer(architecture: Architecture, arrays: Mapping[str, np.ndarray], size: tuple[int, int]) -> onnx.ModelProto:
    """ "content" (1, H, W, 3) and "vector" (1, n) -> "pastiche" (1, H, W, 3), all float32.

    size: H and W, multiples of 4. They are fixed, so that a runtime can plan its memory.
    """
    graph = _Graph(arrays)
    x = graph.node("Transpose", "content", perm=[0, 3, 1, 2])
    for name, stride in ("conv1", 1), ("conv2", 2), ("conv3", 2):
        x = graph.contract(x, f"transformer/contract/{name}", stride, architecture.contract_norm == "batch")
    for block in range(1, architecture.residual_blocks + 1):
        path = f"transformer/residual/residual{block}"
        y = graph.node("Relu", graph.styled(x, f"{path}/conv1"))
        x = graph.node("Add", x, graph.styled(y, f"{path}/conv2"))
    for name, activation in ("conv1", "Relu"), ("conv2", "Relu"), ("conv3", "Sigmoid"):
        x = x if name == "conv3" else graph.doubled(x)
        x = graph.node(activation, graph.styled(x, f"transformer/expand/{name}/conv"))
    graph.node("Transpose", x, perm=[0, 2, 3, 1], output="pastiche")
    return graph.model({"content": (1, *size, 3), "vector": (1, architecture.vector_size)}, {"pastiche": (1, *size, 3)})


class _Graph:
    """Nodes and constants so far; every method returns the name of its result."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output or name], name, **attributes))
        return output or name

    def constant(self, array: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def array(self, name: str) -> np.ndarray:
        return np.asarray(self.arrays[name], dtype="float32")

    def conv(self, x: str, path: str, stride: int = 1, *, bias: bool = False) -> str:
        kernel = self.array(f"{path}/weights").transpose(3, 2, 0, 1)
        margin = kernel.shape[-1] // 2
        x = self.node("Pad", x, self.constant(np.array([0, 0, margin, margin] * 2)), mode="reflect")
        biases = [self.constant(self.array(f"{path}/biases"))] if bias else []
        return self.node("Conv", x, self.constant(kernel), *biases, strides=[stride, stride])

    def contract(self, x: str, path: str, stride: int, batch_norm: bool) -> str:
        x = self.conv(x, path, stride, bias=not batch_norm)
        if batch_norm:
            shift, *moments = (self.array(f"{path}/BatchNorm/{n}") for n in ("beta", "moving_mean", "moving_variance"))
            scale = np.ones_like(shift)
            x = self.node("BatchNormalization", x, *map(self.constant, (scale, shift, *moments)), epsilon=BATCH_EPSILON)
        return self.node("Relu", x)

    def styled(self, x: str, path: str) -> str:
        """A convolution, and the normalisation whose scale and shift are linear in the style vector."""
        shift, scale = (self.from_vector(f"style_params/{path}/StyleNorm/{name}") for name in ("Conv", "Conv_1"))
        return self.node("InstanceNormalization", self.conv(x, path), scale, shift, epsilon=EPSILON)

    def from_vector(self, path: str) -> str:
        weights, biases = self.array(f"{path}/weights"), self.array(f"{path}/biases")
        weights = weights.reshape(weights.shape[-2:])
        numbers = self.node("Gemm", "vector", self.constant(weights), self.constant(biases))
        return self.node("Reshape", numbers, self.constant(np.array([-1])))

    def doubled(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], dtype="float32"))
        nearest = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", x, "", scales, mode="nearest", **nearest)

    def model(self, inputs: Mapping[str, tuple[int, ...]], outputs: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto:
        ends = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named.items()]
            for named in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "transformer", *ends, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """With weights and feature maps in float16, by ONNX Runtime's own converter. Changes `model` itself."""
    return convert_float_to_float16(model, keep_io_types=True)


def quantised(model: onnx.ModelProto, content: np.ndarray, vector: np.ndarray) -> onnx.ModelProto:
    """With convolutions in eight bits, by ONNX Runtime's own tool, to the ranges that this very picture has.

    That flatters it: a product would have to do with the ranges of other pictures. Changes `model` itself.
    """
    with TemporaryDirectory() as folder:
        path = f"{folder}/quantised.onnx"
        ranges = _One({"content": content[None], "vector": vector[None]})
        quantize_static(model, path, ranges, per_channel=True, op_types_to_quantize=["Conv"])
        return onnx.load(path)


class _One(CalibrationDataReader):
    """A single sample."""

    def __init__(self, sample: dict[str, np.ndarray]) -> None:
        self.samples = [sample]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self.samples.pop() if self.samples else None
