"""Trainings, on SQLite and on Redis and PostgreSQL: stored with their style, interrupted, stopped, out of the way."""

from __future__ import annotations

import threading
import time

import pytest

from app.failures import AlreadyTraining
from app.jobs import training
from app.jobs.queue import QueueFull
from app.storage.blob_store import BlobStore
from model.errors import ImageTooLarge
from model.hardware import memory
from model.pipelines.style_training import TRAINING_BYTES
from tests.support.jobs import ANN
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256
from tests.support.studio import PATIENCE


@pytest.fixture
def held(painter):
    """A training has ten steps and waits at the seventh; its state is written at the fifth."""
    painter.steps = 10
    return painter.hold("train", step=7)


def test_a_style_is_painted_by_its_network_once_it_is_trained(studio, painter, painting_png):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    done = one.settled(one.submit_training(style, steps=8))
    assert (done.state, done.step, done.steps, done.attempts, done.checkpoint) == ("done", 8, 8, 1, None)
    assert [row[0] for row in done.losses] == list(range(1, 9))
    taught = one.library.style(ANN, style.id)
    assert (taught.picture, taught.weights, taught.weights_sha256) == (style.picture, NEGATIVE, NEGATIVE_SHA256)
    assert one.library.exists(taught.network)
    assert len(taught.vector) == 4
    assert (taught.training.job, taught.training.steps, taught.training.complete) == (done.id, 8, True)


def test_a_network_that_is_taught_again_takes_the_place_of_the_first(studio, painting_png):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    one.settled(one.submit_training(style, steps=3))
    first = one.library.style(ANN, style.id).network
    one.settled(one.submit_training(style, steps=4))
    second = one.library.style(ANN, style.id).network
    assert (one.library.exists(first), one.library.exists(second)) == (False, True)
    forgotten = one.library.forget_network(ANN, style.id)
    assert (forgotten.network, forgotten.vector, forgotten.training, forgotten.weights) == (None,) * 4
    assert (one.library.exists(style.picture), one.library.exists(second)) == (True, False)


def test_a_training_that_is_stopped_leaves_what_it_has_learnt(studio, held, painting_png):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    job = one.submit_training(style)
    assert held.reached.wait(PATIENCE)
    one.jobs.cancel(job.id)
    assert one.settled(job).state == "cancelled"
    taught = one.library.style(ANN, style.id)
    assert one.library.exists(taught.network)
    assert (taught.training.steps, taught.training.complete) == (7, False)


def test_a_training_that_waits_is_cancelled_at_once(studio, painting_png):
    one = studio()
    style = one.add_style(painting_png)
    assert one.jobs.cancel(one.submit_training(style).id).state == "cancelled"
    assert one.library.style(ANN, style.id).network is None


@pytest.mark.parametrize("then", ["resume", "cancel"])
def test_a_paused_training_goes_on_or_ends(studio, painter, held, painting_png, then):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    job = one.submit_training(style)
    assert held.reached.wait(PATIENCE)
    one.jobs.pause(job.id)
    paused = one.until(job, lambda now: now.state == "paused")
    assert (paused.checkpoint["step"], paused.attempts) == (7, 0)
    held.released.set()
    getattr(one.jobs, then)(job.id)
    ended = one.settled(job)
    steps = one.library.style(ANN, style.id).training.steps
    assert (ended.state, steps) == (("done", 10) if then == "resume" else ("cancelled", 8))
    assert [call.steps[0] for call in painter.calls_of("train")] == [1, 8]


def test_a_stopped_worker_gives_a_training_back_with_its_state(studio, painter, held, painting_png):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    job = one.submit_training(style)
    assert held.reached.wait(PATIENCE)
    one.worker.stop()
    given_back = one.jobs.get(job.id)
    assert (given_back.state, given_back.attempts, given_back.checkpoint["step"]) == ("queued", 0, 7)
    held.released.set()
    other = studio()
    other.worker.start()
    assert other.settled(job).state == "done"
    assert painter.calls_of("train")[-1].steps == [8, 9, 10]


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"rubbish")])
def test_a_state_that_cannot_be_read_is_none(studio, painter, held, painting_png, tmp_path, damage, caplog):
    one = studio()
    one.worker.start()
    job = one.submit_training(one.add_style(painting_png))
    assert held.reached.wait(PATIENCE)
    one.jobs.pause(job.id)
    paused = one.until(job, lambda now: now.state == "paused")
    damage(tmp_path / "data" / "pictures" / paused.checkpoint["picture"])
    held.released.set()
    one.jobs.resume(job.id)
    assert one.settled(job).state == "done"
    assert painter.calls_of("train")[-1].steps == list(range(1, 11))
    assert "is lost: it begins anew" in caplog.text


def test_a_training_of_an_order_that_cannot_be_fails_and_one_of_a_broken_server_is_tried_again(
    studio, painter, painting_png
):
    painter.fail_once("train", ImageTooLarge("There is no memory for this.", "style"))
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    failed = one.settled(one.submit_training(style))
    assert (failed.state, failed.error["code"]) == ("failed", "image_too_large")
    painter.fail_once("train", OSError("broken"))
    assert one.settled(one.submit_training(style)).state == "done"
    assert len(painter.calls_of("train")) == 3


def test_a_style_that_is_deleted_meanwhile_leaves_nothing(studio, held, painting_png, tmp_path):
    one = studio()
    one.worker.start()
    style = one.add_style(painting_png)
    job = one.submit_training(style)
    assert held.reached.wait(PATIENCE)
    one.library.delete_style(ANN, style.id)
    held.released.set()
    failed = one.settled(job)
    assert (failed.state, failed.error["code"]) == ("failed", "not_found")
    one.library.delete_job(ANN, job.id)
    assert not list(BlobStore(str(tmp_path / "data" / "pictures")).keys())


def test_a_style_is_taught_once_at_a_time_and_few_wait(studio, painting_png):
    one = studio(jobs=1)
    styles = [one.add_style(painting_png, f"Style {number}") for number in range(2)]
    one.submit_training(styles[0])
    with pytest.raises(AlreadyTraining):
        one.submit_training(styles[0])
    with pytest.raises(QueueFull):
        one.submit_training(styles[1])
    one.jobs.delete_training(ANN, styles[0].id)
    assert one.submit_training(styles[1]).state == "queued"


def test_a_training_takes_no_painter_and_no_place_in_the_queue(studio, held, painting_png, photo_png):
    one = studio(painters=1, jobs=1)
    one.worker.start()
    training_job = one.submit_training(one.add_style(painting_png))
    assert held.reached.wait(PATIENCE)
    one.submit_training(one.add_style(painting_png, "Another"))
    for method in ("gatys", "magenta"):
        assert one.settled(one.submit(photo_png, method)).state == "done"
    assert one.jobs.get(training_job.id).state == "running"
    held.released.set()
    assert one.settled(training_job).state == "done"


def test_a_training_rests_while_others_paint(studio, painter, painting_png, monkeypatch):
    monkeypatch.setattr(training, "REST_SECONDS", PATIENCE)
    one = studio()
    one.worker.start()
    painter.steps = 10
    begun, release = threading.Event(), threading.Event()

    def paint() -> None:
        begun.set()
        release.wait(PATIENCE)

    request = threading.Thread(target=one.engine.run, args=(paint,))
    request.start()
    assert begun.wait(PATIENCE)
    job = one.submit_training(one.add_style(painting_png))
    one.until(job, lambda now: now.step == 1)
    time.sleep(0.5)
    assert painter.calls_of("train")[0].steps == [1]
    release.set()
    request.join()
    assert one.settled(job).state == "done"


def test_a_training_goes_on_slowly_on_a_server_that_always_paints(studio, painter, painting_png, monkeypatch):
    monkeypatch.setattr(training, "REST_SECONDS", 0.05)
    one = studio()
    painter.steps = 4
    release = threading.Event()
    request = threading.Thread(target=one.engine.run, args=(lambda: release.wait(PATIENCE),))
    request.start()
    one.worker.start()
    assert one.settled(one.submit_training(one.add_style(painting_png))).state == "done"
    release.set()
    request.join()


def test_a_training_makes_room_for_a_refinement(studio, painter, held, painting_png, photo_png, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: TRAINING_BYTES)
    monkeypatch.setattr("app.jobs.render_engine._POLL_SECONDS", 0.05)
    one = studio()
    one.worker.start()
    job = one.submit_training(one.add_style(painting_png))
    assert held.reached.wait(PATIENCE)
    refinement = one.settled(one.submit(photo_png, "gatys"))
    held.released.set()
    assert (refinement.state, one.settled(job).state) == ("done", "done")
    assert [call.steps[0] for call in painter.calls_of("train")] == [1, 8]
