"""The workers' side of the table of jobs, on SQLite and on Redis and PostgreSQL: nothing takes effect twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.failures import Missing
from app.jobs.liveness import Heartbeat, is_dead
from app.jobs.order import Order
from app.jobs.queue import Job
from model.progress import Step
from tests.support.jobs import ANN, FAILED, attempt_output, is_never_dead, row_of


def test_no_two_workers_get_the_same_job(jobs, order, worker):
    accepted = {jobs.submit(ANN, order()).id for _ in range(8)}
    with ThreadPoolExecutor(6) as threads:
        claimed = list(threads.map(lambda i: worker(f"worker {i}").claim(), range(12)))
    assert sorted(job.id for job in claimed if job) == sorted(accepted)


def test_progress_is_seen_and_its_previews_replace_one_another(jobs, order, worker, library, stored):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    assert attempt.report_progress(job, Step(1, 4, 3.0), b"first")
    assert attempt.report_progress(job, Step(2, 4, 2.0), b"second")
    assert attempt.report_progress(job, Step(3, 4, 1.0), b"second")
    seen = jobs.get(job.id)
    assert (seen.step, seen.steps, seen.seconds_left) == (3, 4, 1.0)
    assert library.picture(seen.preview) == b"second"
    assert stored() == {b"photo", b"style", b"second"}


def test_a_finished_job_has_its_result(jobs, order, worker, library, stored):
    asked = order()
    jobs.submit(ANN, asked)
    attempt = worker()
    job = attempt.claim()
    attempt.report_progress(job, Step(1, 2), b"preview")
    assert attempt.finish(job, attempt_output())
    done = jobs.get(job.id)
    assert (done.state, done.preview, done.error, done.worker) == ("done", None, None, None)
    result = library.result(ANN, job.id)
    assert library.picture(result.picture) == b"the picture"
    assert (result.complete, result.width, result.recipe) == (True, 4, {"strength": 1})
    assert Order.model_validate(result.order) == asked
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}
    library.delete_result(ANN, job.id)
    assert stored() == set()


def test_a_failed_job_says_why_and_keeps_what_was_sent(jobs, order, worker, stored):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    attempt.fail(job, FAILED)
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("failed", FAILED)
    assert stored() == {b"photo", b"style"}


def test_a_running_job_is_cancelled_at_its_next_step_and_keeps_the_best(jobs, order, worker, library):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    assert attempt.report_progress(job, Step(1, 4))
    assert jobs.cancel(job.id).cancelling
    assert not attempt.report_progress(job, Step(2, 4))
    assert attempt.finish(job, attempt_output(complete=False))
    assert jobs.get(job.id).state == "cancelled"
    assert not library.result(ANN, job.id).complete


def test_a_job_cancelled_before_there_was_anything_keeps_what_was_sent(jobs, order, worker, stored):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    jobs.cancel(job.id)
    attempt.give_back(job)
    assert jobs.get(job.id).state == "cancelled"
    assert stored() == {b"photo", b"style"}


def test_a_lease_that_ran_out_gives_the_job_to_another(jobs, order, worker, lapse):
    first, second = worker("first"), worker("second")
    jobs.submit(ANN, order())
    job = first.claim()
    assert second.requeue_abandoned(is_never_dead) == 0
    assert lapse(second) == 1
    again = second.claim()
    assert (again.id, again.attempts) == (job.id, 2)


def test_signs_of_life_keep_the_job(jobs, order, worker, clock):
    jobs.submit(ANN, order())
    attempt, other = worker(), worker("other")
    job = attempt.claim()
    for _ in range(20):
        clock.pass_seconds(jobs.lease / 4)
        attempt.renew([job.id])
        assert other.requeue_abandoned(is_never_dead) == 0


def test_a_worker_thought_dead_changes_nothing_when_it_wakes(jobs, order, worker, lapse, stored):
    first, second = worker("first"), worker("second")
    jobs.submit(ANN, order())
    old = first.claim()
    lapse(second)
    new = second.claim()
    assert not first.report_progress(old, Step(1, 2), b"stale preview")
    assert not first.finish(old, attempt_output(picture=b"stale"))
    first.fail(old, FAILED)
    first.retry(old, FAILED)
    first.give_back(old)
    first.renew([old.id])
    first.give_all_back()
    assert jobs.get(old.id) == new
    assert second.finish(new, attempt_output())
    assert not first.finish(old, attempt_output(picture=b"stale"))
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}


def test_the_same_worker_may_be_the_one_that_takes_over(jobs, order, worker, lapse):
    jobs.submit(ANN, order())
    attempt = worker()
    old = attempt.claim()
    lapse(attempt)
    new = attempt.claim()
    assert not attempt.finish(old, attempt_output())
    assert attempt.finish(new, attempt_output())


def test_three_attempts_without_a_word_are_enough(jobs, order, worker):
    jobs.submit(ANN, order())
    for attempt in (1, 2, 3):
        job = worker(f"worker {attempt}").claim()
        assert job.attempts == attempt
        worker("another").requeue_abandoned(lambda name: name != "another")
    ended = jobs.get(job.id)
    assert (ended.state, ended.error["code"]) == ("failed", "worker_died")
    assert worker().claim() is None


def test_an_attempt_that_came_to_nothing_is_repeated_until_it_was_the_last(jobs, order, worker):
    jobs.submit(ANN, order())
    for attempt in (1, 2, 3):
        job = worker().claim()
        assert job.attempts == attempt
        worker().retry(job, FAILED)
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == ("failed", FAILED)


def test_what_is_given_back_costs_no_attempt(jobs, order, worker):
    for _ in range(2):
        jobs.submit(ANN, order())
    attempt = worker()
    mine, others = attempt.claim(), worker("another").claim()
    attempt.give_all_back()
    assert (jobs.get(mine.id).state, jobs.get(mine.id).attempts) == ("queued", 0)
    assert jobs.get(others.id) == others
    attempt.give_back(mine)
    assert jobs.get(mine.id).state == "queued"


def test_the_best_so_far_of_a_stopped_worker_is_no_result(jobs, order, worker):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    assert not attempt.finish(job, attempt_output(complete=False))
    assert jobs.get(job.id).state == "running"


@pytest.mark.parametrize("leave", ["give_all_back", "requeue_abandoned"])
def test_a_job_to_be_cancelled_is_begun_by_no_other(jobs, order, worker, leave):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    jobs.cancel(job.id)
    attempt.give_all_back() if leave == "give_all_back" else attempt.requeue_abandoned(lambda name: True)
    assert jobs.get(job.id).state == "cancelled"


def test_a_job_deleted_with_all_else_leaves_nothing_behind(jobs, order, worker, library, stored):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    assert attempt.report_progress(job, Step(1, 3), b"preview")
    library.delete_everything(ANN)
    assert not attempt.report_progress(job, Step(2, 3), b"late preview")
    assert not attempt.finish(job, attempt_output())
    assert stored() == set()
    with pytest.raises(Missing):
        jobs.get(job.id)


def test_a_job_of_a_dead_worker_need_not_wait_for_its_lease(jobs, order, worker):
    sign = Heartbeat()
    jobs.submit(ANN, order())
    job: Job = worker(sign.name).claim()
    assert worker().requeue_abandoned(is_dead) == 0
    sign.end()
    assert worker().requeue_abandoned(is_dead) == 1
    assert jobs.get(job.id).state == "queued"


def test_the_same_preview_again_is_let_go_with_the_job(jobs, order, worker, stored):
    id = jobs.submit(ANN, order()).id
    first = worker("first").claim()
    worker("first").report_progress(first, Step(1, 2), b"preview")
    worker("first").give_all_back()
    second = worker("second").claim()
    worker("second").report_progress(second, Step(1, 2), b"preview")
    assert jobs.get(id).preview
    worker("second").finish(second, attempt_output())
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}


def test_what_was_lost_keeps_its_place(jobs, order, worker):
    first, _ = (jobs.submit(ANN, order()) for _ in range(2))
    worker().claim()
    worker().requeue_abandoned(lambda name: True)
    assert worker().claim().id == first.id


def test_losses_stay_when_a_job_ends(jobs, refining, worker):
    job = refining()
    worker().report_progress(job, Step(1, 1), None, [row_of(1)])
    worker().finish(job, attempt_output())
    assert jobs.get(job.id).losses == [row_of(1)]


def test_pastiches_need_not_wait_behind_refinements(jobs, order, worker):
    slow, quick, slower, quicker = (
        jobs.submit(ANN, order(method=method)).id for method in ("gatys", "magenta", "gatys", "magenta")
    )
    assert [jobs.position(id) for id in (slow, quick, slower, quicker)] == [0, 0, 2, 1]
    assert worker().claim(short_first=True).id == quick
    assert worker().claim(only_short=True).id == quicker
    assert worker().claim(only_short=True) is None
    assert [worker().claim(short_first=True).id for _ in range(2)] == [slow, slower]
