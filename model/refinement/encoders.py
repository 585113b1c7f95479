"""The encoders: networks trained to recognise things, whose feature maps describe style and content of a picture.

Each takes RGB in 0..1 and does its own preprocessing. Seven come from keras.applications; their weights are looked for
in the folder named by STYLE_MODEL_DIR, in the cache, and among Keras's downloads, and else downloaded by Keras.
`vgg19-slim` ships with the project.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

import keras
import numpy as np
from keras import KerasTensor, ops

from model import settings
from model.errors import WeightsBroken, WeightsMissing
from model.networks.layers import assign_arrays, conv, dtype_policy, layer_name
from model.refinement.encoder_registry import (
    ENCODERS,
    INCEPTION_STEM,
    SHIPPED_SLIM,
    SLIM,
    SLIM_BLOCKS,
    SLIM_TAPS,
    SLIM_WIDTHS,
    Encoder,
    find,
    get,
)
from model.weights.checksums import file_version
from model.weights.npz import dequantise


def build(name: str, layers: Sequence[str], *, smooth: bool | None = None, dtype: str = "float32") -> keras.Model:
    """Build the model of pictures (N, H, W, 3) RGB in 0..1 that gives the features (N, H', W', C) float32 of `layers`.

    It gives a list of features, but of a single layer Keras gives its features alone.
    `smooth`: by default what the encoder needs. `dtype`: Keras's policy to compute by, such as "mixed_bfloat16".
    Raises InvalidOption for unknown names, WeightsMissing or WeightsBroken.
    """
    encoder = get(name)
    encoder.check(layers, "layers")
    network = _load(name, dtype)
    picture = keras.Input((None, None, 3), name="picture")
    body = keras.Model(network.inputs, [_layer_output(network, name, layer) for layer in layers])
    features = [ops.cast(f, "float32") for f in _as_list(body(_PREPROCESSING[name](picture)))]
    model = keras.Model(picture, features, name=name)
    if encoder.smooth if smooth is None else smooth:
        peaks = [float(ops.max(f)) for f in _as_list(model(_cloud_pictures(128)))]
        model = keras.Model(
            picture, [smooth_features(f, p) for f, p in zip(model.outputs, peaks, strict=True)], name=name
        )
    model.trainable = False
    return model


def _as_list(features: KerasTensor | list[KerasTensor]) -> list[KerasTensor]:
    return features if isinstance(features, list) else [features]


def smooth_features(features: KerasTensor, peak: float) -> KerasTensor:
    """Flatten the peaks that residual and dense connections raise, and that would rule the Gram matrices.

    This is the softmax over channels of Wang, Li and Vasconcelos, "Rethinking and Improving the Robustness of Image
    Style Transfer", CVPR 2021. Theirs takes features as they are, about as large as 1; of larger ones it would make
    still higher peaks. So here they are scaled by `peak`, about the largest to be expected, and limited to 2.
    """
    return ops.softmax(2.0 * ops.tanh(features / max(peak, 1e-6)), axis=-1)


def _cloud_pictures(size: int) -> np.ndarray:
    """Return (2, size, size, 3) in 0..1: coloured clouds with the spectrum of photos, soft and thresholded."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(size, size, 3)), axes=(0, 1))
    clouds = np.fft.ifft2(noise / np.maximum(frequency, 1 / size)[..., None], axes=(0, 1)).real
    soft = np.clip(0.5 + clouds / clouds.std() / 5, 0, 1)
    return np.stack([soft, np.round(soft)]).astype("float32")


# lru_cache alone would let two threads load twice; a lock for each, so that a download holds up one encoder only.
_load_locks = {name: Lock() for name in ENCODERS}


def _load(name: str, dtype: str) -> keras.Model:
    path = find(name)
    with _load_locks[name]:
        return _load_version(name, dtype, path, file_version(path) if path else ())


@lru_cache(maxsize=2)
def _load_version(name: str, dtype: str, path: Path | None, version: tuple[int, ...]) -> keras.Model:
    with dtype_policy(dtype):  # keras.applications have no argument for it
        return _load_slim(path) if name == SLIM else _load_application(get(name), path)


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
        raise WeightsMissing(
            f"{SHIPPED_SLIM.name}, which ships with the project, is gone: install it again.", "encoder"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dequantise({name: file[name] for name in file.files})
        widths = tuple(arrays[f"block{block}_conv1/biases"].size for block in range(1, len(SLIM_BLOCKS) + 1))
        network = build_slim(widths)
        assign_arrays(network, arrays)
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsBroken(
            f"'{path.name}' is damaged, or not the weights of {SLIM}: replace it.", "encoder"
        ) from error
    return network


def build_slim(widths: tuple[int, ...] = SLIM_WIDTHS) -> keras.Model:
    """Build a narrow VGG19 with average pooling: pictures (N, H, W, 3) RGB in 0..1 to features at SLIM_TAPS.

    Each feature map passes a linear map, a "tap", so that lengths and angles are those in VGG19's own space: see
    training/encoder.py.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x, features = ops.flip(_caffe_preprocessing(picture), axis=-1) / 64.0, []
    for block, (count, width) in enumerate(zip(SLIM_BLOCKS, widths, strict=True), 1):
        if block > 1:
            x = keras.layers.AveragePooling2D(2, name=f"block{block - 1}_pool")(x)
        for index in range(1, count + 1):
            name = f"block{block}_conv{index}"
            x = ops.relu(conv(x, name, width, 3, padding="same", bias=True))
            if name in SLIM_TAPS:
                features.append(conv(x, f"{name}/tap", width, 1))
    return keras.Model(picture, features, name=SLIM)


def _layer_output(network: keras.Model, name: str, layer: str) -> KerasTensor:
    if name == SLIM:
        return network.get_layer(layer_name(f"{layer}/tap")).output
    if layer in INCEPTION_STEM:  # Keras numbers their names by how many it has made before
        activations = [each for each in network.layers if isinstance(each, keras.layers.Activation)]
        return activations[INCEPTION_STEM.index(layer)].output
    return network.get_layer(layer).output


def _caffe_preprocessing(picture: KerasTensor) -> KerasTensor:
    return ops.flip(picture, axis=-1) * 255.0 - ops.array((103.939, 116.779, 123.68), dtype="float32")


def _signed_preprocessing(picture: KerasTensor) -> KerasTensor:
    return picture * 2.0 - 1.0


def _torch_preprocessing(picture: KerasTensor) -> KerasTensor:
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return (picture - ops.array(mean, dtype="float32")) / ops.array(deviation, dtype="float32")


_PREPROCESSING: dict[str, Callable[[KerasTensor], KerasTensor]] = {
    SLIM: lambda picture: picture,
    "vgg19": _caffe_preprocessing,
    "vgg16": _caffe_preprocessing,
    "inception_v3": _signed_preprocessing,
    "xception": _signed_preprocessing,
    "densenet121": _torch_preprocessing,
    "resnet50": _caffe_preprocessing,
    "resnet50v2": _signed_preprocessing,
}
