"""The worker and refinements, on SQLite and on Redis and PostgreSQL: paused, resumed, interrupted, out of memory."""

from __future__ import annotations

import time

import pytest

from app.jobs import progress
from app.jobs.queue import Job
from model.errors import ImageTooLarge
from model.hardware import memory
from model.imaging import image_files
from model.options import RefineOptions
from model.pipelines.refine import refining_bytes_per_pixel
from tests.support.fake_painter import METHODS, FakePainter, Hold, darken
from tests.support.jobs import ANN
from tests.support.studio import PATIENCE, Studio


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
    assert refiner.reached.wait(PATIENCE)
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
    needed = refining_bytes_per_pixel(RefineOptions(encoder="vgg16")) * 512**2
    monkeypatch.setattr(memory, "free_bytes", lambda: int(1.5 * needed))
    monkeypatch.setattr("app.jobs.render_engine._POLL_SECONDS", 0.05)
    one = studio(painters=4)
    one.worker.start()
    first, second, third = (one.submit(photo_png, "gatys", encoder="vgg16", size=512) for _ in range(3))
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
