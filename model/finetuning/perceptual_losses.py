"""What a network is trained for: the perceptual losses of Johnson et al. (ECCV 2016), each relative to its target.

Two things keep a network's own patterns out of its pictures. A window at a random offset is judged, so that the judge's
pooling does not always meet the transformer's strides at one phase; and the picture is judged at half its size, too,
where a judge sees what is wider than its field.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from model.refinement.losses import gram, relative_error

LAYER_WEIGHTS = (0.5, 0.75, 1.0, 1.25, 1.5)  # of the style layers, from edges to things
HALF_WEIGHT = 0.5  # of the style at half the size
LUMA = (0.299, 0.587, 0.114)  # of RGB, ITU-R BT.601
FLAT_WINDOW, FLAT_STEEPNESS = 15, 0.01  # pixels over which a photo's steepness is averaged; what counts half as flat


class Judge(keras.Model):  # type: ignore[misc]
    """An encoder's features for losses: Gram matrices (N, C, C) of the style layers, then the content layer's maps.

    `encoder`: a model that gives the features of the style layers and then of the content layer.
    """

    def __init__(self, encoder: keras.Model) -> None:
        super().__init__()
        self.encoder = encoder
        self.trainable = False

    def call(self, pictures: KerasTensor) -> list[KerasTensor]:
        *styles, content = self.encoder(pictures)
        return [*map(gram, styles), content]


def style_error(grams: Sequence[KerasTensor], targets: Sequence[KerasTensor]) -> KerasTensor:
    """Return relative errors of Gram matrices, weighted means over the style layers, (N,)."""
    pairs = zip(LAYER_WEIGHTS, grams, targets, strict=True)
    return sum(weight * relative_error(g, target) for weight, g, target in pairs) / sum(LAYER_WEIGHTS)


def steepness(pictures: KerasTensor) -> KerasTensor:
    """Return how steep the luma of (N, H, W, 3) is towards the right and the bottom, (N, H - 1, W - 1, 1)."""
    luma = ops.sum(pictures * ops.convert_to_tensor(LUMA, "float32"), axis=-1, keepdims=True)
    right, down = luma[:, :-1, 1:] - luma[:, :-1, :-1], luma[:, 1:, :-1] - luma[:, :-1, :-1]
    return ops.sqrt(ops.square(right) + ops.square(down) + 1e-8)


def flat_steepness(pastiches: KerasTensor, contents: KerasTensor) -> KerasTensor:
    """Return how steep pastiches (N, H, W, 3) are where their photos are flat: skies, walls, mist."""
    smooth = ops.average_pool(steepness(contents), FLAT_WINDOW, strides=1, padding="same")
    return ops.mean(steepness(pastiches) / (1 + ops.square(smooth / FLAT_STEEPNESS)))


def windows(pictures: KerasTensor, offsets: KerasTensor, side: int) -> KerasTensor:
    """Cut (N, side, side, 3) out of `pictures`, each at its offset (N, 2) from the top and the left."""
    corners = ops.pad(offsets, [[0, 0], [0, 1]])
    cut = [ops.slice(pictures[i], corners[i], (side, side, 3)) for i in range(pictures.shape[0])]
    return ops.stack(cut)


def halved(picture: np.ndarray) -> np.ndarray:
    """Average each 2 x 2 pixels of (H, W, 3); an odd row or column is left out."""
    height, width = (side // 2 for side in picture.shape[:2])
    mean: np.ndarray = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean((1, 3))
    return mean
