"""Budgets, rates, averages, and that a run that was stopped ends as one that was not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.training_runs import Mean, rows
from training.average import WeightAverage
from training.session import LONGEST, WARM_UP, Budget, Session, learning_rate, run

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def draw(step: int) -> tuple[np.ndarray]:
    return (np.random.default_rng(step).random((2, 1), dtype="float32"),)


def session(folder: Path) -> Session:
    task = Mean()
    task(draw(0))
    task.compile(keras.optimizers.Adam(0.1), jit_compile=False)
    return Session(task, WeightAverage(task.trainable_variables, 0.9), folder)


def trained(folder: Path, steps: int, report: Callable[[], None] = lambda: None) -> Session:
    one = session(folder)
    run(one, draw, Budget(steps, None), (0.1, 0.001), report, 0)
    return one


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path):
    def stop() -> None:
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        trained(tmp_path / "stopped", 6, stop)
    resumed, whole = trained(tmp_path / "stopped", 6), trained(tmp_path / "whole", 6)
    logs = [[row["loss"] for row in rows(tmp_path / name)] for name in ("stopped", "whole")]
    assert len(logs[0]) == 6
    assert logs[0] == logs[1]
    assert resumed.average.arrays[0] == pytest.approx(whole.average.arrays[0])
    assert not list(tmp_path.rglob("partial*"))


def test_the_time_already_spent_counts(tmp_path: Path):
    first = trained(tmp_path, 2)
    first.seconds = 1e6
    first.save()
    again = session(tmp_path)
    run(again, draw, Budget(None, 1e6), (0.1, 0.001), lambda: None, 0)
    assert again.step == 2


def test_the_hours_of_a_suspended_process_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock = count(step=3600)
    monkeypatch.setattr("training.session.monotonic", lambda: float(next(clock)))
    assert trained(tmp_path, 2).seconds == 2 * LONGEST


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


def test_an_average_forgets_the_beginning_and_is_put_in_place_for_a_while():
    number = keras.Variable(100.0)
    average = WeightAverage([number], 0.999)
    number.assign(1.0)
    for step in range(1, 200):
        average.update(step)
    assert average.arrays[0] == pytest.approx(1.0, abs=0.01)
    number.assign(5.0)
    with average.in_place():
        assert float(number.value) == pytest.approx(1.0, abs=0.01)
    assert float(number.value) == 5.0
