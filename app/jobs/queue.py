"""Jobs: long work that survives every process. Their state is in the database; a queued message only wakes a worker.

    queued ──> running ──> done
      ↑  ↘        ↓        cancelled, with the best picture so far where there is one
      └───── paused        failed, and why

Refinements and trainings can be paused, and go on from their checkpoints, as they do when their worker was lost.
Trainings wait in a queue of their own: painters never claim them, and nobody waits behind them.

This module is the clients' side of the table of jobs; attempts.py is the workers' side.
"""

from __future__ import annotations

import json
import logging
import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.failures import AlreadyTraining, Busy, Missing
from app.jobs.order import REFINEMENT_METHODS, TRAINING_METHOD, JobMethod, Order, TrainingOrder
from app.storage.database_file import make_private
from app.storage.library import ACTIVE_STATES, Library, holder_of_checkpoint, holder_of_preview
from app.storage.tables import JobRow
from model.errors import InvalidOption

_log = logging.getLogger(__name__)

JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
ENDED_STATES = frozenset({"done", "failed", "cancelled"})
_TO_RENDER: ColumnElement[bool] = ~JobRow.cancelling  # else only its checkpoint is to be saved as its result
_STEPWISE_METHODS = REFINEMENT_METHODS | {TRAINING_METHOD}  # with losses and checkpoints; they can be paused
IS_TRAINING: ColumnElement[bool] = JobRow.method == TRAINING_METHOD
IS_SHORT: ColumnElement[bool] = JobRow.method.not_in(REFINEMENT_METHODS) | JobRow.cancelling  # as Job.short
_MAX_TRAININGS = 3  # of one owner, that may wait
_POLL_SECONDS = 0.3  # between two reads of a job that a client watches


class QueueFull(Busy):
    """No more jobs may wait."""

    retry_after = 30


@dataclass(frozen=True)
class Job:
    """A row of the table of jobs, as it was when it was read."""

    id: str
    owner: str
    open: bool  # anybody who knows its id may read it
    state: JobState
    method: JobMethod
    raw_order: dict[str, Any]
    idempotency_key: str | None
    order_digest: str
    step: int
    steps: int
    seconds_left: float | None
    preview: str | None
    losses: list[list[float]] | None
    checkpoint: dict[str, Any] | None
    cancelling: bool
    pausing: bool
    attempts: int
    worker: str | None
    lease_until: float | None  # by its worker's clock; changes with each sign of life
    error: dict[str, Any] | None
    created: float
    queued: float  # time.time() when it was last put into the queue
    started: float | None
    finished: float | None
    expires: float

    @classmethod
    def of(cls, row: JobRow) -> Self:
        columns = {field.name: getattr(row, field.name) for field in fields(cls) if field.name != "raw_order"}
        return cls(raw_order=row.order, **columns)

    @cached_property
    def order(self) -> Order:
        """Validate the order when it is needed, so that one of an older version cannot stop the queue."""
        if self.is_training:
            raise Missing("This job trains a network, and paints no picture.")
        return Order.model_validate(self.raw_order)

    @cached_property
    def training_order(self) -> TrainingOrder:
        return TrainingOrder.model_validate(self.raw_order)

    @property
    def style_names(self) -> list[str]:
        if self.is_training:
            return [self.training_order.name]
        return [style.name for style in self.order.styles]

    @property
    def ended(self) -> bool:
        return self.state in ENDED_STATES

    @property
    def is_refinement(self) -> bool:
        return self.method in REFINEMENT_METHODS

    @property
    def is_training(self) -> bool:
        return self.method == TRAINING_METHOD

    @property
    def is_stepwise(self) -> bool:
        return self.method in _STEPWISE_METHODS

    @property
    def short(self) -> bool:
        """Tell whether it need not wait behind refinements: a pastiche, or a checkpoint to be saved as the result."""
        return not self.is_stepwise or self.cancelling

    @property
    def visible_state(self) -> tuple[object, ...]:
        """Return what a client that watches the job sees change."""
        return self.state, self.step, self.steps, self.preview, self.cancelling, self.pausing, self.attempts


class Jobs:
    def __init__(self, library: Library, huey: Huey, *, most: int, lease: float = 15, attempts: int = 3) -> None:
        """most: jobs that may wait. lease: seconds without a heartbeat after which a job is given to another worker.

        attempts: how often a job is tried.
        """
        self.huey = huey
        self.lease = lease
        self.attempts = attempts
        self._library = library
        self._most = most
        self._on_wake_up: Callable[[], object] = lambda: None

        def wake_up() -> None:
            self._on_wake_up()

        # Part of a message's name: servers and workers of different releases wake one another.
        wake_up.__module__ = "app.jobs"
        self._send_wake_up = huey.task(name="wake_up")(wake_up)

    def check_room(self, owner: str, idempotency_key: str | None) -> None:
        """Raise QueueFull where `submit` would for a picture, before anything is stored."""
        with self._library.reading() as session:
            if _find_by_key(session, owner, idempotency_key) is None:
                self._check_room(session, owner)

    def submit(
        self, owner: str, order: Order | TrainingOrder, *, open: bool = False, idempotency_key: str | None = None
    ) -> Job:
        """Return the new job, or the one that this key was used for before.

        Raise QueueFull when too many wait, AlreadyTraining where the style's network is being trained.
        """
        try:
            job = self._find_or_add(owner, order, open, idempotency_key)
        except IntegrityError:  # the same key twice at once: now the other job can be found
            job = self._find_or_add(owner, order, open, idempotency_key)
        self.wake()
        return job

    def _find_or_add(self, owner: str, order: Order | TrainingOrder, open: bool, key: str | None) -> Job:
        with self._library.begin() as session:
            if earlier := _find_same_order(session, owner, order, key):
                return Job.of(earlier)
            if isinstance(order, TrainingOrder):
                self._check_training(session, owner, order.style)
            else:
                self._check_room(session, owner)
            row = self._new_row(owner, order, open, key)
            session.add(row)
            session.flush()
            self._library.hold(session, row.id, order.keys())
            return Job.of(row)

    def _check_room(self, session: Session, owner: str) -> None:
        if _count_queued(session, _TO_RENDER, ~IS_TRAINING) >= self._most:
            raise QueueFull("Too many pictures wait to be painted already. Please try again in half a minute.")
        if _count_queued(session, _TO_RENDER, ~IS_TRAINING, JobRow.owner == owner) >= math.ceil(self._most / 2):
            raise QueueFull("So many of your pictures wait already that others must come first. Please try again soon.")

    def _check_training(self, session: Session, owner: str, style: str) -> None:
        if any(row.order["style"] == style for row in _find_trainings(session, owner)):
            raise AlreadyTraining("This style is being taught its network already.")
        self._check_training_room(session, owner)

    def _check_training_room(self, session: Session, owner: str) -> None:
        if _count_queued(session, IS_TRAINING, _TO_RENDER) >= self._most:
            raise QueueFull("Too many styles wait to be taught already. Please try again in a few minutes.")
        if _count_queued(session, IS_TRAINING, _TO_RENDER, JobRow.owner == owner) >= _MAX_TRAININGS:
            raise QueueFull(f"{_MAX_TRAININGS} of your styles wait to be taught already. Please try again later.")

    def _new_row(self, owner: str, order: Order | TrainingOrder, open: bool, key: str | None) -> JobRow:
        now = time.time()
        return JobRow(
            id=uuid.uuid4().hex,
            owner=owner,
            open=open,
            state="queued",
            method=order.method,
            order=order.model_dump(mode="json"),
            idempotency_key=key,
            order_digest=order.digest,
            step=0,
            steps=0,
            cancelling=False,
            pausing=False,
            losses=[] if order.method in _STEPWISE_METHODS else None,
            attempts=0,
            created=now,
            queued=now,
            expires=expiry_time(self._library),
        )

    def get(self, id: str) -> Job:
        with self._library.reading() as session:
            return Job.of(find_row(session, id))

    def of_owner(self, owner: str, limit: int = 100) -> list[Job]:
        """Return the owner's jobs that paint, newest first."""
        theirs = (
            select(JobRow)
            .where(JobRow.owner == owner, ~IS_TRAINING)
            .order_by(JobRow.created.desc(), JobRow.id)
            .limit(limit)
        )
        with self._library.reading() as session:
            return [Job.of(row) for row in session.scalars(theirs)]

    def unfinished(self, owner: str) -> list[Job]:
        """Return all jobs of the owner that have not ended, newest first."""
        unexpired = (JobRow.state == "paused") & (JobRow.expires > time.time())
        theirs = select(JobRow).where(JobRow.owner == owner, or_(JobRow.state.in_(ACTIVE_STATES), unexpired))
        with self._library.reading() as session:
            return [Job.of(row) for row in session.scalars(theirs.order_by(JobRow.created.desc(), JobRow.id))]

    def training_of(self, owner: str, style: str) -> Job | None:
        """Return the job that trains the network of this style, unless it has ended."""
        with self._library.reading() as session:
            rows = _find_trainings(session, owner)
            return next((Job.of(row) for row in rows if row.order["style"] == style), None)

    def delete_training(self, owner: str, style: str) -> None:
        """Delete the job that trains the network of a style that is deleted."""
        if job := self.training_of(owner, style):
            self._library.delete_job(owner, job.id)

    def position(self, id: str) -> int:
        """Count the jobs that come before this one; 0 when it is next, or no longer queued."""
        with self._library.reading() as session:
            row = find_row(session, id)
            if row.state != "queued":
                return 0
            older = tuple_(JobRow.queued, JobRow.id) < (row.queued, row.id)
            if row.method == TRAINING_METHOD:
                return _count_queued(session, older, IS_TRAINING)
            return _count_queued(session, older, ~IS_TRAINING, *([IS_SHORT] if Job.of(row).short else []))

    def cancel(self, id: str) -> Job:
        """End a running job at its next step, with its best picture so far as result; one not begun ends at once."""
        with self._library.begin() as session:
            row = find_row(session, id, lock=True)
            if row.state not in ENDED_STATES and not row.cancelling:
                self._cancel(session, row)
            session.flush()
            job = Job.of(row)
        if job.state == "queued":
            self.wake()
        return job

    def _cancel(self, session: Session, row: JobRow) -> None:
        if row.state != "running" and row.checkpoint is None:
            end_job(self._library, session, row, "cancelled")
            return
        row.cancelling, row.pausing = True, False
        if row.checkpoint:
            row.attempts = int(row.state == "running")  # one more, to make a result of the checkpoint
        if row.state == "paused":
            _enqueue(row)

    def pause(self, id: str) -> Job:
        """Pause a refinement or training, at its next step when it runs.

        One that has ended or is being cancelled stays so.
        """
        with self._library.begin() as session:
            row = _find_stepwise(session, id)
            if row.state == "running":
                row.pausing = not row.cancelling
            elif row.state == "queued" and not row.cancelling:
                pause_row(self._library, row)
            session.flush()
            return Job.of(row)

    def resume(self, id: str) -> Job:
        """Queue a paused job again; raise QueueFull when too many wait. Any other stays as it is."""
        with self._library.begin() as session:
            row = _find_stepwise(session, id)
            if row.state == "paused":
                check_room = self._check_training_room if row.method == TRAINING_METHOD else self._check_room
                check_room(session, row.owner)
                if row.checkpoint and row.error is None:  # with an error it was not paused by its owner
                    row.checkpoint = row.checkpoint | {"paused": True}
                _enqueue(row)
            row.pausing = False
            session.flush()
            job = Job.of(row)
        self.wake()
        return job

    def wait_for_change(self, id: str, since: Job | None, timeout: float) -> Job:
        """Return the job as soon as its visible state differs from `since`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            job = self.get(id)
            left = deadline - time.monotonic()
            if since is None or job.visible_state != since.visible_state or left <= 0:
                return job
            time.sleep(min(_POLL_SECONDS, left))

    def listen(self, on_wake_up: Callable[[], object]) -> None:
        """Call `on_wake_up` for each wake-up that a consumer in this process receives."""
        self._on_wake_up = on_wake_up

    def wake(self) -> bool:
        """Send a wake-up; return False where the queue is out of reach.

        One that is lost is sent again by any worker, so that a broken queue refuses no job.
        """
        try:
            self._send_wake_up()
        except Exception:
            _log.exception("the workers could not be woken for a new job")
            return False
        return True

    def wake_if_queued(self) -> bool:
        """Send one wake-up if anything waits to be painted: one woken worker goes on until nothing does.

        Return False where something waits and nobody can be woken.
        """
        with self._library.reading() as session:
            waiting = _count_queued(session, ~IS_TRAINING)
        return not waiting or self._is_wake_up_pending() or self.wake()

    def _is_wake_up_pending(self) -> bool:
        try:
            return bool(self.huey.pending_count())
        except Exception:
            return False


def find_row(session: Session, id: str, lock: bool = False) -> JobRow:
    row = session.get(JobRow, id, with_for_update=lock)
    if row is None or (row.state not in ACTIVE_STATES and row.expires <= time.time()):
        raise Missing("There is no such job.")
    return row


def _find_stepwise(session: Session, id: str) -> JobRow:
    row = find_row(session, id, lock=True)
    if row.method not in _STEPWISE_METHODS:
        raise InvalidOption("Only a refinement or a training can be paused.", "id")
    return row


def _find_trainings(session: Session, owner: str) -> Sequence[JobRow]:
    """Return the owner's trainings that have not ended."""
    theirs = (JobRow.owner == owner) & IS_TRAINING & JobRow.state.not_in(ENDED_STATES)
    return session.scalars(
        select(JobRow).where(theirs, or_(JobRow.state != "paused", JobRow.expires > time.time()))
    ).all()


def _enqueue(row: JobRow) -> None:
    """Queue a job behind those that wait already."""
    row.state, row.queued, row.error = "queued", time.time(), None


def pause_row(library: Library, row: JobRow) -> None:
    """Pause a job until it is resumed, for as long as a result is kept."""
    row.state, row.pausing, row.expires = "paused", False, expiry_time(library)


def expiry_time(library: Library) -> float:
    """Return when what is kept from now on expires."""
    return time.time() + library.keep_hours * 3600


def end_job(
    library: Library, session: Session, row: JobRow, state: JobState, error: dict[str, Any] | None = None
) -> None:
    """End a job. The pictures of its order stay until it expires: its owner may want to try again, or another way."""
    row.state, row.error, row.finished, row.expires = state, error, time.time(), expiry_time(library)
    row.worker = row.lease_until = row.seconds_left = row.preview = row.checkpoint = None
    row.pausing = False
    library.release(session, holder_of_preview(row.id), holder_of_checkpoint(row.id))


def _find_same_order(session: Session, owner: str, order: Order | TrainingOrder, key: str | None) -> JobRow | None:
    row = _find_by_key(session, owner, key)
    if row and row.order_digest != order.digest:
        sentence = "This Idempotency-Key came with another order before. Use a new key for each order."
        raise InvalidOption(sentence, "Idempotency-Key")
    return row


def _find_by_key(session: Session, owner: str, key: str | None) -> JobRow | None:
    if key is None:
        return None
    return session.scalars(select(JobRow).where(JobRow.owner == owner, JobRow.idempotency_key == key)).first()


def _count_queued(session: Session, *conditions: Any) -> int:
    return session.scalars(select(func.count()).where(JobRow.state == "queued", *conditions)).one()


class _JsonSerializer(Serializer):  # type: ignore[misc]
    """JSON in place of pickle, so that nobody who can write into the queue can run code here."""

    def _serialize(self, message: Message) -> bytes:
        return json.dumps(message).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


def open_queue(url: str, data_dir: Path) -> Huey:
    """Open the queue at redis://…, or in a file of SQLite in `data_dir`."""
    options = {"name": "style-transfer", "results": False, "serializer": _JsonSerializer()}
    if not url:
        make_private(data_dir / "queue.sqlite3")
        return SqliteHuey(filename=str(data_dir / "queue.sqlite3"), **options)
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisHuey(url=url, **options)
    raise ValueError(f"STYLE_QUEUE_URL={url!r}: must begin with redis://, rediss:// or unix://, or be left empty.")
