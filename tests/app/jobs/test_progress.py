"""What a job's row is told of each step."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from app.jobs.progress import MAX_LOSS_ROWS, append_losses
from model.progress import Step


def told(step: int, loss: float = 0.5) -> Step:
    return Step(step, 10_000, losses={"loss": loss, "content": 0.1, "style": 0.2, "variation": 0.3})


def curve(steps) -> list[list[float]]:
    rows: list[list[float]] = []
    for step in steps:
        rows = append_losses(rows, told(step))
    return rows


def test_a_row_has_six_digits_of_each_loss():
    assert append_losses([], told(1, 0.123456789)) == [[1, 0.123457, 0.1, 0.2, 0.3]]


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101, 102, 1000, 9999])
def test_a_curve_has_its_first_and_last_step_and_even_distances(steps):
    rows = [row[0] for row in curve(range(1, steps + 1))]
    assert (rows[0], rows[-1]) == (1, steps)
    assert min(steps, MAX_LOSS_ROWS / 2) <= len(rows) <= MAX_LOSS_ROWS
    assert len({after - before for before, after in pairwise(rows[:-1])}) <= 1


def test_what_is_done_again_takes_the_place_of_what_was_told():
    rows = [row[0] for row in curve([*range(1, 60), *range(40, 301)])]
    assert (rows[0], rows[-1]) == (1, 300)
    assert rows == sorted(set(rows))


def test_steps_that_were_left_out_leave_a_gap_only():
    rows = [row[0] for row in curve([*range(1, 40), *range(70, 401)])]
    assert (rows[0], rows[-1]) == (1, 400)
    assert MAX_LOSS_ROWS / 2 <= len(rows) <= MAX_LOSS_ROWS


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_what_is_no_number_is_left_out(loss):
    rows = curve([1, 2])
    assert append_losses(rows, told(3, loss)) == rows
