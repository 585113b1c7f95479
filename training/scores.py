"""What makes a pastiche good, in numbers: of style, of content, and of what should not be seen."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops
from scipy.ndimage import uniform_filter
from skimage.metrics import structural_similarity

from model.finetuning.perceptual_losses import LUMA
from model.refinement.losses import gram, relative_error
from training import vgg, vgg16

SMOOTHED, FLAT = 15, 0.15  # pixels; share of a photo that counts as flat


@dataclass(frozen=True)
class Score:
    """Lower is better, but for SSIM to the photo."""

    style: float
    content: float
    flat: float
    style16: float
    lpips: float
    ssim: float


class VGG19Judge(keras.Model):
    """Gram matrices of the style layers, and the content layer's features."""

    def __init__(self, weights: str, dtype: str = "float32") -> None:
        super().__init__()
        self.network = vgg.vgg19(weights, (*vgg.STYLE_LAYERS, vgg.CONTENT_LAYER), dtype=dtype)

    def call(self, pictures: KerasTensor) -> list[KerasTensor]:
        *styles, content = (ops.cast(features, "float32") for features in self.network(pictures))
        return [*map(gram, styles), content]


class VGG16Judge(keras.Model):
    """Gram matrices of the style layers, and the features that LPIPS compares."""

    def __init__(self, path: Path, dtype: str = "float32") -> None:
        super().__init__()
        arrays = vgg16.read_vgg16(path)
        self.linear = [arrays[f"lpips/lin{index}"] for index in range(len(vgg16.LPIPS_LAYERS))]
        self.network = vgg16.vgg16(arrays, (*vgg16.STYLE_LAYERS, *vgg16.LPIPS_LAYERS), dtype)

    def call(self, pictures: KerasTensor) -> list[KerasTensor]:
        features = [ops.cast(features, "float32") for features in self.network(pictures)]
        count = len(vgg16.STYLE_LAYERS)
        return [*map(gram, features[:count]), *features[count:]]


class Pair:
    """A photo and a painting (H, W, 3), as both judges see them: what pastiches of the two are scored against."""

    def __init__(self, judges: tuple[VGG19Judge, VGG16Judge], photo: np.ndarray, painting: np.ndarray) -> None:
        self.judges, self.photo = judges, photo
        self.photo_maps, self.painting_maps = (
            [judge.predict_on_batch(picture[None]) for judge in judges] for picture in (photo, painting)
        )
        self.flat = flat_regions(photo)

    def score(self, pastiche: np.ndarray) -> Score:
        maps, maps16 = (judge.predict_on_batch(pastiche[None]) for judge in self.judges)
        return Score(
            style_loss(maps[:-1], self.painting_maps[0][:-1]),
            float(relative_error(maps[-1], self.photo_maps[0][-1])[0]),
            float(gradient_length(pastiche)[self.flat].mean()),
            style_loss(maps16[: len(vgg16.STYLE_LAYERS)], self.painting_maps[1][: len(vgg16.STYLE_LAYERS)]),
            self._lpips(maps16),
            float(structural_similarity(pastiche, self.photo, channel_axis=2, data_range=1.0)),
        )

    def _lpips(self, maps: list[np.ndarray]) -> float:
        some, others = (rows[len(vgg16.STYLE_LAYERS) :] for rows in (maps, self.photo_maps[1]))
        return float(vgg16.lpips(some, others, self.judges[1].linear)[0])


def style_loss(grams: list[np.ndarray], targets: list[np.ndarray]) -> float:
    """Average the relative errors of Gram matrices (1, C, C) over layers."""
    return float(np.mean([relative_error(g, target)[0] for g, target in zip(grams, targets, strict=True)]))


def gradient_length(picture: np.ndarray) -> np.ndarray:
    """Measure how steep the luma of (H, W, 3) is towards the right and the bottom, (H - 1, W - 1)."""
    luma = picture @ np.array(LUMA, "float32")
    return np.hypot(np.diff(luma, axis=1)[:-1], np.diff(luma, axis=0)[:, :-1])


def flat_regions(photo: np.ndarray) -> np.ndarray:
    """Mark where the smoothed gradient of a photo is in its lowest FLAT: skies, walls, mist."""
    steepness = uniform_filter(gradient_length(photo), SMOOTHED)
    return steepness <= np.quantile(steepness, FLAT)


def table(scores: dict[str, list[Score]]) -> str:
    """Write each row's means over the pairs as Markdown."""
    titles = ("style", "content", "energy in flat regions", "style (VGG16)", "LPIPS", "SSIM to the photo")
    lines = [f"| | {' | '.join(titles)} |", "|---" * (1 + len(titles)) + "|"]
    for name, row in scores.items():
        means = {field.name: np.mean([getattr(score, field.name) for score in row]) for field in fields(Score)}
        numbers = (f"{mean:.4f}" if field == "flat" else f"{mean:.3f}" for field, mean in means.items())
        lines.append(f"| {name} | {' | '.join(numbers)} |")
    return "\n".join(lines)
