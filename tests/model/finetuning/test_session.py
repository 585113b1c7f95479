"""Budgets, rates, and that a run that was stopped ends as one that was not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import pytest

from model.finetuning.session import LONGEST, WARM_UP, Budget, Diverged, Session, TrainingLosses, learning_rate, run
from model.finetuning.weight_average import WeightAverage
from tests.support.training_runs import Mean

OnLosses: TypeAlias = Callable[[TrainingLosses, float], None]

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def draw(step: int) -> tuple[np.ndarray]:
    return (np.random.default_rng(step).random((2, 1), dtype="float32"),)


def session(path: Path) -> Session:
    task = Mean()
    task(draw(0))
    task.compile(keras.optimizers.Adam(0.1), jit_compile=False)
    return Session(task, WeightAverage(task.trainable_variables, 0.9), path)


def ignore(losses: TrainingLosses, progress: float) -> None:
    pass


def trained(path: Path, steps: int, on_step: OnLosses = ignore) -> Session:
    one = session(path)
    run(one, draw, Budget(steps, None), 0.1, on_step)
    return one


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path):
    stopped, losses = session(tmp_path / "stopped.npz"), []

    def stop_after_three(step: TrainingLosses, progress: float) -> None:
        losses.append(step["loss"])
        if stopped.step == 3:
            stopped.save()
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        run(stopped, draw, Budget(6, None), 0.1, stop_after_three)
    resumed = trained(tmp_path / "stopped.npz", 6, lambda step, progress: losses.append(step["loss"]))
    expected: list[float] = []
    whole = trained(tmp_path / "whole.npz", 6, lambda step, progress: expected.append(step["loss"]))
    assert losses == expected
    assert resumed.average.arrays[0] == pytest.approx(whole.average.arrays[0])
    assert not list(tmp_path.glob("*partial*"))


def test_the_time_already_spent_counts(tmp_path: Path):
    first = trained(tmp_path / "state.npz", 2)
    first.seconds = 1e6
    first.save()
    again = session(tmp_path / "state.npz")
    run(again, draw, Budget(None, 1e6), 0.1, ignore)
    assert again.step == 2


def test_a_loss_that_is_no_number_ends_the_run_before_the_average_has_it(tmp_path: Path):
    one = session(tmp_path / "state.npz")
    with pytest.raises(Diverged):
        run(one, lambda step: (np.full((2, 1), np.inf, "float32"),), Budget(3, None), 0.1, ignore)
    assert one.step == 0
    assert np.isfinite(one.average.arrays[0]).all()


def test_the_hours_of_a_suspended_process_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock = count(step=3600)
    monkeypatch.setattr("model.finetuning.session.monotonic", lambda: float(next(clock)))
    assert trained(tmp_path / "state.npz", 2).seconds == 2 * LONGEST


def test_whichever_budget_is_nearer_to_its_end_counts():
    assert Budget(100, 50.0).progress(10, 20.0) == 0.4
    assert Budget(100, None).progress(10, 20.0) == 0.1
    assert Budget(None, 50.0).progress(10, 100.0) == 1.0


def test_the_rate_rises_then_falls_to_the_last():
    rates = [learning_rate(step / 1000, step, 1e-3, 1e-5) for step in range(1001)]
    assert rates[0] < 1e-4
    assert max(rates) == pytest.approx(1e-3, rel=0.01)
    assert rates.index(max(rates)) == WARM_UP - 1
    assert rates[1000] == pytest.approx(1e-5)
