"""The worker's threads, on SQLite and on Redis and PostgreSQL: whatever is accepted is painted, once."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from flask import Flask

from app.jobs.order import Order, OrderStyle
from app.storage.tables import JobRow
from model.errors import BrokenImage, WeightsMissing
from model.imaging import image_files
from model.options import StylizeOptions
from tests.support.fake_painter import FakePainter, Hold
from tests.support.jobs import ANN
from tests.support.requests import NEGATIVE
from tests.support.studio import PATIENCE, Studio


@pytest.fixture
def held(painter: FakePainter) -> Hold:
    """Every pastiche waits at the first of two steps."""
    painter.steps = 2
    return painter.hold("stylize")


def test_what_waits_is_painted(studio, photo, photo_png):
    one = studio()
    earlier = one.submit(photo_png)
    one.worker.start()
    later = one.submit(photo_png)
    for job in (earlier, later):
        assert one.settled(job).state == "done"
        result = one.library.result(ANN, job.id)
        pixels = image_files.read(one.library.picture(result.picture)).rgb
        assert np.abs(pixels - (1 - photo)).max() < 0.01
        assert (result.width, result.height, result.weights) == (128, 96, NEGATIVE)
        for small in (result.before, result.thumbnail):
            assert image_files.read(one.library.picture(small)).rgb.shape == (96, 128, 3)


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


def test_while_the_queue_is_out_of_reach_the_table_is_polled(painter, held, photo_png, tmp_path):
    from tests.support.services import Services, free_port

    nowhere = Services(f"sqlite:///{tmp_path / 'library.sqlite3'}", f"redis://127.0.0.1:{free_port()}/0")
    one = Studio(nowhere, painter, tmp_path / "data", painters=2)
    accepted = [one.submit(photo_png) for _ in range(3)]
    one.worker.start()
    for job in accepted[:2]:
        one.until(job, lambda now: now.state == "running")
    time.sleep(2.5)  # in which it looks twice
    assert one.jobs.get(accepted[2].id).state == "queued"
    held.released.set()
    assert [one.settled(job).state for job in accepted] == ["done"] * 3
    assert [one.jobs.get(job.id).attempts for job in accepted] == [1] * 3
    one.worker.stop()
    one.library.close()


def test_doubled_messages_paint_nothing_twice(studio, painter, held, photo_png):
    one = studio(painters=3)
    one.worker.start()
    accepted = [one.submit(photo_png) for _ in range(2)]
    for _ in range(10):
        one.jobs.wake()
    for job in accepted:
        one.until(job, lambda now: now.state == "running")
    held.released.set()
    assert [one.settled(job).state for job in accepted] == ["done", "done"]
    assert [one.jobs.get(job.id).attempts for job in accepted] == [1, 1]
    assert len(painter.calls_of("stylize")) == 2


def test_two_workers_share_the_work(studio, held, photo_png):
    one, other = studio(painters=1), studio(painters=1)
    one.worker.start()
    other.worker.start()
    accepted = [one.submit(photo_png) for _ in range(2)]
    running = [one.until(job, lambda now: now.state == "running") for job in accepted]
    assert len({job.worker for job in running}) == 2
    held.released.set()
    assert [one.settled(job).state for job in accepted] == ["done", "done"]


def test_what_cannot_be_painted_says_why(studio, painter, photo_png):
    painter.fail("stylize", BrokenImage("content: this picture is damaged.", "content"))
    one = studio()
    one.worker.start()
    failed = one.settled(one.submit(photo_png))
    assert failed.error == {"code": "broken_image", "message": "This picture is damaged.", "field": "content"}
    assert (failed.state, failed.attempts) == ("failed", 1)


def test_a_fault_of_ours_is_told_to_the_log_alone(studio, painter, photo_png, caplog):
    painter.fail("stylize", RuntimeError("a secret of the house"))
    one = studio()
    one.worker.start()
    failed = one.settled(one.submit(photo_png))
    assert (failed.state, failed.error["code"]) == ("failed", "internal_error")
    assert "secret" not in str(failed.error)
    assert "a secret of the house" in caplog.text


def test_a_fault_that_passes_costs_no_job(studio, painter, photo_png):
    one = studio()
    painter.fail_once("stylize", OSError("the disk is away"), WeightsMissing("no weights"))
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


def test_progress_and_preview_are_seen_and_a_cancelled_job_keeps_its_best(studio, painter, held, photo_png):
    painter.pause = 0.5
    one = studio()
    one.worker.start()
    job = one.submit(photo_png)
    seen = one.until(job, lambda now: now.preview)
    assert (seen.step, seen.steps, seen.seconds_left) == (1, 2, 1.0)
    assert image_files.read(one.library.picture(seen.preview)).rgb.shape == (96, 128, 3)
    one.jobs.cancel(job.id)
    assert one.settled(job).state == "cancelled"
    assert not one.library.result(ANN, job.id).complete


def test_a_stopped_worker_gives_its_jobs_back(studio, held, photo_png):
    one = studio(painters=1)
    one.worker.start()
    running, waiting = (one.submit(photo_png) for _ in range(2))
    one.until(running, lambda now: now.step == 1)
    start = time.monotonic()
    one.worker.stop()
    assert time.monotonic() - start < 5
    for job in (running, waiting):
        assert (one.jobs.get(job.id).state, one.jobs.get(job.id).attempts) == ("queued", 0)
    other = studio()
    held.released.set()
    other.worker.start()
    assert [other.settled(job).attempts for job in (running, waiting)] == [1, 1]
    assert [other.settled(job).state for job in (running, waiting)] == ["done", "done"]


def test_a_job_deleted_while_it_runs_stops_and_leaves_no_file(studio, held, photo_png, tmp_path):
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
