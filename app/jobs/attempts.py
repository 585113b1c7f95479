"""The workers' side of the table of jobs.

A running job belongs to one attempt of one worker, which can write to its row only as long as that is so: a worker
that was taken for dead and wakes up again changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from app import failures
from app.failures import Missing
from app.jobs.leases import LeaseWatch
from app.jobs.queue import IS_SHORT, IS_TRAINING, Job, Jobs, end_job, pause_row
from app.storage.library import Library, holder_of_checkpoint, holder_of_preview
from app.storage.records import TrainingSummary
from app.storage.tables import JobRow
from model.progress import Step
from model.style_file import StyleFile

_WORKER_DIED = {
    "code": "worker_died",
    "message": "The program that paints ended on this picture again and again. Try a smaller size, or other pictures.",
}
_STYLE_DELETED = {"code": "not_found", "message": "The style was deleted while it was being taught."}
_CHECKPOINT_FIELDS = ("picture", "step", "seconds")  # "paused" is for the first attempt after a pause alone
_PICTURE_FIELDS = ("picture", "before", "thumbnail")


@dataclass(frozen=True)
class AttemptOutput:
    """The result of an attempt: picture is a PNG file, before and thumbnail are JPEG files."""

    picture: bytes
    before: bytes
    thumbnail: bytes
    width: int
    height: int
    seconds: float
    weights: str
    recipe: dict[str, Any]
    complete: bool


class Attempts:
    def __init__(self, jobs: Jobs, library: Library, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs = jobs
        self._library = library
        self._worker = worker
        self._leases = LeaseWatch(jobs.lease, clock)

    def claim(self, *, only_short: bool = False, short_first: bool = False) -> Job | None:
        """Claim the picture that has waited longest for this worker; None when none waits.

        only_short: no refinements, unless they are cancelled. short_first: refinements last.
        """
        queued = _QUEUED_ROWS.where(~IS_TRAINING, *([IS_SHORT] if only_short else []))
        return self._claim_first(queued.order_by(*([IS_SHORT.desc()] if short_first else [])))

    def claim_training(self) -> Job | None:
        """Claim the training that has waited longest; one that is cancelled has little left to do and comes first."""
        return self._claim_first(_QUEUED_ROWS.where(IS_TRAINING).order_by(JobRow.cancelling.desc()))

    def _claim_first(self, queued: Select[JobRow]) -> Job | None:
        oldest = queued.order_by(JobRow.queued, JobRow.id).limit(1)
        with self._library.begin() as session:
            row = session.scalars(oldest.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            row.state, row.worker, row.attempts = "running", self._worker, row.attempts + 1
            row.started = time.time()
            row.lease_until = row.started + self._jobs.lease
            _reset_to_checkpoint(row)
            session.flush()
            job = Job.of(row)
            row.checkpoint = row.checkpoint and {name: row.checkpoint[name] for name in _CHECKPOINT_FIELDS}
            return job

    def report_progress(
        self, job: Job, step: Step, preview: bytes | None = None, losses: list[list[float]] | None = None
    ) -> bool:
        """Write the step into the job's row. preview: a JPEG.

        Return False when the attempt must stop: the job is to be cancelled or paused, or belongs to another attempt.
        """
        key = preview and self._library.put_picture(job.owner, preview)
        with self._library.begin() as session:
            row = _lock_row(session, job)
            if row is None:
                self._release_late(session, job, [key] if key else [])
                return False
            row.step, row.steps, row.seconds_left, row.losses = step.step, step.steps, step.seconds_left, losses
            if key:
                row.preview = key
                self._library.release(session, holder_of_preview(row.id))
                self._library.hold(session, holder_of_preview(row.id), [key])
            return not (row.cancelling or row.pausing)

    def save_checkpoint(self, job: Job, state: bytes, step: int, seconds: float) -> None:
        """Save where the next attempt goes on. The count of attempts starts again, as this one has come further.

        state: the picture of a refinement, the file of a training.
        """
        key = self._library.put_picture(job.owner, state)
        with self._library.begin() as session:
            row = _lock_row(session, job)
            if row is None or step <= _checkpoint_step(row):
                self._release_late(session, job, [key])
                return
            row.checkpoint, row.attempts = {"picture": key, "step": step, "seconds": seconds}, 1
            self._library.release(session, holder_of_checkpoint(row.id))
            self._library.hold(session, holder_of_checkpoint(row.id), [key])

    def forget_checkpoint(self, job: Job) -> None:
        """Delete a checkpoint that cannot be read: this attempt begins anew."""
        with self._library.begin() as session:
            if row := _lock_row(session, job):
                row.checkpoint = None
                _reset_to_checkpoint(row)
                self._library.release(session, holder_of_checkpoint(row.id))

    def cancelling(self, job: Job) -> bool:
        """Tell whether this attempt's best picture so far is wanted as the job's result."""
        with self._library.begin() as session:
            row = _lock_row(session, job)
            return row is not None and row.cancelling

    def finish(self, job: Job, output: AttemptOutput) -> bool:
        """Save the result and end the job, both or neither; return False when the attempt is no longer wanted."""
        keys = {name: self._library.put_picture(job.owner, getattr(output, name)) for name in _PICTURE_FIELDS}
        columns: dict[str, Any] = vars(output) | keys
        with self._library.begin() as session:
            row = _lock_row(session, job)
            if row is None or not (output.complete or row.cancelling):
                self._release_late(session, job, keys.values())
                return False
            self._library.add_result(session, row, **columns)
            end_job(self._library, session, row, "done" if output.complete else "cancelled")
            return True

    def finish_training(self, job: Job, trained: StyleFile, training: TrainingSummary) -> bool:
        """Store the network with its style and end the job; return False when the attempt is no longer wanted."""
        assert trained.network is not None
        key = self._library.put_picture(job.owner, trained.network)
        with self._library.begin() as session:
            row = _lock_row(session, job)
            if row is None or not (training.complete or row.cancelling):
                self._release_late(session, job, [key])
                return False
            if self._library.set_network(session, job.owner, job.training_order.style, key, trained, training):
                end_job(self._library, session, row, "done" if training.complete else "cancelled")
            else:
                self._release_late(session, job, [key])
                end_job(self._library, session, row, "failed", _STYLE_DELETED)
            return True

    def end_with(self, job: Job, error: Exception) -> None:
        """Try a job again after an error of the server's, and fail it after one of its order's."""
        end = self.retry if failures.status(error) >= 500 else self.fail
        end(job, failures.public_error(error))

    def fail(self, job: Job, error: dict[str, Any]) -> None:
        """End a job that no other attempt could finish. error: code, message and perhaps field, for the public."""
        with self._library.begin() as session:
            if row := _lock_row(session, job):
                if row.cancelling and row.checkpoint:  # which can still become the result
                    self._retry_or_fail(session, row, error)
                else:
                    self._give_up(session, row, error)
        self._jobs.wake()

    def give_back(self, job: Job) -> None:
        """Give back a job that was paused, cancelled without a picture, or interrupted by the worker's end.

        The attempt does not count.
        """
        with self._library.begin() as session:
            if row := _lock_row(session, job):
                row.attempts -= 1
                self._requeue(session, row)

    def retry(self, job: Job, error: dict[str, Any]) -> None:
        """Queue a job whose attempt failed, or end it with `error` when that was the last attempt."""
        with self._library.begin() as session:
            if row := _lock_row(session, job):
                self._retry_or_fail(session, row, error)
        self._jobs.wake()

    def give_all_back(self) -> None:
        """Give back all jobs of this worker. Their attempts do not count."""
        with self._library.begin() as session:
            rows = session.scalars(_RUNNING_ROWS.where(JobRow.worker == self._worker).with_for_update()).all()
            for row in rows:
                row.attempts -= 1
                self._requeue(session, row)
        if rows:
            self._jobs.wake()

    def renew(self, ids: Collection[str]) -> None:
        """Renew the leases of the jobs that are being painted; one that this worker has lost track of expires."""
        if ids:
            own = (JobRow.state == "running") & (JobRow.worker == self._worker) & JobRow.id.in_(ids)
            with self._library.begin() as session:
                session.execute(update(JobRow).where(own).values(lease_until=time.time() + self._jobs.lease))

    def requeue_abandoned(self, is_dead: Callable[[str], bool]) -> int:
        """Queue or end the jobs whose worker was silent for too long or is dead; return how many there were."""
        with self._library.reading() as session:
            running = [Job.of(row) for row in session.scalars(_RUNNING_ROWS)]
        expired = {job.id for job in self._leases.expired(running)}
        abandoned = [job for job in running if job.id in expired or is_dead(job.worker or "")]
        for job in abandoned:
            with self._library.begin() as session:
                if (row := _lock_row(session, job)) and row.lease_until == job.lease_until:
                    self._retry_or_fail(session, row, _WORKER_DIED)
        return len(abandoned)

    def _retry_or_fail(self, session: Session, row: JobRow, error: dict[str, Any]) -> None:
        if row.attempts >= self._jobs.attempts:
            self._give_up(session, row, error)
        else:
            self._requeue(session, row)

    def _give_up(self, session: Session, row: JobRow, error: dict[str, Any]) -> None:
        """End the job as failed, or pause it when it has a checkpoint, which its owner can resume or keep."""
        if row.checkpoint is None:
            end_job(self._library, session, row, "failed", error)
            return
        row.worker = row.lease_until = row.seconds_left = None
        row.attempts, row.cancelling, row.error = 0, False, error
        pause_row(self._library, row)

    def _requeue(self, session: Session, row: JobRow) -> None:
        """Queue the job for another attempt, unless it is to be cancelled or paused."""
        row.worker = row.lease_until = row.seconds_left = None
        if row.cancelling and row.checkpoint is None:
            end_job(self._library, session, row, "cancelled")
        elif row.pausing:
            pause_row(self._library, row)
        else:
            row.state = "queued"

    def _release_late(self, session: Session, job: Job, keys: Iterable[str]) -> None:
        """Release pictures of an attempt that lost its job; their owner may have deleted everything meanwhile."""
        holder = f"{job.id}/late"
        for key in keys:
            with suppress(Missing):
                self._library.hold(session, holder, [key])
        self._library.release(session, holder)


_QUEUED_ROWS = select(JobRow).where(JobRow.state == "queued")
_RUNNING_ROWS = select(JobRow).where(JobRow.state == "running")


def _lock_row(session: Session, job: Job) -> JobRow | None:
    """Return the locked row; None when the job has ended or belongs to another attempt, which `started` tells apart."""
    this = (JobRow.id == job.id) & (JobRow.worker == job.worker) & (JobRow.started == job.started)
    return session.scalars(_RUNNING_ROWS.where(this).with_for_update()).first()


def _checkpoint_step(row: JobRow) -> int:
    return row.checkpoint["step"] if row.checkpoint else 0


def _reset_to_checkpoint(row: JobRow) -> None:
    row.step = _checkpoint_step(row)
    row.steps = row.steps if row.checkpoint else 0
    if row.losses is not None:
        row.losses = [losses for losses in row.losses if losses[0] <= row.step]
