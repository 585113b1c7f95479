"""The optimisation itself, on an encoder small enough for a test; VGG19 with its real weights where they are."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from model.errors import ImageTooLarge
from model.hardware import precision
from model.imaging import pixel_ops
from model.progress import Cancelled, Checkpoint, Step
from model.refinement import encoder_registry, encoders, gatys, losses
from model.refinement.gatys import Objective, active_layers, objective, optimise
from model.refinement.optimizers import TimeBudget
from tests.support.encoders import quick_options

pytestmark = pytest.mark.usefixtures("tiny_encoder")


def refined(photo: np.ndarray, painting: np.ndarray, **values: object) -> np.ndarray:
    return optimise(photo, [painting], [1.0], photo, quick_options(**values)).rgb


def measured(picture: np.ndarray, photo: np.ndarray, painting: np.ndarray, **values: object) -> dict[str, float]:
    options = quick_options(**values)
    compiled = objective(options)
    return compiled.losses_and_gradient(
        tf.constant(picture[None]), compiled.targets(photo, [painting], [1.0]), gatys.loss_weights(options)
    )[0]


@pytest.mark.parametrize("loss", ["relative", "absolute"])
def test_the_loss_is_the_weighted_sum_of_its_parts(photo: np.ndarray, painting: np.ndarray, loss: str):
    style, content = {"block1_conv1": 1.0, "block3_conv1": 0.25}, {"block4_conv2": 0.5}
    found = measured(painting, photo, painting[:48], loss=loss, style_layers=style, content_layers=content)
    features = encoders.build(encoder_registry.SLIM, [*style, *content])
    mine, styles, photos = (features(picture[None]) for picture in (painting, painting[:48], photo))
    error = losses.relative_error if loss == "relative" else losses.squared_error
    grams = [float(error(losses.gram(a), losses.gram(b))[0]) for a, b in zip(mine[:2], styles[:2], strict=True)]
    assert found["style"] == pytest.approx((grams[0] + 0.25 * grams[1]) / 2, rel=1e-4)
    assert found["content"] == pytest.approx(0.5 * float(error(mine[2], photos[2])[0]), rel=1e-4)
    options = quick_options()
    parts = options.content_weight * found["content"] + options.style_weight * found["style"]
    assert found["loss"] == pytest.approx(parts, rel=1e-5)


def test_the_gradient_is_that_of_finite_differences(photo: np.ndarray, painting: np.ndarray):
    options = quick_options(variation_weight=0.1)
    compiled, rng = objective(options), np.random.default_rng(0)
    targets, weights = compiled.targets(photo, [painting], [1.0]), gatys.loss_weights(options)
    picture = np.clip(photo + rng.normal(0, 0.1, photo.shape), 0, 1).astype("float32")
    _, gradient = compiled.losses_and_gradient(tf.constant(picture[None]), targets, weights)
    direction = gradient.numpy() / np.linalg.norm(gradient)
    ahead, behind = (
        compiled.losses_and_gradient(tf.constant(picture[None] + s * direction), targets, weights)[0]
        for s in (0.05, -0.05)
    )
    assert (ahead["loss"] - behind["loss"]) / 0.1 == pytest.approx(np.linalg.norm(gradient), rel=0.02)


def test_no_layers_are_none_and_not_the_usual_ones():
    content, style = active_layers(quick_options(style_layers={}))
    assert (content, style) == ({"block4_conv2": 1.0}, {})


def test_layers_without_weight_do_not_count(photo: np.ndarray, painting: np.ndarray):
    options = quick_options(style_layers="block1_conv1, block5_conv1:0", content_weight=0)
    assert active_layers(options) == ({}, {"block1_conv1": 1.0})
    assert measured(painting, photo, painting, style_layers="block1_conv1, block5_conv1:0", content_weight=0) == {
        "loss": pytest.approx(0, abs=1e-6),
        "content": 0,
        "style": pytest.approx(0, abs=1e-6),
        "variation": pytest.approx(losses_of_variation(painting), rel=1e-4),
    }


def losses_of_variation(picture: np.ndarray) -> float:
    return float(losses.total_variation(picture[None])[0]) / picture.size


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_an_optimisation_lowers_the_loss(photo: np.ndarray, painting: np.ndarray, optimizer: str):
    result = optimise(photo, [painting], [1.0], photo, quick_options(optimizer=optimizer, steps=30))
    assert result.rgb.shape == photo.shape
    assert result.rgb.dtype == np.float32
    assert 0 <= result.rgb.min() <= result.rgb.max() <= 1
    assert (result.ended, result.notes, result.precision) == ("steps", [], "float32")
    before, after = (measured(p, photo, painting)["loss"] for p in (photo, result.rgb))
    assert after < 0.6 * before


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_again_is_the_same_picture(photo: np.ndarray, painting: np.ndarray, optimizer: str):
    assert np.array_equal(*(refined(photo, painting, optimizer=optimizer) for _ in range(2)))


def trace_counts(compiled: Objective) -> list[int]:
    """Return how often the functions of its features and of its losses were traced."""
    functions = compiled._traced_features, compiled._traced_losses_and_gradient
    return [function.experimental_get_tracing_count() for function in functions]


def test_only_the_first_run_of_an_encoder_is_traced(photo: np.ndarray, painting: np.ndarray):
    compiled = objective(quick_options())
    refined(photo, painting, scales=3)
    assert trace_counts(compiled) == [1, 1]
    refined(photo[:80], painting[:, :100], scales=2, style_weight=3, style_scale=2, content_layers="block4_conv2:0.3")
    assert objective(quick_options()) is compiled
    assert trace_counts(compiled) == [1, 1]


def test_several_styles_have_their_shares(photo: np.ndarray, painting: np.ndarray):
    compiled, turned = objective(quick_options()), np.ascontiguousarray(painting[::-1, :, ::-1] ** 2)
    one, two, both = (
        compiled.targets(photo, styles, shares).grams
        for styles, shares in (([painting], [1.0]), ([turned], [1.0]), ([painting, turned], [0.75, 0.25]))
    )
    assert all(np.allclose(b, 0.75 * o + 0.25 * t, rtol=1e-5) for o, t, b in zip(one, two, both, strict=True))


def test_what_is_told_of_each_step(photo: np.ndarray, painting: np.ndarray):
    steps: list[Step] = []
    result = optimise(photo, [painting], [1.0], photo, quick_options(), steps.append)
    begin, *steps = steps
    assert (begin.step, begin.losses, begin.preview.rgb is photo) == (0, {}, True)
    assert [step.step for step in steps] == list(range(1, 13))
    assert {step.steps for step in steps} == {12}
    assert all(step.seconds_left is not None and step.seconds_left >= 0 for step in steps)
    assert steps[-1].seconds_left == 0
    assert all(step.losses.keys() == {"loss", "content", "style", "variation"} for step in steps)
    assert steps[0].preview.rgb.shape == (68, 91, 3)
    assert np.array_equal(steps[-1].preview.rgb, result.rgb)


@pytest.mark.parametrize("stop_at", [0, 1, 9])
def test_cancelling_keeps_the_best_so_far(photo: np.ndarray, painting: np.ndarray, stop_at: int):
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        if step.step == stop_at:
            raise Cancelled

    result = optimise(photo, [painting], [1.0], photo, quick_options(), stop)
    assert len(steps) == stop_at + 1
    assert result.ended == "stopped"
    assert result.rgb.shape == photo.shape
    blurred = pixel_ops.resize(result.rgb, steps[-1].preview.rgb.shape[:2])
    assert np.abs(blurred - steps[-1].preview.rgb).mean() < 0.02


def interrupted(photo: np.ndarray, painting: np.ndarray, after: int, **values: object) -> Checkpoint:
    """A run that ended after so many steps."""
    kept: list[Step] = []

    def on_step(step: Step) -> None:
        kept.append(step)
        if step.step == after:
            raise Cancelled

    optimise(photo, [painting], [1.0], photo, quick_options(**values), on_step)
    return Checkpoint(kept[-1].preview.rgb, after, seconds=2.0)


@pytest.mark.parametrize("after", [0, 3, 7, 10])
def test_an_interrupted_run_goes_on(photo: np.ndarray, painting: np.ndarray, after: int):
    steps: list[Step] = []
    checkpoint = interrupted(photo, painting, after)
    resumed = optimise(photo, [painting], [1.0], photo, quick_options(), steps.append, checkpoint)
    assert [step.step for step in steps] == list(range(after, 13))
    assert resumed.ended == "steps"
    assert resumed.rgb.shape == photo.shape
    end, once = (measured(picture, photo, painting)["loss"] for picture in (resumed.rgb, refined(photo, painting)))
    assert end < 1.5 * once


def test_going_on_at_the_very_end_spoils_nothing(photo: np.ndarray, painting: np.ndarray):
    values = {"steps": 60, "scales": 1, "average": 0.9}
    good = interrupted(photo, painting, 59, **values)
    resumed = optimise(photo, [painting], [1.0], photo, quick_options(**values), resume=good)
    before, after = (measured(rgb, photo, painting)["loss"] for rgb in (good.picture, resumed.rgb))
    assert after < 1.15 * before


def test_a_run_that_was_done_is_done(photo: np.ndarray, painting: np.ndarray):
    steps: list[Step] = []
    resumed = optimise(photo, [painting], [1.0], photo, quick_options(), steps.append, Checkpoint(painting, 12))
    assert [step.step for step in steps] == [12]
    assert np.array_equal(resumed.rgb, painting)


def test_time_before_an_interruption_counts(photo: np.ndarray, painting: np.ndarray):
    steps: list[Step] = []
    options = quick_options(seconds=100.0, scales=1)
    result = optimise(photo, [painting], [1.0], photo, options, steps.append, Checkpoint(photo, 2, seconds=100.0))
    assert [step.step for step in steps] == [2, 3]
    assert result.ended == "time"


def test_a_budget_of_time_is_kept_on_all_scales(photo: np.ndarray, painting: np.ndarray, monkeypatch):
    """Here every look at the clock takes a tenth of a second."""
    now = iter(np.arange(0, 1000, 0.1))
    monkeypatch.setattr(TimeBudget, "_elapsed", lambda clock: float(next(now)))
    steps: list[Step] = []
    result = optimise(photo, [painting], [1.0], photo, quick_options(steps=1000, scales=3, seconds=10), steps.append)
    assert result.ended == "time"
    assert {step.preview.rgb.shape[0] for step in steps} == {48, 68, 96}
    assert len(steps) < 100
    assert steps[-1].seconds_left < 0.5


def test_it_ends_early_where_the_loss_no_longer_falls(photo: np.ndarray, painting: np.ndarray):
    steps: list[Step] = []
    settled = optimise(photo, [painting], [1.0], photo, quick_options(steps=400, rate=1e-7, patience=5), steps.append)
    assert settled.ended == "settled"
    assert len(steps) == 1 + 20  # the start, and twice the patience on each scale


def test_losses_that_are_no_numbers_are_told(photo: np.ndarray, painting: np.ndarray, monkeypatch):
    real, calls = Objective.losses_and_gradient, []

    def at(self, *args):
        calls.append(1)
        found, gradient = real(self, *args)
        return (found | {"loss": math.nan}, gradient) if len(calls) == 4 else (found, gradient)

    monkeypatch.setattr(Objective, "losses_and_gradient", at)
    result = optimise(photo, [painting], [1.0], photo, quick_options(rate=0.02))
    assert result.notes == ["The losses were no finite numbers any more, so the rate was lowered to 0.01."]
    assert np.isfinite(result.rgb).all()


@pytest.mark.parametrize("fits", [(48, 64), (0, 0)])
def test_a_gpu_s_memory_that_does_not_do(photo: np.ndarray, painting: np.ndarray, monkeypatch, fits: tuple[int, int]):
    real = Objective.losses_and_gradient

    def at(self, picture, *args):
        if picture.shape[1] > fits[0]:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return real(self, picture, *args)

    monkeypatch.setattr(Objective, "losses_and_gradient", at)
    if fits == (0, 0):
        with pytest.raises(ImageTooLarge, match="Refining 64 x 48 pixels does not fit into memory"):
            refined(photo, painting, scales=3)
    else:
        result = optimise(photo, [painting], [1.0], photo, quick_options(scales=3))
        assert result.ended == "memory"
        assert result.notes == ["There was no memory for 91 x 68 pixels: it was refined up to 64 x 48."]
        assert result.rgb.shape == photo.shape


def test_coarse_scales_leave_the_start_its_details(photo: np.ndarray, painting: np.ndarray):
    """At a rate that moves nothing, the start comes back sharp."""
    result = refined(photo, painting, scales=3, rate=1e-7)
    assert np.abs(result - photo).max() < 0.01


def test_bfloat16_sees_what_float32_sees(photo: np.ndarray, painting: np.ndarray):
    options = quick_options()
    found, gradients = [], []
    for dtype in ("float32", "mixed_bfloat16"):
        compiled = objective(options, dtype)
        targets = compiled.targets(photo, [painting], [1.0])
        losses_, gradient = compiled.losses_and_gradient(tf.constant(photo[None]), targets, gatys.loss_weights(options))
        found.append(losses_)
        gradients.append(gradient.numpy().ravel())
    assert found[1] == {name: pytest.approx(loss, rel=0.05, abs=1e-3) for name, loss in found[0].items()}
    assert np.corrcoef(*gradients)[0, 1] > 0.98


def test_an_optimisation_in_bfloat16_comes_to_the_same(photo: np.ndarray, painting: np.ndarray, monkeypatch):
    plain = refined(photo, painting, steps=30)
    monkeypatch.setattr(precision, "choose_policy", lambda encoder, trial: "mixed_bfloat16")
    mixed = optimise(photo, [painting], [1.0], photo, quick_options(steps=30))
    assert mixed.precision == "mixed_bfloat16"
    one, two = (measured(p, photo, painting)["loss"] for p in (plain, mixed.rgb))
    assert two == pytest.approx(one, rel=0.1)


@pytest.mark.usefixtures("fresh_choice")
def test_the_trial_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    assert precision.choose_policy("x", lambda dtype: gatys._trial_step(quick_options(), dtype)) in (
        "float32",
        "mixed_bfloat16",
    )


def test_vgg19_refines_with_its_real_weights(shared: Path, photo: np.ndarray, painting: np.ndarray, monkeypatch):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(shared / "weights"))
    options = {"encoder": "vgg19", "steps": 10, "rate": 0.05}
    result = refined(photo, painting, **options)
    before, after = (measured(p, photo, painting, **options)["style"] for p in (photo, result))
    assert after < 0.6 * before
    assert ops.shape(result) == photo.shape
