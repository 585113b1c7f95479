"""What a network of one style is trained for: its objective tells how far pastiches are from it.

`RelativeObjective` measures everything as a share of its target and is the default. `AbsoluteObjective` is that of
Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from keras import KerasTensor, ops

from model.finetuning.perceptual_losses import HALF_WEIGHT, Judge, halved, style_error
from model.refinement.losses import relative_error, squared_error

# Johnson's weights are for features of pictures in units of ImageNet's standard deviation, in PyTorch's example, too;
# the encoders here have Caffe's, which take 0..255.
UNITS_PER_DEVIATION = 255 * 0.226


class StyleObjective(Protocol):
    """Returns the loss of pastiches of photos, both (N, H, W, 3) in 0..1, and in it the errors of style and content."""

    def __call__(self, pastiches: KerasTensor, photos: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]: ...


class RelativeObjective:
    """Errors as shares: of features of the photo's own, of style of what the network errs before it is trained.

    judge: gives the features of `LAYERS`. styles: pictures (H, W, 3) in 0..1, whose Gram matrices are averaged.
    untrained: pastiches (N, H, W, 3) of the network before its training.
    """

    LAYERS = (*(f"block{block}_conv1" for block in range(1, 6)), "block4_conv2")  # relu1_1 ... relu5_1, relu4_2

    def __init__(
        self, judge: Judge, styles: Sequence[np.ndarray], untrained: np.ndarray, style: float, content: float
    ) -> None:
        self.judge, self.content_weight = judge, content
        self.targets = _mean_grams(judge, styles)
        self.half_targets = _mean_grams(judge, [halved(picture) for picture in styles])
        self.style_weight = style / self._mean_style_error(untrained)

    def __call__(self, pastiches: KerasTensor, photos: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        *grams, features = self.judge(pastiches)
        *half_grams, _ = self.judge(ops.average_pool(pastiches, 2))
        *_, wanted = self.judge(photos)
        style = self._style_error(grams, half_grams)
        content = ops.mean(relative_error(features, wanted))
        return self.style_weight * style + self.content_weight * content, style, content

    def _style_error(self, grams: list[KerasTensor], half_grams: list[KerasTensor]) -> KerasTensor:
        whole, half = style_error(grams, self.targets), style_error(half_grams, self.half_targets)
        return ops.mean(whole + HALF_WEIGHT * half) / (1 + HALF_WEIGHT)

    def _mean_style_error(self, pictures: np.ndarray) -> float:
        halves = np.stack([halved(picture) for picture in pictures])
        grams, half_grams = (
            [self.judge.predict_on_batch(picture[None])[:-1] for picture in batch] for batch in (pictures, halves)
        )
        errors = [self._style_error(*pair) for pair in zip(grams, half_grams, strict=True)]
        return float(np.mean([ops.convert_to_numpy(error) for error in errors]))


class AbsoluteObjective:
    """Mean squared errors of features, and of Gram matrices over channels and positions.

    The features are as large as in PyTorch's example of the paper, so that its weights suit.
    """

    LAYERS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block3_conv3")  # relu1_2 ..., relu3_3

    def __init__(self, judge: Judge, styles: Sequence[np.ndarray], style: float, content: float) -> None:
        self.judge, self.style_weight, self.content_weight = judge, style, content
        self.targets = _mean_grams(judge, styles)

    def __call__(self, pastiches: KerasTensor, photos: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        *grams, features = self.judge(pastiches)
        *_, wanted = self.judge(photos)
        style = sum(_gram_error(g, target) for g, target in zip(grams, self.targets, strict=True))
        content = ops.mean(squared_error(features, wanted)) / UNITS_PER_DEVIATION**2
        return self.style_weight * style + self.content_weight * content, style, content


def _gram_error(gram: KerasTensor, target: KerasTensor) -> KerasTensor:
    scale = gram.shape[-1] * UNITS_PER_DEVIATION**2
    return ops.mean(squared_error(gram / scale, target / scale))


def _mean_grams(judge: Judge, styles: Sequence[np.ndarray]) -> list[KerasTensor]:
    rows = [judge.predict_on_batch(style[None])[:-1] for style in styles]
    return [ops.convert_to_tensor(np.mean(layer, axis=0)) for layer in zip(*rows, strict=True)]
