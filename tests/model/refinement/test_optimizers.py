"""The optimisers on a loss whose minimum is known: the distance to a picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from model.options import OptimizerName
from model.refinement import optimizers
from model.refinement.optimizers import (
    MAX_RATE_HALVINGS,
    NOT_FINITE_NOTE,
    OPTIMIZERS,
    Adam,
    ExponentialMovingAverage,
    LossAndGradient,
    LossValues,
    PlateauDetector,
    StopOptimisation,
    TimeBudget,
    _adam_step,
)

START, GOAL = np.full((1, 6, 8, 3), 0.5, "float32"), np.random.default_rng(0).random((1, 6, 8, 3), "float32")


def at(picture: tf.Tensor) -> tuple[LossValues, tf.Tensor]:
    return {"loss": float(tf.reduce_sum((picture - GOAL) ** 2))}, 2 * (picture - GOAL)


def failing(fails: Callable[[int, tf.Tensor], bool], value: float = math.nan) -> LossAndGradient:
    """As `at`, with no numbers in the gradient where `fails` (call, picture) says so."""
    calls = 0

    def evaluate(picture: tf.Tensor) -> tuple[LossValues, tf.Tensor]:
        nonlocal calls
        calls += 1
        found, gradient = at(picture)
        return (found, gradient * value) if fails(calls, picture) else (found, gradient)

    return evaluate


class Reports(list[tuple[np.ndarray, LossValues]]):
    def __call__(self, picture: tf.Tensor, losses: LossValues) -> None:
        self.append((picture.numpy(), losses))


@pytest.mark.parametrize(("name", "steps", "near"), [("adam", 200, 0.01), ("lbfgs", 20, 1e-4)])
def test_a_descent_arrives(name: str, steps: int, near: float):
    reports, descent = Reports(), OPTIMIZERS[name](0.05)
    descent.run(at, tf.constant(START), steps, reports)
    assert np.abs(reports[-1][0] - GOAL).max() < near
    assert len(reports) <= steps
    assert descent.notes == []


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pictures_stay_within_their_range(name: str):
    reports = Reports()
    OPTIMIZERS[name](0.2).run(
        lambda p: ({"loss": float(tf.reduce_sum(p))}, tf.ones_like(p)), tf.constant(START), 20, reports
    )
    assert reports[-1][0].dtype == np.float32
    assert all(0 <= picture.min() <= picture.max() <= 1 for picture, _ in reports)
    assert reports[-1][0].max() == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_report_may_end_it(name: str):
    def once(picture: tf.Tensor, losses: LossValues) -> None:
        raise StopOptimisation

    with pytest.raises(StopOptimisation):
        OPTIMIZERS[name](0.05).run(at, tf.constant(START), 20, once)


def test_adam_s_first_step_is_its_rate_against_the_gradient():
    reports = Reports()
    Adam(0.05).run(at, tf.constant(START), 1, reports)
    assert np.allclose(reports[0][0], START - 0.05 * np.sign(START - GOAL), atol=1e-5)
    assert reports[0][1] == at(tf.constant(START))[0]


def test_adam_goes_on_at_another_size():
    adam, reports = Adam(0.05), Reports()
    adam.run(at, tf.constant(START), 30, reports)
    moments = [moment.numpy() for moment in adam._moments]
    larger = tf.image.resize(GOAL, (9, 12))
    adam.run(
        lambda p: ({"loss": float(tf.reduce_sum((p - larger) ** 2))}, 2 * (p - larger)),
        tf.image.resize(reports[-1][0], (9, 12)),
        1,
        reports,
    )
    assert reports[-1][0].shape == (1, 9, 12, 3)
    grown = tf.image.resize(moments[1], (9, 12)).numpy()
    assert np.allclose(adam._moments[1], grown, atol=0.05 * grown.max())
    assert adam._steps == 31


def test_adam_is_compiled_once_for_all_sizes():
    assert _adam_step.experimental_get_tracing_count() <= 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_lowers_the_rate(value: float):
    reports, adam = Reports(), Adam(0.08)
    adam.run(failing(lambda call, _: call == 10, value), tf.constant(START), 150, reports)
    assert adam.rate == 0.04
    assert adam.notes == ["The losses were no finite numbers any more, so the rate was lowered to 0.04."]
    assert all(np.isfinite(picture).all() for picture, _ in reports)
    assert np.abs(reports[-1][0] - GOAL).max() < 0.05


def test_a_loss_that_is_no_number_lowers_the_rate():
    calls: list[int] = []

    def evaluate(picture: tf.Tensor) -> tuple[LossValues, tf.Tensor]:
        calls.append(1)
        found, gradient = at(picture)
        return ({"loss": math.nan} if len(calls) == 3 else found), gradient

    adam = Adam(0.08)
    adam.run(evaluate, tf.constant(START), 10, Reports())
    assert adam.rate == 0.04


def test_adam_gives_up_where_smaller_steps_do_not_help():
    reports, adam = Reports(), Adam(0.08)
    adam.run(failing(lambda _, p: bool(tf.reduce_any(p != START))), tf.constant(START), 1000, reports)
    assert len(adam.notes) == MAX_RATE_HALVINGS + 1
    assert adam.notes[-1] == NOT_FINITE_NOTE


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_start_without_numbers_is_given_up_at_once(name: str):
    reports, descent = Reports(), OPTIMIZERS[name](0.08)
    descent.run(failing(lambda *_: True), tf.constant(START), 1000, reports)
    assert (reports, descent.notes) == ([], [NOT_FINITE_NOTE])


def test_lbfgs_keeps_what_it_had_when_numbers_end():
    reports, descent = Reports(), OPTIMIZERS["lbfgs"](0.05)
    descent.run(failing(lambda call, _: call > 2), tf.constant(START), 20, reports)
    assert len(reports) == 1
    assert descent.notes == [NOT_FINITE_NOTE]


def test_the_average_forgets_its_start():
    average = ExponentialMovingAverage(0.5)
    results = [float(average.add(tf.constant(value))) for value in (0.25, 0.25, 1.0)]
    assert results == pytest.approx([0.25, 0.25, 19 / 28])
    last = ExponentialMovingAverage(0.0)
    assert [float(last.add(tf.constant(value))) for value in (0.25, 1.0)] == [0.25, 1.0]


@pytest.mark.parametrize("decay", [0.7, 0.9, 0.99])
def test_rounding_carries_no_average_of_colours_beyond_them(decay: float):
    average = ExponentialMovingAverage(decay)
    assert max(float(average.add(tf.constant(1.0))) for _ in range(60)) <= 1


@pytest.mark.parametrize(
    ("losses", "settled"),
    [
        ([1.0] * 9, False),
        ([1.0] * 10, True),
        (np.linspace(2, 1, 10), False),
        (np.linspace(1, 2, 10), True),
        ([2.0] * 10 + list(np.linspace(2, 1, 10)), False),
    ],
)
def test_a_loss_that_no_longer_falls(losses: list[float], settled: bool):
    watch = PlateauDetector(5)
    assert [watch.has_plateaued(float(loss)) for loss in losses][-1] == settled


def test_without_patience_nothing_ever_settles():
    watch = PlateauDetector(0)
    assert not any(watch.has_plateaued(1.0) for _ in range(10))


def test_the_clock(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    clock = SimpleNamespace(perf_counter=lambda: now)
    monkeypatch.setattr(optimizers, "time", clock)  # not the clock of the whole process
    free, bounded = TimeBudget(None), TimeBudget(10)
    now = 104.0
    assert not free.is_spent(1e-9)
    assert (bounded.is_spent(0.4), bounded.is_spent(0.5)) == (True, False)
    assert free.seconds_left(0.25) == bounded.seconds_left(0.5) + 8 == 12
    assert bounded.seconds_left(0.1) == 6


def test_each_choice_of_the_option_is_an_optimizer():
    assert tuple(OPTIMIZERS) == get_args(OptimizerName)
