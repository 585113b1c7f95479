"""Refinements are paused and go on from their checkpoints, on SQLite and on Redis and PostgreSQL."""

from __future__ import annotations

import time

import pytest

from app.failures import Missing
from app.jobs.attempts import Attempts
from app.jobs.queue import Jobs, QueueFull
from model.errors import InvalidOption
from model.progress import Step
from tests.support.jobs import ANN, BOB, FAILED, attempt_output, row_of


def test_a_pastiche_cannot_be_paused(jobs, order):
    job = jobs.submit(ANN, order())
    for ask in (jobs.pause, jobs.resume):
        with pytest.raises(InvalidOption, match="Only a refinement or a training can be paused") as refused:
            ask(job.id)
        assert refused.value.field == "id"
    assert jobs.get(job.id) == job


def test_a_refinement_that_waits_is_paused_at_once_and_waits_again(jobs, order, worker):
    job = jobs.submit(ANN, order(method="gatys"))
    assert (job.method, job.losses, job.checkpoint, job.pausing) == ("gatys", [], None, False)
    paused = jobs.pause(job.id)
    assert (paused.state, paused.pausing) == ("paused", False)
    assert jobs.pause(job.id) == paused
    assert worker().claim() is None
    assert jobs.resume(job.id).state == "queued"
    assert worker().claim().id == job.id


def test_a_running_refinement_is_paused_at_its_next_step(jobs, refining, worker):
    job = refining()
    assert worker().report_progress(job, Step(1, 4))
    assert jobs.pause(job.id).pausing
    assert not worker().report_progress(job, Step(2, 4), None, [row_of(1), row_of(2)])
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    worker().give_back(job)
    paused = jobs.get(job.id)
    assert (paused.state, paused.pausing, paused.attempts, paused.worker) == ("paused", False, 0, None)
    assert (paused.step, paused.steps, paused.losses) == (2, 4, [row_of(1), row_of(2)])
    jobs.resume(job.id)
    again = worker("another").claim()
    assert (again.step, again.steps, again.losses, again.attempts) == (2, 4, [row_of(1), row_of(2)], 1)
    assert (again.checkpoint["step"], again.checkpoint["seconds"], again.checkpoint["paused"]) == (2, 1.5, True)
    worker("another").give_all_back()
    assert "paused" not in worker().claim().checkpoint


def test_who_thinks_better_of_a_pause_loses_nothing(jobs, refining, worker):
    job = refining()
    jobs.pause(job.id)
    assert not jobs.resume(job.id).pausing
    assert worker().report_progress(job, Step(1, 4))
    jobs.pause(job.id)
    assert not worker().report_progress(job, Step(2, 4))
    jobs.resume(job.id)  # when the attempt has begun to leave
    worker().give_back(job)
    assert (jobs.get(job.id).state, jobs.get(job.id).attempts) == ("queued", 0)


def test_what_has_ended_is_neither_paused_nor_resumed(jobs, refining, worker):
    job = refining()
    worker().finish(job, attempt_output())
    done = jobs.get(job.id)
    assert jobs.pause(job.id) == jobs.resume(job.id) == done


def test_what_is_to_be_cancelled_is_not_paused(jobs, refining):
    job = refining()
    jobs.cancel(job.id)
    assert not jobs.pause(job.id).pausing


def test_a_full_queue_takes_back_no_paused_job(library, queue, order):
    jobs = Jobs(library, queue, most=2)
    job = jobs.submit(ANN, order(method="gatys"))
    jobs.pause(job.id)
    for owner in (ANN, BOB):
        jobs.submit(owner, order(owner=owner))
    with pytest.raises(QueueFull):
        jobs.resume(job.id)
    assert jobs.get(job.id).state == "paused"


def test_a_paused_job_without_a_checkpoint_is_cancelled_at_once(jobs, order):
    job = jobs.submit(ANN, order(method="gatys"))
    jobs.pause(job.id)
    assert jobs.cancel(job.id).state == "cancelled"


@pytest.mark.parametrize("how", ["paused", "given back"])
def test_a_cancelled_job_with_a_checkpoint_has_a_result(jobs, refining, worker, library, stored, how):
    job = refining()
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    if how == "paused":
        jobs.pause(job.id)
        worker().give_back(job)
    else:
        worker().give_all_back()
    cancelled = jobs.cancel(job.id)
    assert (cancelled.state, cancelled.cancelling) == ("queued", True)
    assert jobs.pause(job.id) == jobs.resume(job.id) == cancelled
    last = worker().claim(only_short=True)
    assert library.picture(last.checkpoint["picture"]) == b"best so far"
    assert not worker().report_progress(last, Step(2, 4))
    assert worker().cancelling(last)
    assert worker().finish(last, attempt_output(complete=False))
    assert (jobs.get(job.id).state, jobs.get(job.id).checkpoint) == ("cancelled", None)
    assert not library.result(ANN, job.id).complete
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}


def test_checkpoints_replace_one_another_and_never_go_back(jobs, refining, worker, library, stored):
    job = refining()
    for step, picture in ((2, b"second"), (4, b"fourth"), (4, b"the same"), (3, b"third")):
        worker().save_checkpoint(job, picture, step, 1.0 * step)
    kept = jobs.get(job.id).checkpoint
    assert (kept["step"], kept["seconds"], library.picture(kept["picture"])) == (4, 4.0, b"fourth")
    assert stored() == {b"photo", b"style", b"fourth"}


def test_a_lost_refinement_goes_on_from_its_checkpoint(jobs, refining, worker, lapse, stored):
    old = refining("first")
    worker("first").report_progress(old, Step(3, 8), None, [row_of(step) for step in (1, 2, 3)])
    worker("first").save_checkpoint(old, b"best so far", 2, 1.5)
    lapse(worker())
    new = worker("second").claim()
    assert (new.checkpoint["step"], new.step, new.steps) == (2, 2, 8)
    assert new.losses == [row_of(1), row_of(2)]
    worker("first").save_checkpoint(old, b"too late", 7, 5.0)
    assert jobs.get(new.id) == new
    assert stored() == {b"photo", b"style", b"best so far"}


def test_only_attempts_without_progress_count(jobs, refining, worker):
    job = refining("worker 1")
    for attempt in range(2, 6):
        worker(job.worker).save_checkpoint(job, b"%d" % attempt, attempt, 1.0)
        assert jobs.get(job.id).attempts == 1
        worker().requeue_abandoned(lambda name: True)
        job = worker(f"worker {attempt}").claim()
        assert job.attempts == 2
    worker().requeue_abandoned(lambda name: True)
    assert worker("last").claim().attempts == 3
    worker().requeue_abandoned(lambda name: True)
    assert (jobs.get(job.id).state, jobs.get(job.id).error["code"]) == ("paused", "worker_died")


@pytest.mark.parametrize("fail", ["fail", "retry"])
def test_a_refinement_that_cannot_go_on_keeps_what_it_came_to(jobs, refining, worker, library, fail):
    job = refining()
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    for _ in range(1 if fail == "fail" else 3):
        getattr(worker(), fail)(job, FAILED)
        job = worker().claim() or job
    aside = jobs.get(job.id)
    assert (aside.state, aside.error, aside.worker, aside.attempts) == ("paused", FAILED, None, 0)
    assert library.picture(aside.checkpoint["picture"]) == b"best so far"
    again = jobs.resume(job.id)
    assert (again.state, again.error) == ("queued", None)
    assert worker().claim().checkpoint == aside.checkpoint


@pytest.mark.parametrize("fail", ["fail", "retry", "die"])
def test_a_refinement_that_fails_while_it_should_stop_is_kept(jobs, refining, worker, fail):
    job = refining()
    for _ in range(2):
        worker().retry(job, FAILED)
        job = worker().claim()
    assert worker().report_progress(job, Step(2, 4))
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    jobs.cancel(job.id)
    if fail == "die":
        worker().requeue_abandoned(lambda name: True)
    else:
        getattr(worker(), fail)(job, FAILED)
    last = worker().claim(only_short=True)
    assert (last.cancelling, last.checkpoint["step"]) == (True, 2)
    assert worker().finish(last, attempt_output(complete=False))
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("cancelled", None)


def test_to_be_kept_has_attempts_of_its_own(jobs, refining, worker):
    job = refining()
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    for _ in range(2):
        worker().retry(job, FAILED)
        job = worker().claim()
    for _ in range(2):
        assert jobs.cancel(job.id).attempts == 1
    for attempts in (2, 3):
        worker().fail(job, FAILED)
        job = worker().claim()
        assert (job.attempts, jobs.cancel(job.id).attempts) == (attempts, attempts)
    worker().fail(job, FAILED)
    aside = jobs.get(job.id)
    assert (aside.state, aside.cancelling, aside.error) == ("paused", False, FAILED)


def test_a_checkpoint_of_no_use_is_forgotten(jobs, refining, worker, stored):
    job = refining()
    worker().report_progress(job, Step(2, 4), None, [row_of(1), row_of(2)])
    worker().save_checkpoint(job, b"best so far", 2, 1.5)
    worker().give_all_back()
    job = worker().claim()
    worker().forget_checkpoint(job)
    anew = jobs.get(job.id)
    assert (anew.state, anew.checkpoint, anew.step, anew.losses) == ("running", None, 0, [])
    assert stored() == {b"photo", b"style"}


def test_who_resumes_waits_behind_those_who_wait(jobs, order, worker):
    first, second = (jobs.submit(ANN, order(method="gatys")) for _ in range(2))
    jobs.pause(first.id)
    resumed = jobs.resume(first.id)
    assert (resumed.created, resumed.queued > second.queued) == (first.created, True)
    assert [jobs.position(job.id) for job in (first, second)] == [1, 0]
    assert worker().claim().id == second.id


def test_what_is_only_to_be_kept_takes_no_room_and_nobodys_place(library, queue, order):
    jobs = Jobs(library, queue, most=2)
    stopped, worker = jobs.submit(ANN, order(method="gatys")), Attempts(jobs, library, "worker")
    worker.save_checkpoint(worker.claim(), b"best so far", 2, 1.5)
    jobs.pause(stopped.id)
    worker.give_all_back()
    waiting = jobs.submit(ANN, order())
    jobs.cancel(stopped.id)
    assert [jobs.position(job.id) for job in (waiting, stopped)] == [0, 1]
    jobs.submit(BOB, order(owner=BOB))
    with pytest.raises(QueueFull, match="Too many"):
        jobs.check_room(BOB, None)


def test_a_worker_lost_while_it_should_pause_leaves_a_paused_job(jobs, refining, worker):
    job = refining()
    jobs.pause(job.id)
    worker().requeue_abandoned(lambda name: True)
    assert jobs.get(job.id).state == "paused"


def test_paused_jobs_expire_with_all_that_they_hold(jobs, refining, worker, library, stored, monkeypatch):
    job = refining()
    worker().report_progress(job, Step(1, 4), b"preview")
    worker().save_checkpoint(job, b"best so far", 1, 1.0)
    jobs.pause(job.id)
    worker().give_back(job)
    assert jobs.get(job.id).expires == pytest.approx(time.time() + 3600, abs=60)
    assert stored() == {b"photo", b"style", b"preview", b"best so far"}
    later = time.time() + 2 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    for ask in (jobs.get, jobs.resume, jobs.cancel):
        with pytest.raises(Missing):
            ask(job.id)
    assert library.sweep().expired == 1
    assert stored() == set()


def test_everything_deleted_has_no_checkpoints(jobs, refining, worker, library, stored):
    job = refining()
    worker().save_checkpoint(job, b"best so far", 1, 1.0)
    library.delete_everything(ANN)
    worker().save_checkpoint(job, b"and better", 2, 2.0)
    assert stored() == set()
