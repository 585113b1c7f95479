"""The table of jobs, on SQLite and on Redis and PostgreSQL: nothing is lost, nothing takes effect twice."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huey import Huey

from app.failures import Missing
from app.jobs.attempts import AttemptOutput, Attempts
from app.jobs.liveness import Heartbeat, is_dead
from app.jobs.order import OPTIONS_BY_METHOD, Order, OrderStyle
from app.jobs.queue import Job, Jobs, QueueFull, open_queue
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from app.storage.tables import JobRow
from model.errors import InvalidOption
from model.progress import Step

if TYPE_CHECKING:
    from tests.support.services import Services


ANN, BOB = "a" * 32, "b" * 32
FAILED = {"code": "broken_image", "message": "This picture is damaged.", "field": "content"}


def nobody(worker: str) -> bool:
    return False


def painted(complete: bool = True, picture: bytes = b"the picture") -> AttemptOutput:
    files = {"picture": picture, "before": b"before", "thumbnail": b"thumbnail"}
    return AttemptOutput(
        **files, width=4, height=3, seconds=0.5, weights="w", recipe={"strength": 1}, complete=complete
    )


@pytest.fixture
def library(services: Services, tmp_path: Path) -> Iterator[Library]:
    library = Library(services.database_url, BlobStore(str(tmp_path / "pictures")), keep_hours=1)
    yield library
    library.close()


@pytest.fixture
def queue(services: Services, tmp_path: Path) -> Huey:
    return open_queue(services.queue_url, tmp_path)


@pytest.fixture
def jobs(library: Library, queue: Huey) -> Jobs:
    return Jobs(library, queue, most=20)


@pytest.fixture
def order(library: Library) -> Callable[..., Order]:
    def made(photo: bytes = b"photo", owner: str = ANN, method: str = "magenta", **options: object) -> Order:
        content, style = (library.put_picture(owner, data) for data in (photo, b"style"))
        return Order(
            content=content,
            content_name="photo",
            styles=[OrderStyle(name="swirl", picture=style)],
            method=method,
            options=OPTIONS_BY_METHOD[method](**options),
        )

    return made


@pytest.fixture
def stored(library: Library, tmp_path: Path) -> Callable[[], set[bytes]]:
    """What the files hold that are there."""
    store = BlobStore(str(tmp_path / "pictures"))
    return lambda: set(map(store.get, store.keys()))


@pytest.fixture
def worker(jobs: Jobs, library: Library) -> Callable[..., Attempts]:
    return lambda name="worker": Attempts(jobs, library, name)


@pytest.fixture
def lapse(library: Library) -> Callable[[Job], None]:
    """No sign of life of this job's attempt for too long."""

    def run_out(job: Job) -> None:
        with library.begin() as session:
            session.get(JobRow, job.id).lease_until = time.time() - 1

    return run_out


def test_a_job_waits_as_it_was_accepted(jobs, order):
    asked = order(strength=0.5)
    job = jobs.submit(ANN, asked)
    assert jobs.get(job.id) == job
    assert (job.state, job.owner, job.order, job.open, job.attempts) == ("queued", ANN, asked, False, 0)
    assert job.expires > time.time()


def test_what_is_not_there_is_missing(jobs):
    for ask in (jobs.get, jobs.position, jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(Missing):
            ask("f" * 32)


def test_the_queue_is_served_in_order(jobs, order, worker):
    accepted = [jobs.submit(ANN, order()) for _ in range(3)]
    assert [jobs.position(job.id) for job in accepted] == [0, 1, 2]
    first = worker().claim()
    assert first.id == accepted[0].id
    assert (first.state, first.attempts, first.worker) == ("running", 1, "worker")
    assert [jobs.position(job.id) for job in accepted] == [0, 0, 1]


def test_a_full_queue_takes_no_more(library, queue, order):
    jobs = Jobs(library, queue, most=2)
    for owner in (ANN, BOB):
        jobs.submit(owner, order(owner=owner))
    with pytest.raises(QueueFull, match="Too many pictures"):
        jobs.submit(ANN, order())


def test_nobody_takes_more_than_half_of_the_queue(library, queue, order):
    jobs = Jobs(library, queue, most=4)
    for _ in range(2):
        jobs.submit(ANN, order())
    with pytest.raises(QueueFull, match="your pictures"):
        jobs.submit(ANN, order())
    jobs.submit(BOB, order(owner=BOB))


def test_room_can_be_looked_for_before_anything_is_stored(library, queue, order):
    jobs = Jobs(library, queue, most=2)
    jobs.check_room(ANN, None)
    jobs.submit(ANN, order(), idempotency_key="k")
    jobs.check_room(BOB, "k")
    jobs.check_room(ANN, "k")  # it is to be had already
    for key in (None, "another"):
        with pytest.raises(QueueFull, match="your pictures"):
            jobs.check_room(ANN, key)


def test_the_jobs_of_an_owner(jobs, order):
    first, second = (jobs.submit(ANN, order()).id for _ in range(2))
    jobs.submit(BOB, order(owner=BOB))
    assert [job.id for job in jobs.of_owner(ANN)] == [second, first]
    assert [job.id for job in jobs.of_owner(ANN, limit=1)] == [second]


def test_what_has_expired_is_missing_before_it_is_swept(jobs, order, library):
    ended, waiting = (jobs.submit(ANN, order()).id for _ in range(2))
    jobs.cancel(ended)
    with library.begin() as session:
        for id in (ended, waiting):
            session.get(JobRow, id).expires = time.time() - 1
    with pytest.raises(Missing):
        jobs.get(ended)
    assert jobs.get(waiting).state == "queued"


def test_one_key_is_one_job(jobs, order):
    first = jobs.submit(ANN, order(), idempotency_key="k")
    assert jobs.submit(ANN, order(), idempotency_key="k").id == first.id
    assert jobs.submit("b" * 32, order(), idempotency_key="k").id != first.id
    with pytest.raises(InvalidOption) as refused:
        jobs.submit(ANN, order(strength=0.5), idempotency_key="k")
    assert refused.value.field == "Idempotency-Key"


def test_one_key_is_one_job_in_a_full_queue_too(library, queue, order):
    jobs = Jobs(library, queue, most=1)
    first = jobs.submit(ANN, order(), idempotency_key="k")
    assert jobs.submit(ANN, order(), idempotency_key="k").id == first.id


def test_one_key_many_times_at_once_is_one_job(jobs, order):
    asked = order()
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: jobs.submit(ANN, asked, idempotency_key="k"), range(12)))
    assert len({job.id for job in made}) == 1


def test_no_two_workers_get_the_same_job(jobs, order, worker):
    accepted = {jobs.submit(ANN, order()).id for _ in range(8)}
    with ThreadPoolExecutor(6) as threads:
        claimed = list(threads.map(lambda i: worker(f"worker {i}").claim(), range(12)))
    assert sorted(job.id for job in claimed if job) == sorted(accepted)


def test_a_queued_job_is_cancelled_at_once(jobs, order, worker, stored):
    job = jobs.submit(ANN, order())
    assert jobs.cancel(job.id).state == "cancelled"
    assert worker().claim() is None
    assert stored() == {b"photo", b"style"}  # to try again


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
    assert attempt.finish(job, painted())
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
    assert attempt.finish(job, painted(complete=False))
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


def test_what_is_done_cannot_be_cancelled(jobs, order, worker):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    attempt.finish(job, painted())
    assert jobs.cancel(job.id) == jobs.get(job.id)
    assert jobs.get(job.id).state == "done"


def test_a_lease_that_ran_out_gives_the_job_to_another(jobs, order, worker, lapse):
    first, second = worker("first"), worker("second")
    jobs.submit(ANN, order())
    job = first.claim()
    assert second.requeue_abandoned(nobody) == 0
    lapse(job)
    assert second.requeue_abandoned(nobody) == 1
    again = second.claim()
    assert (again.id, again.attempts) == (job.id, 2)


def test_signs_of_life_keep_the_job(jobs, order, worker, lapse):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    lapse(job)
    attempt.renew([job.id])
    assert worker("other").requeue_abandoned(nobody) == 0
    assert jobs.get(job.id).lease_until > time.time()


def test_a_worker_thought_dead_changes_nothing_when_it_wakes(jobs, order, worker, lapse, stored):
    first, second = worker("first"), worker("second")
    jobs.submit(ANN, order())
    old = first.claim()
    lapse(old)
    second.requeue_abandoned(nobody)
    new = second.claim()
    assert not first.report_progress(old, Step(1, 2), b"stale preview")
    assert not first.finish(old, painted(picture=b"stale"))
    first.fail(old, FAILED)
    first.retry(old, FAILED)
    first.give_back(old)
    first.renew([old.id])
    first.give_all_back()
    assert jobs.get(old.id) == new
    assert second.finish(new, painted())
    assert not first.finish(old, painted(picture=b"stale"))
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}


def test_the_same_worker_may_be_the_one_that_takes_over(jobs, order, worker, lapse):
    jobs.submit(ANN, order())
    attempt = worker()
    old = attempt.claim()
    lapse(old)
    attempt.requeue_abandoned(nobody)
    new = attempt.claim()
    assert not attempt.finish(old, painted())
    assert attempt.finish(new, painted())


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
    assert not attempt.finish(job, painted(complete=False))
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
    assert not attempt.finish(job, painted())
    assert stored() == set()
    with pytest.raises(Missing):
        jobs.get(job.id)


def test_who_watches_is_told_of_a_change(jobs, order, worker):
    job = jobs.submit(ANN, order())
    change = threading.Timer(0.1, worker().claim)
    change.start()
    assert jobs.wait_for_change(job.id, job, timeout=10).state == "running"
    change.join()


def test_who_watches_is_told_after_a_while_that_nothing_changed(jobs, order):
    job = jobs.submit(ANN, order())
    assert jobs.wait_for_change(job.id, None, timeout=10) == job
    assert jobs.wait_for_change(job.id, job, timeout=0.05) == job


def test_a_queue_out_of_reach_refuses_no_job(jobs, order, monkeypatch, caplog):
    def refuse(*_: object) -> None:
        raise ConnectionError("no queue today")

    monkeypatch.setattr(jobs.huey.storage, "enqueue", refuse)
    job = jobs.submit(ANN, order())
    assert jobs.get(job.id).state == "queued"
    assert "no queue today" in caplog.text


def test_one_message_is_sent_anew_for_all_that_wait(jobs, order):
    for _ in range(3):
        jobs.submit(ANN, order())
    jobs.huey.flush()
    jobs.wake_if_queued()
    jobs.wake_if_queued()
    assert jobs.huey.pending_count() == 1


def test_no_message_is_sent_when_none_waits(jobs):
    jobs.wake_if_queued()
    assert jobs.huey.pending_count() == 0


def test_a_message_is_json(jobs, queue):
    jobs.wake()
    assert "app.jobs.wake_up" in json.loads(queue.storage.dequeue())
    queue.storage.enqueue(pickle.dumps(print))
    with pytest.raises(UnicodeDecodeError):
        queue.dequeue()


def test_an_unknown_queue_is_refused(tmp_path):
    with pytest.raises(ValueError, match="STYLE_QUEUE_URL='amqp://somewhere': must begin with redis://"):
        open_queue("amqp://somewhere", tmp_path)


def test_a_worker_shows_that_it_lives():
    sign = Heartbeat()
    assert not is_dead(sign.name)
    sign.end()
    assert is_dead(sign.name)


def test_of_workers_elsewhere_nothing_is_known():
    assert not is_dead("elsewhere-1")
    assert not is_dead("")


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
    worker("second").finish(second, painted())
    assert stored() == {b"photo", b"style", b"the picture", b"before", b"thumbnail"}


@pytest.fixture
def refining(jobs, order, worker) -> Callable[..., Job]:
    """A refinement that a worker has begun."""

    def begin(name: str = "worker") -> Job:
        id = jobs.submit(ANN, order(method="gatys")).id
        job = worker(name).claim()
        assert job.id == id
        return job

    return begin


def row_of(step: int) -> list[float]:
    return [step, 0.4, 0.3, 0.2, 0.1]


def test_a_pastiche_cannot_be_paused(jobs, order):
    job = jobs.submit(ANN, order())
    for ask in (jobs.pause, jobs.resume):
        with pytest.raises(InvalidOption, match="Only a refinement can be paused") as refused:
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
    worker().finish(job, painted())
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
    assert worker().finish(last, painted(complete=False))
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
    lapse(old)
    worker().requeue_abandoned(nobody)
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
    assert worker().finish(last, painted(complete=False))
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


def test_what_was_lost_keeps_its_place(jobs, order, worker):
    first, _ = (jobs.submit(ANN, order()) for _ in range(2))
    worker().claim()
    worker().requeue_abandoned(lambda name: True)
    assert worker().claim().id == first.id


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


def test_what_has_not_ended_is_found(jobs, order, library):
    expired, paused, ended, waiting = (jobs.submit(ANN, order(method="gatys")).id for _ in range(4))
    for id in (expired, paused):
        jobs.pause(id)
    jobs.cancel(ended)
    jobs.submit(BOB, order(owner=BOB))
    with library.begin() as session:
        session.get(JobRow, expired).expires = time.time() - 1
        session.get(JobRow, waiting).expires = time.time() - 1
    assert [job.id for job in jobs.unfinished(ANN)] == [waiting, paused]


def test_a_worker_lost_while_it_should_pause_leaves_a_paused_job(jobs, refining, worker):
    job = refining()
    jobs.pause(job.id)
    worker().requeue_abandoned(lambda name: True)
    assert jobs.get(job.id).state == "paused"


def test_losses_stay_when_a_job_ends(jobs, refining, worker):
    job = refining()
    worker().report_progress(job, Step(1, 1), None, [row_of(1)])
    worker().finish(job, painted())
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
