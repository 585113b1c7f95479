"""Fine-tunes the transformer to one style, beginning as the arbitrary network at the style's own vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops

from model.finetuning.objectives import StyleObjective
from model.finetuning.perceptual_losses import flat_steepness, windows
from model.refinement.losses import total_variation

WINDOW = 256  # pixels, the side of what is judged
JITTER = 8  # pixels by which a crop is larger
LOSSES = ("style", "content", "noise", "flat", "variation")


class RegulariserWeights(NamedTuple):
    """How much it counts what grain in a photo changes, steepness where a photo is flat, and total variation."""

    noise: float
    flat: float
    variation: float


class StyleTrainer(keras.Model):  # type: ignore[misc]
    """A transformer with the loss of one style. Inputs: see `crops.Crops.draw`.

    vector: the style's own, held fixed.
    """

    def __init__(
        self, transformer: keras.Model, vector: np.ndarray, objective: StyleObjective, weights: RegulariserWeights
    ) -> None:
        super().__init__()
        self.transformer, self.objective, self.regulariser_weights = transformer, objective, weights
        self.vector = ops.convert_to_tensor(vector[None], "float32")
        self.means = [keras.metrics.Mean(name) for name in LOSSES]

    def call(self, inputs: Sequence[KerasTensor], training: bool | None = None) -> list[KerasTensor]:
        """Paint the crops, and the first one's noisy copy."""
        contents, noisy, _ = inputs
        pictures = ops.concatenate([contents, noisy])
        vectors = ops.repeat(self.vector, pictures.shape[0], axis=0)
        pastiches = ops.cast(self.transformer([pictures, vectors]), "float32")
        return [pastiches[:-1], pastiches[-1:]]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # type: ignore[no-untyped-def]
        contents, _, offsets = x
        pastiches, noisy = y_pred
        judged, photos = windows(pastiches, offsets, WINDOW), windows(contents, offsets, WINDOW)
        loss, style, content = self.objective(judged, photos)
        regularisers = RegulariserWeights(
            ops.mean(ops.abs(pastiches[:1] - noisy)),
            flat_steepness(judged, photos),
            ops.mean(total_variation(judged)) / WINDOW**2,
        )
        for mean, value in zip(self.means, (style, content, *regularisers), strict=True):
            mean.update_state(value)
        return loss + sum(w * value for w, value in zip(self.regulariser_weights, regularisers, strict=True))
