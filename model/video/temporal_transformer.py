"""The transformer for clips: its normalisations use moments averaged over the frames before.

The transformer divides every feature map by its standard deviation over the frame. Whatever comes into the frame
changes that everywhere, and with it colours and strokes where nothing has changed; a running average changes slowly.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tensorflow as tf

from model.hardware import memory
from model.hardware.device import device
from model.inference.magenta import Magenta, pad_to_min_side
from model.networks.architecture import normalised_channels
from model.networks.layers import assign_arrays
from model.networks.transformer import build_temporal_transformer


class TemporalTransformer:
    """Paints frames in sequence. `moments`, (1, 2, C) float32, is its whole state; None before the first frame."""

    def __init__(self, network: Magenta, vector: np.ndarray, moments: np.ndarray | None = None) -> None:
        self.moments = moments
        self._vector = np.asarray(vector, dtype="float32")[None]
        self._zero_moments = np.zeros((1, 2, normalised_channels(network.architecture)), "float32")
        self._process = _compile_transformer(network)

    def render(self, content: np.ndarray, share: float) -> np.ndarray:
        """Render as Magenta.render does, with a share, 0..1, of the moments so far."""
        height, width = content.shape[:2]
        padded = pad_to_min_side(content).astype("float32", copy=False)
        memory.check_fits(height, width)
        former, share = (self._zero_moments, 0.0) if self.moments is None else (self.moments, share)
        inputs = padded[None], self._vector, former, np.array([[share]], "float32")
        try:
            with tf.device(device()):
                batch, moments = self._process(*map(tf.constant, inputs))
        except tf.errors.ResourceExhaustedError as error:
            raise memory.too_large_error(f"A clip of {width} x {height} pixels does not fit into memory") from error
        self.moments = moments.numpy()
        pastiche: np.ndarray = batch[0, :height, :width].numpy()
        return pastiche


@lru_cache(maxsize=2)
def _compile_transformer(network: Magenta) -> tf.types.experimental.PolymorphicFunction:
    with tf.device(device()):
        transformer = build_temporal_transformer(network.architecture)
        assign_arrays(transformer, network.arrays)
    shapes = [(1, *tensor.shape[1:]) for tensor in transformer.inputs]
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    return tf.function(lambda *inputs: transformer(list(inputs), training=False), signature, autograph=False)
