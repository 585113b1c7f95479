"""Imported networks as they run: a photo to a pastiche in one pass, always as a whole.

Their instance normalisations take means over the picture after every layer, and no seamless pieces come of that here.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tensorflow as tf

from model.hardware import memory
from model.hardware.device import device
from model.inference.magenta import check_keras, pad_to_min_side
from model.networks.johnson import build_johnson
from model.networks.layers import assign_arrays
from model.progress import OnStage
from model.weights.johnson_files import JohnsonNetwork

JOHNSON_BYTES_PER_PIXEL = 1000  # 890 at one to four million pixels, and 13 % more
COMPILED_CACHE_SIZE = 8  # networks; seven megabytes each


def render(network: JohnsonNetwork, content: np.ndarray, on_stage: OnStage | None = None) -> np.ndarray:
    """Return the pastiche (H, W, 3) float32 in 0..1 of (H, W, 3) in 0..1; `on_stage` as in `Magenta.render`."""
    height, width = content.shape[:2]
    report = on_stage or (lambda done, stages: None)
    memory.check_fits(height, width, JOHNSON_BYTES_PER_PIXEL)
    report(0, 1)
    try:
        with tf.device(device()):
            batch = _compile(network)(tf.constant(pad_to_min_side(content)[None], tf.float32))
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise memory.too_large_error(f"A result of {width} x {height} pixels does not fit into memory") from error
    report(1, 1)
    pastiche: np.ndarray = batch[0, :height, :width].numpy()
    return pastiche


def flat_color(network: JohnsonNetwork) -> np.ndarray:
    """Return the colour (3,) float32 in 0..1 that a photo of one colour becomes, as `Magenta.flat_color` does."""
    arrays = network.arrays
    kernel = arrays["deconv3/conv2d/weights"].sum((0, 1))
    colour = np.maximum(arrays["in5/beta"], 0) @ kernel + arrays["deconv3/conv2d/biases"]
    clipped: np.ndarray = np.clip(colour / 255, 0, 1).astype("float32")
    return clipped


@lru_cache(COMPILED_CACHE_SIZE)
def _compile(network: JohnsonNetwork) -> tf.types.experimental.PolymorphicFunction:
    check_keras()
    with tf.device(device()):
        model = build_johnson(network.architecture)
        assign_arrays(model, network.arrays)
    signature = [tf.TensorSpec((1, None, None, 3), tf.float32)]
    return tf.function(lambda content: model(content, training=False), signature, autograph=False)
