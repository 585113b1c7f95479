"""Fine-tunes the transformer to one style, beginning as the arbitrary network at the style's own vector."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import KerasTensor, ops

from model.finetuning.perceptual_losses import Judge, halved, style_error, style_term, windows
from model.refinement.losses import relative_error

WINDOW = 256  # pixels, the side of what is judged
JITTER = 8  # pixels by which a crop is larger
LOSSES = ("style", "half", "content", "noise")


class StyleTrainer(keras.Model):  # type: ignore[misc]
    """A transformer with the losses of one style. Inputs: see `crops.Crops.draw`.

    vector: the style's own, held fixed. styles: pictures (H, W, 3) in 0..1, whose Gram matrices are averaged.
    """

    def __init__(
        self,
        transformer: keras.Model,
        vector: np.ndarray,
        judge: Judge,
        styles: Sequence[np.ndarray],
        content_weight: float,
        noise_weight: float,
    ) -> None:
        super().__init__()
        self.transformer, self.judge = transformer, judge
        self.content_weight, self.noise_weight = content_weight, noise_weight
        self.vector = ops.convert_to_tensor(vector[None], "float32")
        self.targets = _mean_grams(judge, styles)
        self.half_targets = _mean_grams(judge, [halved(style) for style in styles])
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
        judged = windows(pastiches, offsets, WINDOW)
        *grams, features = self.judge(judged)
        *half_grams, _ = self.judge(ops.average_pool(judged, 2))
        *_, wanted = self.judge(windows(contents, offsets, WINDOW))
        style, half = style_error(grams, self.targets), style_error(half_grams, self.half_targets)
        content, noise = relative_error(features, wanted), ops.mean(ops.abs(pastiches[:1] - noisy))
        for mean, value in zip(self.means, (style, half, content, noise), strict=True):
            mean.update_state(value)
        return style_term(style, half) + self.content_weight * ops.mean(content) + self.noise_weight * noise


def _mean_grams(judge: Judge, styles: Sequence[np.ndarray]) -> list[KerasTensor]:
    rows = [judge.predict_on_batch(style[None])[:-1] for style in styles]
    return [ops.convert_to_tensor(np.mean(layer, axis=0)) for layer in zip(*rows, strict=True)]
