"""The encoders: networks trained to recognise things, whose feature maps tell style and content of a picture.

Each takes RGB in 0..1 and does its own preprocessing. Seven come from keras.applications; their weights are looked for
in the folder named by STYLE_MODEL_DIR, in the cache, and where Keras keeps its downloads, and else downloaded by Keras.
`vgg19-slim` ships with the project.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from threading import Lock

import keras
import numpy as np
from keras import KerasTensor, ops

from model import settings
from model.errors import InvalidOption, WeightsBroken, WeightsMissing
from model.layers import conv
from model.networks import assign_arrays
from model.weights import SHIPPED as SHIPPED_MAGENTA
from model.weights import version

SLIM = "vgg19-slim"
SHIPPED = SHIPPED_MAGENTA.with_name(f"{SLIM}.npz")


@dataclass(frozen=True)
class Encoder:
    """An encoder's feature maps in order, from edges to things, and what losses look at unless told otherwise.

    `smooth`: whether its features need smoothing. `smallest`: pixels of the shorter side that its last layer needs.
    `application` and `file`: its names in keras.applications and in Keras's downloads.
    """

    name: str
    layers: tuple[str, ...]
    content: tuple[str, ...]
    style: tuple[str, ...]
    smooth: bool = False
    smallest: int = 32
    application: str = ""
    file: str = ""

    def check(self, layers: Sequence[str], field: str) -> None:
        """Raises InvalidOption for a layer that is not one of these."""
        for layer in layers:
            if layer not in self.layers:
                raise InvalidOption(
                    f"{field}: {self.name} has no layer '{layer}'; its layers are {', '.join(self.layers)}.", field
                )


def build(name: str, layers: Sequence[str], *, smooth: bool | None = None, dtype: str = "float32") -> keras.Model:
    """Pictures (N, H, W, 3) RGB in 0..1 -> the features (N, H', W', C) float32 of `layers`, a list.

    Of a single layer Keras gives its features alone, not a list of them.
    `smooth`: left out, what the encoder needs. `dtype`: Keras's policy to compute by, such as "mixed_bfloat16".
    Raises InvalidOption for unknown names, WeightsMissing or WeightsBroken.
    """
    encoder = get(name)
    encoder.check(layers, "layers")
    network = _load(name, dtype)
    picture = keras.Input((None, None, 3), name="picture")
    body = keras.Model(network.inputs, [_output(network, name, layer) for layer in layers])
    features = [ops.cast(f, "float32") for f in _listed(body(_PREPROCESSING[name](picture)))]
    model = keras.Model(picture, features, name=name)
    if encoder.smooth if smooth is None else smooth:
        peaks = [float(ops.max(f)) for f in _listed(model(_clouds(128)))]
        model = keras.Model(picture, [smoothed(f, p) for f, p in zip(model.outputs, peaks, strict=True)], name=name)
    model.trainable = False
    return model


def _listed(features: KerasTensor | list[KerasTensor]) -> list[KerasTensor]:
    return features if isinstance(features, list) else [features]


def get(name: str) -> Encoder:
    if name not in ENCODERS:
        raise InvalidOption(f"encoder must be one of {', '.join(ENCODERS)}, not '{name}'.", "encoder")
    return ENCODERS[name]


def best() -> str:
    """VGG19 where its weights are on this machine, else the one that ships."""
    return "vgg19" if find("vgg19") else SLIM


def find(name: str) -> Path | None:
    """The file of this encoder's weights on this machine, without downloading."""
    return next((path for path in _places(get(name)) if path.is_file()), None)


def smoothed(features: KerasTensor, peak: float) -> KerasTensor:
    """Features whose Gram matrices are not ruled by a few peaks, which residual and dense connections raise.

    Softmax over channels: Wang, Li and Vasconcelos, "Rethinking and Improving the Robustness of Image Style Transfer",
    CVPR 2021. Theirs takes features as they are, which are about as large as 1; of larger ones it would make still
    higher peaks. So here they are scaled by `peak`, about the largest to be expected, and never count for more than 2.
    """
    return ops.softmax(2.0 * ops.tanh(features / max(peak, 1e-6)), axis=-1)


def _clouds(size: int) -> np.ndarray:
    """(2, size, size, 3) in 0..1, always the same: coloured clouds with the spectrum of photos, soft and cut out."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(size, size, 3)), axes=(0, 1))
    clouds = np.fft.ifft2(noise / np.maximum(frequency, 1 / size)[..., None], axes=(0, 1)).real
    soft = np.clip(0.5 + clouds / clouds.std() / 5, 0, 1)
    return np.stack([soft, np.round(soft)]).astype("float32")


# Weights


def _places(encoder: Encoder) -> Iterator[Path]:
    names = [encoder.file, f"{encoder.name}_notop.weights.h5"] if encoder.file else [SHIPPED.name]
    folders = [settings.model_dir(), settings.cache_dir()]
    yield from (folder / name for folder in folders if folder for name in names)
    yield Path.home() / ".keras" / "models" / encoder.file if encoder.file else SHIPPED


_loading = Lock()  # lru_cache alone would let two threads load twice


def _load(name: str, dtype: str) -> keras.Model:
    path = find(name)
    with _loading:
        return _load_version(name, dtype, path, version(path) if path else ())


@lru_cache(maxsize=2)
def _load_version(name: str, dtype: str, path: Path | None, version: tuple[int, ...]) -> keras.Model:
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)  # of this thread: keras.applications have no argument for it
    try:
        return _load_slim(path) if name == SLIM else _load_application(get(name), path)
    finally:
        keras.config.set_dtype_policy(previous)


def _load_application(encoder: Encoder, path: Path | None) -> keras.Model:
    make = getattr(keras.applications, encoder.application)
    if path is None:
        return _download(encoder, make)
    network = make(include_top=False, weights=None)
    try:
        network.load_weights(path)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsBroken(
            f"'{path.name}' is damaged or not {encoder.name}'s weights without their top: delete or replace it.",
            "encoder",
        ) from error
    return network


def _download(encoder: Encoder, make: Callable[..., keras.Model]) -> keras.Model:
    try:
        return make(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception where there is no connection
        raise WeightsMissing(
            f"The weights of {encoder.name} are not on this machine and could not be downloaded: put Keras's file "
            f"{encoder.file} into {settings.model_dir() or settings.cache_dir()}, or choose the encoder {SLIM}, "
            "which needs no download.",
            "encoder",
        ) from error


def _load_slim(path: Path | None) -> keras.Model:
    if path is None:
        raise WeightsMissing(f"{SHIPPED.name}, which ships with the project, is gone: install it again.", "encoder")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        widths = tuple(arrays[f"block{block}_conv1/biases"].size for block in range(1, len(SLIM_BLOCKS) + 1))
        network = build_slim(widths)
        assign_arrays(network, arrays)
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsBroken(
            f"'{path.name}' is damaged, or not the weights of {SLIM}: replace it.", "encoder"
        ) from error
    return network


# Networks


SLIM_BLOCKS = (2, 2, 4, 4, 1)  # convolutions of each block, as in VGG19 up to conv5_1
SLIM_WIDTHS = (16, 32, 80, 160, 256)
SLIM_TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block4_conv2", "block5_conv1")


def build_slim(widths: tuple[int, ...] = SLIM_WIDTHS) -> keras.Model:
    """Pictures (N, H, W, 3) RGB in 0..1 -> features at SLIM_TAPS: those of a narrow VGG19 with average pooling.

    Each is followed by a linear map, a "tap", so that lengths and angles are those in VGG19's own space: see
    training/encoder.py.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x, features = ops.flip(_to_caffe(picture), axis=-1) / 64.0, []
    for block, (count, width) in enumerate(zip(SLIM_BLOCKS, widths, strict=True), 1):
        if block > 1:
            x = keras.layers.AveragePooling2D(2, name=f"block{block - 1}_pool")(x)
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            x = ops.relu(conv(x, name, width, 3, padding="same", bias=True))
            if name in SLIM_TAPS:
                features.append(conv(x, f"{name}/tap", width, 1))
    return keras.Model(picture, features, name=SLIM)


def _output(network: keras.Model, name: str, layer: str) -> KerasTensor:
    if name == SLIM:
        return network.get_layer(f"{layer}.tap").output
    if layer in _INCEPTION_STEM:  # Keras numbers these by how many it has made before
        activations = [found for found in network.layers if isinstance(found, keras.layers.Activation)]
        return activations[_INCEPTION_STEM.index(layer)].output
    return network.get_layer(layer).output


def _to_caffe(picture: KerasTensor) -> KerasTensor:
    return ops.flip(picture, axis=-1) * 255.0 - ops.array((103.939, 116.779, 123.68), dtype="float32")


def _to_signed(picture: KerasTensor) -> KerasTensor:
    return picture * 2.0 - 1.0


def _to_torch(picture: KerasTensor) -> KerasTensor:
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return (picture - ops.array(mean, dtype="float32")) / ops.array(deviation, dtype="float32")


_PREPROCESSING: dict[str, Callable[[KerasTensor], KerasTensor]] = {
    SLIM: lambda picture: picture,
    "vgg19": _to_caffe,
    "vgg16": _to_caffe,
    "inception_v3": _to_signed,
    "xception": _to_signed,
    "densenet121": _to_torch,
    "resnet50": _to_caffe,
    "resnet50v2": _to_signed,
}


# The table


def _vgg(convolutions: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"block{b}_conv{c}" for b, count in enumerate(convolutions, 1) for c in range(1, count + 1))


def _blocks(counts: Sequence[int], ending: str) -> list[list[str]]:
    """Of each stage, the layers of its blocks; stages are named from conv2 on."""
    return [[f"conv{s}_block{b}_{ending}" for b in range(1, n + 1)] for s, n in enumerate(counts, 2)]


def _densenet() -> tuple[str, ...]:
    stages = zip(_blocks((6, 12, 24, 16), "concat"), ("pool2_relu", "pool3_relu", "pool4_relu", "relu"), strict=True)
    return ("conv1_relu", *(layer for blocks, end in stages for layer in (*blocks, end)))


def _xception() -> tuple[str, ...]:
    middle = [f"block{b}_sepconv{c}_act" for b in range(5, 13) for c in (1, 2, 3)]
    first = ["block2_sepconv2_act", *(f"block{b}_sepconv{c}_act" for b in (3, 4) for c in (1, 2))]
    last = [f"block{b}_sepconv{c}_act" for b in (13, 14) for c in (1, 2)]
    return ("block1_conv1_act", "block1_conv2_act", *first, *middle, *last)


_INCEPTION_STEM = tuple(f"stem{i}" for i in range(1, 6))
_VGG_STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))
_RESNET = (3, 4, 6, 3)
_KERNELS = "weights_tf_dim_ordering_tf_kernels_notop.h5"

ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        Encoder(SLIM, SLIM_TAPS, ("block4_conv2",), _VGG_STYLE),
        Encoder(
            "vgg19",
            _vgg((2, 2, 4, 4, 4)),
            ("block4_conv2",),
            _VGG_STYLE,
            application="VGG19",
            file=f"vgg19_{_KERNELS}",
        ),
        Encoder(
            "vgg16",
            _vgg((2, 2, 3, 3, 3)),
            ("block4_conv2",),
            _VGG_STYLE,
            application="VGG16",
            file=f"vgg16_{_KERNELS}",
        ),
        Encoder(
            "inception_v3",
            (*_INCEPTION_STEM, *(f"mixed{i}" for i in range(11))),
            ("mixed3",),
            ("stem1", "stem3", "stem5", "mixed2", "mixed5"),
            smallest=75,
            application="InceptionV3",
            file=f"inception_v3_{_KERNELS}",
        ),
        Encoder(
            "xception",
            _xception(),
            ("block4_sepconv2_act",),
            (
                "block1_conv2_act",
                "block2_sepconv2_act",
                "block3_sepconv2_act",
                "block4_sepconv2_act",
                "block5_sepconv1_act",
            ),
            smooth=True,
            smallest=71,
            application="Xception",
            file=f"xception_{_KERNELS}",
        ),
        Encoder(
            "densenet121",
            _densenet(),
            ("pool3_relu",),
            ("conv1_relu", "conv2_block3_concat", "pool2_relu", "pool3_relu", "pool4_relu"),
            smooth=True,
            application="DenseNet121",
            file=f"densenet121_{_KERNELS}",
        ),
        Encoder(
            "resnet50",
            ("conv1_relu", *chain(*_blocks(_RESNET, "out"))),
            ("conv4_block6_out",),
            ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"),
            smooth=True,
            application="ResNet50",
            file=f"resnet50_{_KERNELS}",
        ),
        Encoder(
            "resnet50v2",
            ("conv1_conv", *chain(*_blocks(_RESNET, "preact_relu")), "post_relu"),
            ("conv4_block6_preact_relu",),
            (
                "conv1_conv",
                "conv2_block3_preact_relu",
                "conv3_block4_preact_relu",
                "conv4_block6_preact_relu",
                "post_relu",
            ),
            smooth=True,
            application="ResNet50V2",
            file=f"resnet50v2_{_KERNELS}",
        ),
    )
}
