"""The objectives of training: what they measure, and by which weights it counts."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from model.finetuning.objectives import UNITS_PER_DEVIATION, AbsoluteObjective, RelativeObjective, StyleObjective
from model.finetuning.perceptual_losses import Judge
from model.refinement.encoders import build_slim
from tests.support.arrays import noise

PAINTING, PHOTO = noise(64, 64, 3, seed=1), noise(64, 64, 3, seed=2)


@pytest.fixture(scope="module")
def judge() -> Judge:
    keras.utils.set_random_seed(0)
    slim = build_slim((4, 6, 8, 8, 8))
    *styles, content, last = slim.outputs
    return Judge(keras.Model(slim.inputs, [*styles, last, content]))


def relative(judge: Judge, *weights: float) -> RelativeObjective:
    return RelativeObjective(judge, [PAINTING], noise(3, 64, 64, 3, seed=3), *weights)


def absolute(judge: Judge, *weights: float) -> AbsoluteObjective:
    return AbsoluteObjective(judge, [PAINTING], *weights)


@pytest.mark.parametrize("objective", [relative, absolute])
def test_the_painting_has_no_error_of_style_and_the_photo_none_of_content(
    judge: Judge, objective: Callable[..., StyleObjective]
):
    errors = objective(judge, 1.0, 1.0)
    _, of_painting, moved = errors(PAINTING[None], PHOTO[None])
    _, missed, of_photo = errors(PHOTO[None], PHOTO[None])
    assert float(of_painting) == pytest.approx(0, abs=1e-9)
    assert float(of_photo) == pytest.approx(0, abs=1e-9)
    assert float(missed) > 0
    assert float(moved) > 0


@pytest.mark.parametrize("objective", [relative, absolute])
def test_weights_count(judge: Judge, objective: Callable[..., StyleObjective]):
    pastiche = 0.5 * (PAINTING + PHOTO)[None]
    losses = {w: float(objective(judge, *w)(pastiche, PHOTO[None])[0]) for w in ((1, 0), (0, 1), (2, 3))}
    assert losses[2, 3] == pytest.approx(2 * losses[1, 0] + 3 * losses[0, 1], rel=1e-4)


def test_a_style_counts_as_a_share_of_what_the_untrained_network_errs(judge: Judge):
    untrained = noise(1, 64, 64, 3, seed=3)
    loss, style, _ = RelativeObjective(judge, [PAINTING], untrained, 2.0, 0.0)(untrained, PHOTO[None])
    assert float(loss) == pytest.approx(2.0, rel=1e-3)
    assert float(style) > 0


def test_absolute_errors_are_those_of_the_paper(judge: Judge):
    errors = AbsoluteObjective(judge, [PAINTING], 1.0, 1.0)
    _, style, content = errors(PHOTO[None], PAINTING[None])
    maps = [
        [ops.convert_to_numpy(m) / UNITS_PER_DEVIATION for m in judge.encoder([picture[None]])]
        for picture in (PHOTO, PAINTING)
    ]
    assert float(content) == pytest.approx(np.square(maps[0][-1] - maps[1][-1]).mean(), rel=1e-3)
    grams = [[np.einsum("nhwi,nhwj->ij", m, m) / m.size for m in picture[:-1]] for picture in maps]
    assert float(style) == pytest.approx(sum(np.square(a - b).mean() for a, b in zip(*grams, strict=True)), rel=1e-3)
