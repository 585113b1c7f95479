"""Gram matrices of the paintings, worked out once: memory-mapped on disk, in float16, one triangle of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops

from model.refinement.losses import gram


class Grams(keras.Model):
    """The Gram matrices (N, C, C), float32, of each layer that `vgg` looks at."""

    def __init__(self, vgg: keras.Model) -> None:
        super().__init__()
        self.vgg = vgg

    def call(self, pictures: KerasTensor) -> list[KerasTensor]:
        return [gram(ops.cast(features, "float32")) for features in self.vgg(pictures)]


def triangle(grams: list[np.ndarray]) -> np.ndarray:
    """Flatten the upper triangles of symmetric matrices (C, C), one after another."""
    return np.concatenate([matrix[np.triu_indices(len(matrix))] for matrix in grams])


def squares(rows: KerasTensor, widths: Sequence[int]) -> list[KerasTensor]:
    """Unfold rows (N, L) that begin with triangles into matrices (N, C, C), float32, of `widths` channels."""
    ends = np.cumsum([0, *(width * (width + 1) // 2 for width in widths)])
    return [
        ops.cast(ops.take(rows[:, begin:end], _places(width), axis=1), "float32")
        for begin, end, width in zip(ends, ends[1:], widths, strict=False)
    ]


def _places(width: int) -> np.ndarray:
    """Tell where each entry of a matrix (C, C) lies in its flat triangle."""
    places = np.zeros((width, width), "int32")
    places[np.triu_indices(width)] = np.arange(width * (width + 1) // 2)
    return np.maximum(places, places.T)


def gram_row(judge: Grams, picture: np.ndarray) -> np.ndarray:
    """Describe a picture (H, W, 3): triangles of its Gram matrices, each of norm 1, then the logarithms of the norms.

    Without the division the deep layers' would overflow float16.
    """
    grams = [batch[0] for batch in judge.predict_on_batch(picture[None])]
    norms = [np.linalg.norm(g) for g in grams]
    return np.append(triangle([g / norm for g, norm in zip(grams, norms, strict=True)]), np.log(norms))


class LazyRows:
    """Rows of numbers in float16, memory-mapped from a file: each is worked out when it is first asked for."""

    def __init__(self, path: Path, count: int, compute: Callable[[int], np.ndarray]) -> None:
        self.compute = compute
        if path.exists():
            self.rows = np.lib.format.open_memmap(path, "r+")
        else:
            self.rows = np.lib.format.open_memmap(path, "w+", "float16", (count, *compute(0).shape))

    def __getitem__(self, index: int) -> np.ndarray:
        if not self.rows[index].flat[-1]:  # a norm's logarithm, written last: a row that was cut short is made anew
            self.rows[index] = self.compute(index)
        return self.rows[index]
