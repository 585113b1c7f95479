"""The worker's threads, on SQLite and on Redis and PostgreSQL: whatever is accepted is painted, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from flask import Flask

from app import parts
from app.jobs import Job, Jobs
from app.library import Library
from app.orders import Order, OrderStyle
from app.settings import Settings
from app.tables import JobRow
from app.worker import Worker
from model import images, transfer
from model.errors import BrokenImage, WeightsMissing
from model.images import Picture
from model.options import StylizeOptions
from model.progress import Cancelled, Step
from model.transfer import Pastiche
from tests.app.answers import NEGATIVE

if TYPE_CHECKING:
    from tests.services import Services

ANN = "a" * 32
PATIENCE = 20  # seconds, of a test


class Studio:
    """One process's parts of the service, as `parts` puts them together."""

    def __init__(self, services: Services, folder: Path, **settings: object) -> None:
        urls = {"database_url": services.database_url, "queue_url": services.queue_url}
        made = parts(Settings(data_dir=folder, **(urls | settings)))
        self.library: Library = made["library"]
        self.jobs: Jobs = made["jobs"]
        self.worker: Worker = made["worker"]

    def submit(self, photo: bytes) -> Job:
        content = self.library.put_picture(ANN, photo)
        style = OrderStyle(name="itself", picture=content)
        order = Order(content=content, content_name="photo", styles=[style], options=StylizeOptions())
        return self.jobs.submit(ANN, order)

    def until(self, job: Job, good: Callable[[Job], object]) -> Job:
        deadline = time.monotonic() + PATIENCE
        while not good(now := self.jobs.get(job.id)):
            assert time.monotonic() < deadline, now
            time.sleep(0.02)
        return now

    def settled(self, job: Job) -> Job:
        return self.until(job, lambda now: now.ended)


@pytest.fixture
def studio(stand_in, services: Services, tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    made = []

    def build(**settings: object) -> Studio:
        made.append(Studio(services, tmp_path / "data", **settings))
        return made[-1]

    yield build
    for each in made:
        each.worker.stop()
        each.library.close()


@pytest.fixture
def slow(monkeypatch) -> threading.Event:
    """A painter who waits at the first of two steps until the event is set, and counts in `begun`."""
    go_on = threading.Event()
    go_on.begun = 0

    def paint(content, styles, options, model_path=None, on_step=None) -> Pastiche:
        go_on.begun += 1
        rgb = images.read(content).rgb
        complete = True
        try:
            on_step(Step(1, 2, 1.0, Picture(rgb)))
            while not go_on.wait(0.05):
                on_step(Step(1, 2, 1.0))
        except Cancelled:
            complete = False
        return Pastiche(Picture(1 - rgb), NEGATIVE, 0.1, {}, complete)

    monkeypatch.setattr(transfer, "stylize", paint)
    return go_on


def test_what_waits_is_painted(studio, photo, photo_png):
    one = studio()
    earlier = one.submit(photo_png)
    one.worker.start()
    later = one.submit(photo_png)
    for job in (earlier, later):
        assert one.settled(job).state == "done"
        result = one.library.result(ANN, job.id)
        pixels = images.read(one.library.picture(result.picture)).rgb
        assert np.abs(pixels - (1 - photo)).max() < 0.01
        assert (result.width, result.height, result.weights) == (128, 96, NEGATIVE)
        for small in (result.before, result.thumbnail):
            assert images.read(one.library.picture(small)).rgb.shape == (96, 128, 3)


def test_a_start_is_a_start(studio):
    one = studio()
    before = threading.active_count()
    one.worker.start()
    running = threading.active_count()
    one.worker.start()
    assert threading.active_count() == running > before
    one.worker.stop()
    one.worker.stop()


def test_a_lost_message_loses_no_job(studio, photo_png):
    one = studio()
    job = one.submit(photo_png)
    one.jobs.huey.flush()
    one.worker.start()
    assert one.settled(job).state == "done"


def test_doubled_messages_paint_nothing_twice(studio, slow, photo_png):
    one = studio(renders=3)
    one.worker.start()
    accepted = [one.submit(photo_png) for _ in range(2)]
    for _ in range(10):
        one.jobs.wake()
    for job in accepted:
        one.until(job, lambda now: now.state == "running")
    slow.set()
    assert [one.settled(job).state for job in accepted] == ["done", "done"]
    assert [one.jobs.get(job.id).attempts for job in accepted] == [1, 1]
    assert slow.begun == 2


def test_two_workers_share_the_work(studio, slow, photo_png):
    one, other = studio(renders=1), studio(renders=1)
    one.worker.start()
    other.worker.start()
    accepted = [one.submit(photo_png) for _ in range(2)]
    running = [one.until(job, lambda now: now.state == "running") for job in accepted]
    assert len({job.worker for job in running}) == 2
    slow.set()
    assert [one.settled(job).state for job in accepted] == ["done", "done"]


def test_what_cannot_be_painted_says_why(studio, photo_png, monkeypatch):
    def refuse(*_: object, **__: object) -> Pastiche:
        raise BrokenImage("content: this picture is damaged.", "content")

    monkeypatch.setattr(transfer, "stylize", refuse)
    one = studio()
    one.worker.start()
    failed = one.settled(one.submit(photo_png))
    assert failed.error == {"code": "broken_image", "message": "This picture is damaged.", "field": "content"}
    assert (failed.state, failed.attempts) == ("failed", 1)


def test_a_fault_of_ours_is_told_to_the_log_alone(studio, photo_png, monkeypatch, caplog):
    def break_down(*_: object, **__: object) -> Pastiche:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr(transfer, "stylize", break_down)
    one = studio()
    one.worker.start()
    failed = one.settled(one.submit(photo_png))
    assert (failed.state, failed.error["code"]) == ("failed", "internal_error")
    assert "secret" not in str(failed.error)
    assert "a secret of the house" in caplog.text


def test_a_fault_that_passes_costs_no_job(studio, photo_png, monkeypatch):
    one = studio()
    paint, faults = transfer.stylize, iter([OSError("the disk is away"), WeightsMissing("no weights")])

    def falter(*given: object, **more: object) -> Pastiche:
        for fault in faults:
            raise fault
        return paint(*given, **more)

    monkeypatch.setattr(transfer, "stylize", falter)
    one.worker.start()
    painted = one.settled(one.submit(photo_png))
    assert (painted.state, painted.attempts) == ("done", 3)


def test_an_order_that_cannot_be_read_holds_nobody_up(studio, photo_png):
    one = studio()
    old, new = one.submit(photo_png), one.submit(photo_png)
    with one.library.begin() as session:
        session.get(JobRow, old.id).order = {"written": "by another version"}
    one.worker.start()
    assert one.settled(old).error["code"] == "internal_error"
    assert one.settled(new).state == "done"


def test_a_result_that_cannot_be_kept_at_first_is_painted_anew(studio, photo_png, monkeypatch):
    one = studio()
    put, failures = one.library.put_picture, []

    def full_once(owner: str, data: bytes) -> str:
        if data.startswith(b"\x89PNG") and not failures:
            failures.append(1)
            raise OSError("no space left today")
        return put(owner, data)

    job = one.submit(photo_png)
    monkeypatch.setattr(one.library, "put_picture", full_once)
    one.worker.start()
    done = one.settled(job)
    assert (done.state, done.attempts) == ("done", 2)


def test_a_preview_that_cannot_be_kept_costs_no_picture(studio, photo_png, monkeypatch):
    one = studio()
    put = one.library.put_picture

    def no_previews(owner: str, data: bytes) -> str:
        if one.jobs.get(job.id).step == 0:
            monkeypatch.setattr(one.library, "put_picture", put)
            raise OSError("no space left today")
        return put(owner, data)

    job = one.submit(photo_png)
    monkeypatch.setattr(one.library, "put_picture", no_previews)
    one.worker.start()
    assert one.settled(job).state == "done"


def test_progress_and_preview_are_seen_and_a_cancelled_job_keeps_its_best(studio, slow, photo_png):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png)
    seen = one.until(job, lambda now: now.preview)
    assert (seen.step, seen.steps, seen.seconds_left) == (1, 2, 1.0)
    assert images.read(one.library.picture(seen.preview)).rgb.shape == (96, 128, 3)
    one.jobs.cancel(job.id)
    assert one.settled(job).state == "cancelled"
    assert not one.library.result(ANN, job.id).complete


def test_a_stopped_worker_gives_its_jobs_back(studio, slow, photo_png):
    one = studio(renders=1)
    one.worker.start()
    running, waiting = (one.submit(photo_png) for _ in range(2))
    one.until(running, lambda now: now.step == 1)
    start = time.monotonic()
    one.worker.stop()
    assert time.monotonic() - start < 5
    for job in (running, waiting):
        assert (one.jobs.get(job.id).state, one.jobs.get(job.id).attempts) == ("queued", 0)
    other = studio()
    slow.set()
    other.worker.start()
    assert [other.settled(job).attempts for job in (running, waiting)] == [1, 1]
    assert [other.settled(job).state for job in (running, waiting)] == ["done", "done"]


def test_a_job_deleted_while_it_runs_stops_and_leaves_no_file(studio, slow, photo_png, tmp_path):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png)
    one.until(job, lambda now: now.preview)
    one.library.delete_everything(ANN)
    one.worker.stop()
    assert list((tmp_path / "data" / "pictures").iterdir()) == []


def test_a_server_paints_its_own_jobs(new_app, photo_png):
    app: Flask = new_app(worker=True)
    app.test_client().get("/healthz")
    jobs, library = app.extensions["jobs"], app.extensions["library"]
    content = library.put_picture(ANN, photo_png)
    style = OrderStyle(name="itself", picture=content)
    job = jobs.submit(ANN, Order(content=content, content_name="p", styles=[style], options=StylizeOptions()))
    deadline = time.monotonic() + PATIENCE
    while not jobs.get(job.id).ended and time.monotonic() < deadline:
        time.sleep(0.02)
    assert jobs.get(job.id).state == "done"
