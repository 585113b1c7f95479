"""Dead workers are recognised."""

from __future__ import annotations

from app.jobs.liveness import Heartbeat, is_dead


def test_a_worker_shows_that_it_lives():
    sign = Heartbeat()
    assert not is_dead(sign.name)
    sign.end()
    assert is_dead(sign.name)


def test_of_workers_elsewhere_nothing_is_known():
    assert not is_dead("elsewhere-1")
    assert not is_dead("")
