"""VGG19 as the judge of style and content (Simonyan and Zisserman 2015; weights trained on ImageNet)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import ops

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))  # relu1_1 ... relu5_1
CONTENT_LAYER = "block4_conv2"
MEAN_BGR = (103.939, 116.779, 123.68)


def vgg19(weights: Path | str, layers: tuple[str, ...]) -> keras.Model:
    """Pictures (N, H, W, 3) RGB in 0..1 -> the feature maps of `layers` after their ReLU.

    `weights`: a .weights.h5 file without the top, or "imagenet" to let Keras download its own.
    """
    keras_weights = weights if str(weights) == "imagenet" else None
    network = keras.applications.VGG19(include_top=False, weights=keras_weights)
    if keras_weights is None:
        network.load_weights(weights)
    network.trainable = False
    features = keras.Model(network.inputs, [network.get_layer(name).output for name in layers])
    picture = keras.Input((None, None, 3))
    bgr = ops.flip(picture, axis=-1) * 255.0 - ops.array(MEAN_BGR, dtype="float32")
    return keras.Model(picture, features(bgr), name="vgg19")
