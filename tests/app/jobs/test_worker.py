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

from app import create_services
from app.jobs import progress
from app.jobs.order import OPTIONS_BY_METHOD, Order, OrderStyle
from app.jobs.queue import Job, Jobs
from app.jobs.worker import Worker
from app.settings import Settings
from app.storage.library import Library
from app.storage.tables import JobRow
from model.errors import BrokenImage, ImageTooLarge, WeightsMissing
from model.hardware import memory
from model.imaging import image_files
from model.options import RefineOptions, StylizeOptions
from tests.support.fake_painter import METHODS, FakePainter, Hold, darken
from tests.support.requests import NEGATIVE

if TYPE_CHECKING:
    from tests.support.services import Services


ANN = "a" * 32
PATIENCE = 20  # seconds, of a test


class Studio:
    """One process's parts of the service, as `parts` puts them together."""

    def __init__(self, services: Services, painter: FakePainter, folder: Path, **settings: object) -> None:
        urls = {"database_url": services.database_url, "queue_url": services.queue_url}
        made = create_services(Settings(data_dir=folder, **(urls | settings)), painter)
        self.library: Library = made["library"]
        self.jobs: Jobs = made["jobs"]
        self.worker: Worker = made["worker"]

    def submit(self, photo: bytes, method: str = "magenta", **options: object) -> Job:
        content = self.library.put_picture(ANN, photo)
        style = OrderStyle(name="itself", picture=content)
        given = OPTIONS_BY_METHOD[method](**options)
        order = Order(content=content, content_name="photo", styles=[style], method=method, options=given)
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
def studio(painter: FakePainter, services: Services, tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    made = []

    def build(**settings: object) -> Studio:
        made.append(Studio(services, painter, tmp_path / "data", **settings))
        return made[-1]

    yield build
    for each in made:
        each.worker.stop()
        each.library.close()


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


@pytest.fixture
def refiner(painter: FakePainter) -> Hold:
    """A refinement has ten steps, each a tenth darker, and waits at the fifth."""
    painter.steps, painter.stroke, painter.notes = 10, darken, ["A note."]
    return painter.hold("refine", step=5)


def brightness(one: Studio, job: Job) -> float:
    """Of its result, compared with the start."""
    result = one.library.result(ANN, job.id)
    before, after = (
        image_files.read(one.library.picture(key)).rgb.mean() for key in (job.order.content, result.picture)
    )
    return float(after / before)


def test_a_refinement_is_painted_with_its_losses_and_notes(studio, photo_png):
    one = studio()
    one.worker.start()
    done = one.settled(one.submit(photo_png, "gatys", steps=300))
    assert (done.state, done.step, done.steps, done.attempts) == ("done", 300, 300, 1)
    assert [done.losses[0][0], done.losses[-1][0]] == [1, 300]
    assert 50 <= len(done.losses) <= progress.MAX_LOSS_ROWS
    assert one.library.result(ANN, done.id).recipe["method"] == "gatys"


def test_a_pause_keeps_what_there_is_and_a_resume_goes_on(studio, painter, refiner, photo_png):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys")
    one.until(job, lambda now: now.step)
    one.until(job, lambda now: now.preview)
    one.jobs.pause(job.id)
    paused = one.until(job, lambda now: now.state == "paused")
    assert (paused.checkpoint["step"], paused.attempts, len(paused.losses)) == (5, 0, 5)
    refiner.released.set()
    one.jobs.resume(job.id)
    done = one.settled(job)
    assert (done.state, [row[0] for row in done.losses]) == ("done", list(range(1, 11)))
    assert painter.steps_taken("refine") == 10
    assert brightness(one, done) == pytest.approx(0.9**10, abs=0.02)
    told = ["It was paused after step 5 and went on from there.", "A note."]
    assert one.library.result(ANN, job.id).recipe["notes"] == told


NO_MEMORY = ImageTooLarge("There is no memory for this now: ask for a smaller size.", "size")


def test_a_paused_refinement_that_is_cancelled_has_its_best_as_result(studio, painter, refiner, photo_png):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys", size=256)
    one.until(job, lambda now: now.step)
    one.jobs.pause(job.id)
    paused = one.until(job, lambda now: now.state == "paused")
    for method in METHODS:
        painter.fail(method, NO_MEMORY)
    one.jobs.cancel(job.id)
    assert one.settled(job).state == "cancelled"
    taken = painter.steps_taken("refine")
    assert taken == paused.checkpoint["step"]
    assert brightness(one, paused) == pytest.approx(0.9**taken, abs=0.02)
    result = one.library.result(ANN, job.id)
    assert (result.complete, result.width, result.height) == (False, 256, 192)


def test_a_refinement_that_fails_when_it_is_to_stop_has_its_best_as_result(studio, painter, refiner, photo_png):
    painter.cancel_error = NO_MEMORY
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys")
    one.until(job, lambda now: now.step)
    one.jobs.cancel(job.id)
    assert one.settled(job).state == "cancelled"
    assert brightness(one, job) == pytest.approx(0.9 ** painter.steps_taken("refine"), abs=0.02)


def test_a_refinement_that_cannot_go_on_rests_with_what_it_came_to(studio, painter, refiner, photo_png):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys")
    one.until(job, lambda now: now.step)
    one.jobs.pause(job.id)
    kept = one.until(job, lambda now: now.state == "paused").checkpoint
    painter.fail("refine", NO_MEMORY)
    one.jobs.resume(job.id)
    aside = one.until(job, lambda now: now.error)
    assert (aside.state, aside.error["code"], aside.checkpoint) == ("paused", "image_too_large", kept)


@pytest.mark.parametrize("then", ["resume", "cancel"])
@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"rubbish")])
def test_a_checkpoint_that_cannot_be_read_is_none(studio, painter, refiner, photo_png, tmp_path, damage, then, caplog):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys")
    one.until(job, lambda now: now.step)
    one.jobs.pause(job.id)
    paused = one.until(job, lambda now: now.state == "paused")
    damage(tmp_path / "data" / "pictures" / paused.checkpoint["picture"])
    refiner.released.set()
    painter.calls.clear()
    getattr(one.jobs, then)(job.id)
    ended = one.settled(job)
    assert "is lost: it begins anew" in caplog.text
    taken = painter.steps_taken("refine")
    if then == "cancel":
        assert (ended.state, taken) == ("cancelled", 0)
    else:
        assert (ended.state, taken, [row[0] for row in ended.losses]) == ("done", 10, list(range(1, 11)))


def test_the_last_step_is_told_however_soon_it_comes(studio, painter, photo_png):
    painter.steps, painter.settles_after = 80, 7
    one = studio()
    one.worker.start()
    done = one.settled(one.submit(photo_png, "gatys"))
    assert (done.state, done.step, done.steps, done.losses[-1][0]) == ("done", 7, 80, 7)


def test_refinements_that_do_not_fit_into_memory_together_wait(studio, painter, refiner, photo_png, monkeypatch):
    needed = memory.refining_bytes_per_pixel(RefineOptions(encoder="vgg16")) * 512**2
    monkeypatch.setattr(memory, "free_bytes", lambda: int(1.5 * needed))
    monkeypatch.setattr("app.jobs.engine._POLL_SECONDS", 0.05)
    one = studio(painters=4)
    one.worker.start()
    first, second, third = (one.submit(photo_png, "gatys", encoder="vgg16") for _ in range(3))
    one.until(first, lambda now: now.step == 5)
    for job in (second, third):
        one.until(job, lambda now: now.state == "running")
    one.jobs.pause(second.id)
    one.until(second, lambda now: now.state == "paused")
    assert one.settled(one.submit(photo_png)).state == "done"
    assert (painter.steps_taken("refine"), one.jobs.get(third.id).step) == (5, 0)
    refiner.released.set()
    assert [one.settled(job).state for job in (first, third)] == ["done", "done"]


def test_a_worker_stops_while_a_refinement_waits_for_memory(studio, refiner, photo_png, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1)
    one = studio(painters=3)
    one.worker.start()
    accepted = [one.submit(photo_png, "gatys") for _ in range(2)]
    for job in accepted:
        one.until(job, lambda now: now.state == "running")
    start = time.monotonic()
    one.worker.stop()
    assert time.monotonic() - start < 5
    assert {one.jobs.get(job.id).state for job in accepted} == {"queued"}


def test_a_stopped_worker_gives_a_refinement_back_with_what_it_came_to(studio, painter, refiner, photo_png):
    one = studio()
    one.worker.start()
    job = one.submit(photo_png, "gatys")
    one.until(job, lambda now: now.step)
    assert refiner.reached.wait(PATIENCE)
    one.worker.stop()
    given_back = one.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.checkpoint["step"]) == ("queued", 0, 5)
    refiner.released.set()
    other = studio()
    other.worker.start()
    assert (other.settled(job).state, painter.steps_taken("refine")) == ("done", 10)


@pytest.mark.parametrize("threads", [2, 3])
def test_refinements_leave_a_thread_to_pastiches(studio, refiner, photo_png, threads):
    one = studio(painters=threads)
    one.worker.start()
    refinements = [one.submit(photo_png, "gatys") for _ in range(threads)]
    for job in refinements[:-1]:
        one.until(job, lambda now: now.state == "running")
    assert one.settled(one.submit(photo_png)).state == "done"
    assert one.jobs.get(refinements[-1].id).state == "queued"
    refiner.released.set()
    assert {one.settled(job).state for job in refinements} == {"done"}


def test_a_single_thread_paints_waiting_pastiches_first(studio, photo_png):
    one = studio(painters=1)
    slow, quick = one.submit(photo_png, "gatys"), one.submit(photo_png)
    one.worker.start()
    assert one.settled(slow).started > one.settled(quick).started


def test_a_checkpoint_that_cannot_be_kept_costs_no_picture(studio, photo_png, monkeypatch, caplog):
    def refuse(*_: object) -> None:
        raise OSError("no space left today")

    one = studio()
    monkeypatch.setattr("app.jobs.attempts.Attempts.save_checkpoint", refuse)
    one.worker.start()
    assert one.settled(one.submit(photo_png, "gatys")).state == "done"
    assert "the checkpoint of job" in caplog.text


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
