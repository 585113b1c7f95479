"""What a refinement's stream of events tells, how often, and until when."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from app.api import events
from app.jobs.attempts import Attempts
from app.jobs.order import Order, OrderStyle
from app.jobs.queue import Job
from model.options import RefineOptions
from model.progress import Step

OWNER = "a" * 32


@pytest.fixture
def attempts(app) -> Attempts:
    return Attempts(app.extensions["jobs"], app.extensions["library"], "worker")


@pytest.fixture
def running(app, attempts, photo_png) -> Job:
    """A refinement that anybody may watch."""
    library, jobs = app.extensions["library"], app.extensions["jobs"]
    content, options = library.put_picture(OWNER, photo_png), RefineOptions(encoder="vgg16")
    style = OrderStyle(name="itself", picture=content)
    order = Order(content=content, content_name="photo", styles=[style], method="gatys", options=options)
    jobs.submit(OWNER, order, open=True)
    return attempts.claim()


def watched(client, job: Job):
    return closing(client.get(f"/api/v1/jobs/{job.id}/events", buffered=False))


def next_of(response) -> dict:
    for block in response.response:
        if b"event: job\n" in block:
            return json.loads(block.partition(b"data: ")[2])
    raise AssertionError("the stream has ended")


def advance(attempts: Attempts, job: Job, step: int) -> None:
    rows = [[float(each), 0.4, 0.3, 0.2, 0.1] for each in range(1, step + 1)]
    assert attempts.report_progress(job, Step(step, 80), None, rows)


def test_losses_come_now_and_then(client, attempts, running, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(events.time, "monotonic", lambda: now)
    advance(attempts, running, 1)
    with watched(client, running) as response:
        assert len(next_of(response)["losses"]) == 1
        advance(attempts, running, 2)
        told = next_of(response)
        assert (told["step"], "losses" in told) == (2, False)
        now += 2.5
        advance(attempts, running, 3)
        assert len(next_of(response)["losses"]) == 3
        advance(attempts, running, 4)
        assert "losses" not in next_of(response)


def test_a_stream_ends_with_a_pause_and_all_losses(app, client, attempts, running):
    advance(attempts, running, 1)
    with watched(client, running) as response:
        next_of(response)
        advance(attempts, running, 2)
        app.extensions["jobs"].pause(running.id)
        attempts.give_back(running)
        told = next_of(response)
        assert (told["state"], len(told["losses"])) == ("paused", 2)
        assert list(response.response) == []
    with watched(client, running) as response:
        assert next_of(response)["state"] == "paused"
        assert list(response.response) == []
