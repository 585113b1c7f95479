"""Magenta's two networks in Keras: the style predictor and the transformer, their sizes as data.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", BMVC 2017
(https://arxiv.org/abs/1705.06830). Layers carry the names of the published checkpoints with "/" written as "-" (Keras
forbids slashes, and PyTorch dots), so that one name-to-array table serves every set of weights: see `read_arrays` and
`assign_arrays`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
from keras import KerasTensor, ops

from model.inception import inception_v3
from model.layers import BATCH_EPSILON, EPSILON, batch_norm, conv, layer_name

Moments: TypeAlias = Callable[[KerasTensor], Sequence[KerasTensor]]  # x -> mean and variance, (N, 1, 1, C) each


@dataclass(frozen=True)
class Architecture:
    """What distinguishes one set of Magenta weights from another.

    `channels` are the widths of the three contracting layers; `contract_norm` is "batch" where those layers carry a
    batch normalisation instead of a bias.
    """

    predictor: Literal["inception_v3", "mobilenet_v2", "texture"]
    vector_size: int
    channels: tuple[int, int, int]
    residual_blocks: int
    contract_norm: Literal["batch", "bias"] = "bias"


V1_256 = Architecture("inception_v3", 768, (32, 64, 128), 20, "batch")
LITE = Architecture("mobilenet_v2", 100, (8, 16, 32), 5)
SMALL = Architecture("texture", 100, (16, 32, 64), 5)


def build_predictor(architecture: Architecture) -> keras.Model:
    """Style images (N, H, W, 3) in 0..1 -> style vectors (N, vector_size)."""
    image = keras.Input((None, None, 3), name="style")
    vector = _PREDICTORS[architecture.predictor](image, architecture)
    return keras.Model(image, vector, name="predictor")


def build_transformer(architecture: Architecture) -> keras.Model:
    """Content images (N, H, W, 3) in 0..1 and style vectors (N, vector_size) -> pastiches (N, H', W', 3) in 0..1.

    H' and W' are H and W rounded up to multiples of 4; the surplus lies at the bottom and the right.
    """
    content, vector = _transformer_inputs(architecture)
    return keras.Model([content, vector], _transform(content, vector, architecture, _own_moments), name="transformer")


def build_carrying_transformer(architecture: Architecture) -> keras.Model:
    """The transformer for the frames of a clip: its normalisations remember those of the frame before.

    Besides content and vector it takes the moments (N, 2, C) that it gave for that frame, mean and variance of every
    normalisation one after another, and the share 0..1 (N, 1) in which they are mixed into its own. Gives the pastiches
    and the mixed moments.
    """
    content, vector = _transformer_inputs(architecture)
    former = keras.Input((2, normalised_channels(architecture)), name="former")
    share = keras.Input((1,), name="share")
    carried: list[KerasTensor] = []

    def mixed(x: KerasTensor) -> Sequence[KerasTensor]:
        begin, filters = sum(moments.shape[-1] for moments in carried), x.shape[-1]
        own = ops.stack([ops.squeeze(moment, (1, 2)) for moment in _own_moments(x)], axis=1)
        moments = own + share[:, :, None] * (former[:, :, begin : begin + filters] - own)
        carried.append(moments)
        return [moments[:, index, None, None, :] for index in (0, 1)]

    pastiche = _transform(content, vector, architecture, mixed)
    return keras.Model([content, vector, former, share], [pastiche, ops.concatenate(carried, axis=-1)])


def normalised_channels(architecture: Architecture) -> int:
    """Of all style normalisations together."""
    return int(norm_slices(architecture)[-1].stop)


def norm_paths(architecture: Architecture) -> list[str]:
    """The style normalisations in the order in which they are met."""
    blocks = range(1, architecture.residual_blocks + 1)
    residual = [f"transformer/residual/residual{block}/conv{n}" for block in blocks for n in (1, 2)]
    return [*residual, *(f"transformer/expand/conv{n}/conv" for n in (1, 2, 3))]


def norm_slices(architecture: Architecture) -> list[slice]:
    """Each one's place among the channels of all of them."""
    first, second, third = architecture.channels
    ends = np.cumsum([*[third] * 2 * architecture.residual_blocks, second, first, 3]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _transformer_inputs(architecture: Architecture) -> tuple[KerasTensor, KerasTensor]:
    return keras.Input((None, None, 3), name="content"), keras.Input((architecture.vector_size,), name="vector")


def _transform(content: KerasTensor, vector: KerasTensor, architecture: Architecture, moments: Moments) -> KerasTensor:
    first, second, third = architecture.channels
    x = _contract(content, "conv1", first, 9, 1, architecture)
    x = _contract(x, "conv2", second, 3, 2, architecture)
    x = _contract(x, "conv3", third, 3, 2, architecture)
    for block in range(1, architecture.residual_blocks + 1):
        x = _residual(x, vector, f"transformer/residual/residual{block}", third, moments)
    x = _expand(x, vector, "conv1", second, 3, 2, "relu", moments)
    x = _expand(x, vector, "conv2", first, 3, 2, "relu", moments)
    return _expand(x, vector, "conv3", 3, 9, 1, "sigmoid", moments)


def _reflect_conv(
    x: KerasTensor, path: str, filters: int, size: int, stride: int = 1, bias: bool = False
) -> KerasTensor:
    margin = size // 2
    x = ops.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")
    return conv(x, path, filters, size, stride, bias=bias)


def _contract(
    x: KerasTensor, name: str, filters: int, size: int, stride: int, architecture: Architecture
) -> KerasTensor:
    path = f"transformer/contract/{name}"
    batch = architecture.contract_norm == "batch"
    x = _reflect_conv(x, path, filters, size, stride, bias=not batch)
    return ops.relu(batch_norm(x, path, epsilon=BATCH_EPSILON) if batch else x)


def _residual(x: KerasTensor, vector: KerasTensor, path: str, filters: int, moments: Moments) -> KerasTensor:
    y = _reflect_conv(x, f"{path}/conv1", filters, 3)
    y = ops.relu(_style_norm(y, vector, f"{path}/conv1", moments))
    y = _reflect_conv(y, f"{path}/conv2", filters, 3)
    y = _style_norm(y, vector, f"{path}/conv2", moments)
    return keras.layers.Add(name=layer_name(path))([x, y])


def _expand(
    x: KerasTensor,
    vector: KerasTensor,
    name: str,
    filters: int,
    size: int,
    scale: int,
    activation: str,
    moments: Moments,
) -> KerasTensor:
    path = f"transformer/expand/{name}/conv"
    if scale > 1:
        x = keras.layers.UpSampling2D(scale, interpolation="nearest", name=layer_name(f"{path}/upsample"))(x)
    x = _style_norm(_reflect_conv(x, path, filters, size), vector, path, moments)
    return keras.layers.Activation(activation, name=layer_name(f"{path}/{activation}"))(x)


def _style_norm(x: KerasTensor, vector: KerasTensor, path: str, moments: Moments) -> KerasTensor:
    """Conditional instance normalisation (Dumoulin et al. 2017): beta and gamma are linear in the style vector."""
    filters = x.shape[-1]
    params = f"style_params/{path}/StyleNorm"
    beta = keras.layers.Dense(filters, name=layer_name(f"{params}/Conv"))(vector)
    gamma = keras.layers.Dense(filters, bias_initializer="ones", name=layer_name(f"{params}/Conv_1"))(vector)
    mean, variance = moments(x)
    scale = ops.rsqrt(variance + EPSILON) * gamma[:, None, None, :]
    return x * scale + (beta[:, None, None, :] - mean * scale)


def _own_moments(x: KerasTensor) -> Sequence[KerasTensor]:
    mean, variance = ops.moments(x, axes=[1, 2], keepdims=True)
    return mean, variance


def _mobilenet_v2(image: KerasTensor, architecture: Architecture) -> KerasTensor:
    """MobileNetV2 1.0 (Sandler et al. 2018) with its batch norms folded into biases, then a linear bottleneck."""
    x = ops.relu6(conv(image, "MobilenetV2/Conv", 32, 3, 2, padding="same", bias=True))
    block = 0
    for expansion, filters, repeats, stride in _INVERTED_RESIDUALS:
        for repeat in range(repeats):
            path = "MobilenetV2/expanded_conv" + (f"_{block}" if block else "")
            x = _inverted_residual(x, path, expansion, filters, stride if repeat == 0 else 1)
            block += 1
    x = ops.relu6(conv(x, "MobilenetV2/Conv_1", 1280, 1, bias=True))
    x = ops.mean(x, axis=(1, 2))
    return keras.layers.Dense(architecture.vector_size, name=layer_name("mobilenet_conv/Conv"))(x)


_INVERTED_RESIDUALS = (  # expansion, filters, repeats, stride of the first
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _inverted_residual(x: KerasTensor, path: str, expansion: int, filters: int, stride: int) -> KerasTensor:
    y = x
    if expansion > 1:
        y = ops.relu6(conv(y, f"{path}/expand", expansion * x.shape[-1], 1, bias=True))
    depthwise = keras.layers.DepthwiseConv2D(3, stride, "same", name=layer_name(f"{path}/depthwise/depthwise_weights"))
    y = ops.relu6(depthwise(y))
    y = conv(y, f"{path}/project", filters, 1, bias=True)
    return x + y if stride == 1 and x.shape[-1] == filters else y


def _texture(image: KerasTensor, architecture: Architecture) -> KerasTensor:
    """Our own predictor: style is texture, so every stage hands on the mean and deviation of its feature maps.

    Channel statistics at several depths are what style losses compare (Huang and Belongie 2017); pooling them lets a
    shallow network do what Inception-v3 does for v1-256.
    """
    x, statistics = image * 2.0 - 1.0, []
    for stage, filters in enumerate((32, 64, 128, 256, 256), start=1):
        path = f"texture/stage{stage}"
        x = batch_norm(conv(x, f"{path}/reduce", filters, 3, 2, padding="same"), f"{path}/reduce", scale=True)
        x = ops.relu(x)
        if filters >= 128:
            y = batch_norm(conv(x, f"{path}/refine", filters, 3, padding="same"), f"{path}/refine", scale=True)
            x = x + ops.relu(y)
        mean, variance = ops.moments(x, axes=[1, 2])
        statistics += [mean, ops.sqrt(variance + EPSILON)]
    x = keras.layers.Dense(512, "relu", name=layer_name("texture/mix"))(ops.concatenate(statistics, axis=-1))
    return keras.layers.Dense(architecture.vector_size, name=layer_name("texture/vector"))(x)


_PREDICTORS: dict[str, Callable[[KerasTensor, Architecture], KerasTensor]] = {
    "inception_v3": inception_v3,
    "mobilenet_v2": _mobilenet_v2,
    "texture": _texture,
}

_VARIABLE_NAMES = {"kernel": "weights", "bias": "biases"}  # Keras's name -> the checkpoints'


def variable_name(variable: Any) -> str:
    """The checkpoints' name of a Keras variable, from its path "[model/]layer-name/kernel"."""
    layer, name = variable.path.split("/")[-2:]
    return f"{layer.replace('-', '/')}/{_VARIABLE_NAMES.get(name, name)}"


def read_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Every variable of `model` under its checkpoint name."""
    return {variable_name(v): v.numpy() for v in model.variables if v.dtype != "uint32"}


def assign_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Copies each of `model`'s variables from `arrays` by name; arrays that no variable asks for are left alone.

    Raises KeyError for a name that is missing and ValueError for a wrong shape. 1x1 convolutions over a vector are
    Dense layers here, so their kernels lose two axes of length one.
    """
    for variable in model.variables:
        name = variable_name(variable)
        array = np.asarray(arrays[name], dtype="float32")
        if array.ndim == 4 and len(variable.shape) == 2:
            array = array.reshape(array.shape[2:])
        if array.shape != tuple(variable.shape):
            raise ValueError(f"{name}: shape {array.shape}, but {tuple(variable.shape)} was expected")
        variable.assign(array)
