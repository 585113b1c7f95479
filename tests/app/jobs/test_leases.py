"""A lease ends when its worker was silent for so long, whatever any machine's clock says."""

from __future__ import annotations

import time

import pytest

from app.jobs.leases import LeaseWatch
from tests.support.jobs import ANN, attempt_output, is_never_dead


@pytest.fixture
def running(jobs, order, worker):
    jobs.submit(ANN, order())
    return worker().claim()


@pytest.fixture
def watch(jobs, clock) -> LeaseWatch:
    return LeaseWatch(jobs.lease, clock)


def test_a_silent_job_is_told_once_the_lease_has_passed(watch, clock, jobs, running):
    for _ in range(5):
        assert watch.expired([running]) == []
        clock.pass_seconds(jobs.lease / 4)
    assert watch.expired([running]) == [running]


def test_a_renewed_lease_begins_anew(watch, clock, jobs, running, worker):
    for _ in range(20):
        assert watch.expired([jobs.get(running.id)]) == []
        clock.pass_seconds(jobs.lease / 4)
        worker().renew([running.id])


def test_while_nobody_could_look_nobody_was_silent(watch, clock, running):
    assert watch.expired([running]) == []
    clock.pass_seconds(3600)
    assert watch.expired([running]) == []


def test_another_attempt_at_a_job_is_not_blamed_for_the_first(watch, clock, jobs, running, worker):
    for _ in range(4):
        watch.expired([running])
        clock.pass_seconds(jobs.lease / 4)
    worker().give_back(running)
    again = worker("another").claim()
    assert watch.expired([again]) == []


@pytest.mark.parametrize("minutes", [-10, 10])
def test_workers_whose_clocks_differ_by_minutes_take_nothing_from_each_other(
    jobs, order, worker, clock, monkeypatch, minutes
):
    here = time.time
    jobs.submit(ANN, order())
    skewed, right = worker("skewed"), worker("right")
    monkeypatch.setattr(time, "time", lambda: here() + 60 * minutes)
    job = skewed.claim()
    for _ in range(20):
        monkeypatch.setattr(time, "time", lambda: here() + 60 * minutes)
        skewed.renew([job.id])
        monkeypatch.setattr(time, "time", here)
        assert right.requeue_abandoned(is_never_dead) == 0
        clock.pass_seconds(jobs.lease / 4)
    assert skewed.finish(job, attempt_output())
    done = jobs.get(job.id)
    assert (done.state, done.attempts) == ("done", 1)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_of_any_clock_that_died_loses_its_job(jobs, order, worker, lapse, monkeypatch, minutes):
    here = time.time
    jobs.submit(ANN, order())
    monkeypatch.setattr(time, "time", lambda: here() + 60 * minutes)
    worker("skewed").claim()
    monkeypatch.setattr(time, "time", here)
    assert lapse(worker("right")) == 1
