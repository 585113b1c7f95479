"""How precisely to train: in bfloat16 where a short trial on this machine says that it pays, else in float32."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from model.hardware import precision
from model.networks.layers import dtype_policy


def fastest_policy() -> str:
    """Choose "mixed_bfloat16" or "float32" by the time that a convolution like the judge's takes here."""
    return precision.choose_policy("training", _trial)


def _trial(policy: str) -> Callable[[], object]:
    with dtype_policy(policy):
        layer = keras.Sequential([keras.layers.Conv2D(128, 3, padding="same")])
    features = np.ones((1, 128, 128, 128), "float32")
    return lambda: layer.predict_on_batch(features)
