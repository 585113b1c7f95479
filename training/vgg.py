"""VGG19 as the judge of style and content (Simonyan and Zisserman 2015; weights trained on ImageNet)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import keras
from keras import KerasTensor, ops

from model.networks.layers import dtype_policy

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))  # relu1_1 ... relu5_1
CONTENT_LAYER = "block4_conv2"
MEAN_BGR = (103.939, 116.779, 123.68)

Pooling = Literal["max", "average"]


def vgg19(
    weights: Path | str, layers: tuple[str, ...], pooling: Pooling = "max", dtype: str = "float32"
) -> keras.Model:
    """Build the network from pictures (N, H, W, 3) RGB in 0..1 to the feature maps of `layers` after their ReLU.

    `weights`: a .weights.h5 file without the top, or "imagenet" to let Keras download its own. Average pooling in place
    of the published maximum: Gatys, Ecker and Bethge 2016, section 2.
    """
    keras_weights = weights if str(weights) == "imagenet" else None
    with dtype_policy(dtype):
        network = keras.applications.VGG19(include_top=False, weights=keras_weights)
    if keras_weights is None:
        network.load_weights(weights)
    network.trainable = False
    picture = keras.Input((None, None, 3))
    bgr = ops.flip(picture, axis=-1) * 255.0 - ops.array(MEAN_BGR, dtype="float32")
    if pooling == "max":
        features = keras.Model(network.inputs, [network.get_layer(name).output for name in layers])(bgr)
    else:
        features = _average_pooled(network, layers, bgr)
    return keras.Model(picture, features, name="vgg19")


def _average_pooled(network: keras.Model, layers: tuple[str, ...], x: KerasTensor) -> list[KerasTensor]:
    maps: dict[str, KerasTensor] = {}
    for layer in network.layers[1:]:
        x = ops.average_pool(x, 2) if layer.name.endswith("pool") else layer(x)
        maps[layer.name] = x
    return [maps[name] for name in layers]
