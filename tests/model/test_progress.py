"""A pastiche in steps: the same picture, told of on the way, and stopped when that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model import StylizeOptions, stylize
from model.inference import magenta
from model.pipelines import stylization
from model.progress import Cancelled, Step
from tests.support.tiny_weights import TINY

LARGE = StylizeOptions(size=600)


@pytest.fixture(autouse=True)
def small_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a picture that is painted at once has a preview, too."""
    monkeypatch.setattr(stylization, "PREVIEW_SIDE", 384)


def test_steps_change_nothing(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    whole = stylize(photo, [painting], LARGE, tiny)
    steps: list[Step] = []
    stepwise = stylize(photo, [painting], LARGE, tiny, steps.append)
    assert np.array_equal(whole.picture.rgb, stepwise.picture.rgb)
    assert (whole.recipe, stepwise.complete) == (stepwise.recipe, True)


def test_what_is_told_on_the_way(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    steps: list[Step] = []
    stylize(photo, [painting], LARGE, tiny, steps.append)
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    assert {step.steps for step in steps} == {6}
    assert all(step.seconds_left is not None and step.seconds_left >= 0 for step in steps)
    assert steps[-1].seconds_left == 0
    first, *others = [step.preview for step in steps]
    assert first is not None
    assert first.rgb.shape == (288, 384, 3)
    assert others == [None] * 5


def test_the_preview_has_the_photos_alpha(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    alpha = np.zeros((*photo.shape[:2], 1), "float32")
    steps: list[Step] = []
    stylize(np.dstack([photo, alpha]), [painting], LARGE, tiny, steps.append)
    assert steps[0].preview.alpha.shape == (288, 384)
    assert steps[0].preview.alpha.max() == 0


@pytest.mark.parametrize("stop_at", [1, 3])
def test_cancelling_keeps_the_best_so_far(photo: np.ndarray, painting: np.ndarray, tiny: Path, stop_at: int):
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        if step.step == stop_at:
            raise Cancelled

    pastiche = stylize(photo, [painting], LARGE, tiny, stop)
    assert len(steps) == stop_at
    assert not pastiche.complete
    assert np.array_equal(pastiche.picture.rgb, steps[0].preview.rgb)
    assert (pastiche.recipe["width"], pastiche.recipe["height"]) == (384, 288)
    assert pastiche.notes == ["It was stopped early: this is the small picture that was painted first."]


def test_what_is_as_large_as_it_was_to_be_is_not_called_small(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    def stop(step: Step) -> None:
        raise Cancelled

    pastiche = stylize(photo, [painting], StylizeOptions(size=200), tiny, stop)
    assert (pastiche.complete, pastiche.notes) == (False, [])


def test_another_error_in_the_callback_is_not_swallowed(photo: np.ndarray, painting: np.ndarray, tiny: Path):
    def fail(step: Step) -> None:
        raise LookupError(step.step)

    with pytest.raises(LookupError):
        stylize(photo, [painting], None, tiny, fail)


def test_a_render_that_is_told_of_is_the_same(photo: np.ndarray, tiny: Path):
    network = magenta.load(tiny)
    vector = np.zeros(TINY.vector_size, "float32")
    for height in (40, 64, 96):
        content = photo[:height]
        staged = network.render(content, vector, lambda done, stages: None)
        assert np.array_equal(network.render(content, vector), staged)
