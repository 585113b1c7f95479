"""The clients' side of the table of jobs, on SQLite and on Redis and PostgreSQL: nothing accepted is lost."""

from __future__ import annotations

import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.failures import Missing
from app.jobs.queue import Jobs, QueueFull, open_queue
from app.storage.tables import JobRow
from model.errors import InvalidOption
from tests.support.jobs import ANN, BOB, attempt_output


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


def test_a_queued_job_is_cancelled_at_once(jobs, order, worker, stored):
    job = jobs.submit(ANN, order())
    assert jobs.cancel(job.id).state == "cancelled"
    assert worker().claim() is None
    assert stored() == {b"photo", b"style"}  # to try again


def test_what_is_done_cannot_be_cancelled(jobs, order, worker):
    jobs.submit(ANN, order())
    attempt = worker()
    job = attempt.claim()
    attempt.finish(job, attempt_output())
    assert jobs.cancel(job.id) == jobs.get(job.id)
    assert jobs.get(job.id).state == "done"


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
