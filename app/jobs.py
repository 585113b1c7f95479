"""Long work that outlives any process: the table of jobs is the truth, and a message only says that it is worth a look.

    queued ──> running ──> done
                           cancelled, with the best picture so far where there is one
                           failed, and why

Here is what those see who want something painted; attempts.py is the side of those who paint.
"""

from __future__ import annotations

import json
import logging
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy import func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.failures import Busy, Missing
from app.library import Library
from app.orders import Order
from app.tables import JobRow
from model.errors import InvalidOption

_log = logging.getLogger(__name__)

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = frozenset({"done", "failed", "cancelled"})
_POLL = 0.3  # seconds between two looks at a job that somebody watches


class QueueFull(Busy):
    """As many jobs wait as may."""

    retry_after = 30


@dataclass(frozen=True)
class Job:
    """A row of the table as it was when read."""

    id: str
    owner: str
    open: bool
    state: State
    asked: dict[str, Any]
    idempotency_key: str | None
    order_digest: str
    step: int
    steps: int
    seconds_left: float | None
    preview: str | None
    cancelling: bool
    attempts: int
    worker: str | None
    lease_until: float | None
    error: dict[str, Any] | None
    created: float
    started: float | None
    finished: float | None
    expires: float

    @classmethod
    def of(cls, row: JobRow) -> Self:
        columns = {field.name: getattr(row, field.name) for field in fields(cls) if field.name != "asked"}
        return cls(asked=row.order, **columns)

    @cached_property
    def order(self) -> Order:
        """Read when it is needed, so that one which an older version wrote cannot hold up the queue."""
        return Order.model_validate(self.asked)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def shown(self) -> tuple[object, ...]:
        """What somebody who watches it sees change."""
        return self.state, self.step, self.steps, self.preview, self.cancelling, self.attempts


class Jobs:
    def __init__(self, library: Library, huey: Huey, *, most: int, lease: float = 15, attempts: int = 3) -> None:
        """most: jobs that may wait. lease: seconds without a sign of life until a job is given anew.

        attempts: workers that one job may cost.
        """
        self.huey = huey
        self.lease = lease
        self.attempts = attempts
        self._library = library
        self._most = most
        self._answer: Callable[[], object] = lambda: None
        self._wake_up = huey.task(name="wake_up")(lambda: self._answer())

    def submit(self, owner: str, order: Order, *, open: bool = False, idempotency_key: str | None = None) -> Job:
        """The accepted job, or the one that was accepted under this key before; QueueFull when too many wait."""
        try:
            job = self._accept(owner, order, open, idempotency_key)
        except IntegrityError:  # the same key twice at once: now the other one is there to be found
            job = self._accept(owner, order, open, idempotency_key)
        self.wake()
        return job

    def _accept(self, owner: str, order: Order, open: bool, key: str | None) -> Job:
        with self._library.begin() as session:
            if earlier := _earlier(session, owner, order, key):
                return Job.of(earlier)
            self._check_room(session, owner)
            row = self._row(owner, order, open, key)
            session.add(row)
            session.flush()
            self._library.hold(session, row.id, order.keys())
            return Job.of(row)

    def _check_room(self, session: Session, owner: str) -> None:
        if _waiting(session) >= self._most:
            raise QueueFull("Too many pictures wait to be painted already. Please try again in half a minute.")
        if _waiting(session, JobRow.owner == owner) >= math.ceil(self._most / 2):
            raise QueueFull("So many of your pictures wait already that others must come first. Please try again soon.")

    def _row(self, owner: str, order: Order, open: bool, key: str | None) -> JobRow:
        now = time.time()
        return JobRow(
            id=uuid.uuid4().hex,
            owner=owner,
            open=open,
            state="queued",
            order=order.model_dump(mode="json"),
            idempotency_key=key,
            order_digest=order.digest,
            step=0,
            steps=0,
            cancelling=False,
            attempts=0,
            created=now,
            expires=now + self._library.keep_hours * 3600,
        )

    def get(self, id: str) -> Job:
        with self._library.reading() as session:
            return Job.of(find(session, id))

    def of_owner(self, owner: str, limit: int = 100) -> list[Job]:
        """Newest first."""
        theirs = select(JobRow).where(JobRow.owner == owner).order_by(JobRow.created.desc(), JobRow.id).limit(limit)
        with self._library.reading() as session:
            return [Job.of(row) for row in session.scalars(theirs)]

    def position(self, id: str) -> int:
        """How many jobs come before this one; 0: it is next, or has had its turn."""
        with self._library.reading() as session:
            row = find(session, id)
            if row.state != "queued":
                return 0
            return _waiting(session, tuple_(JobRow.created, JobRow.id) < (row.created, row.id))

    def cancel(self, id: str) -> Job:
        """A queued job ends at once; a running one at its next step, and keeps its best picture so far."""
        with self._library.begin() as session:
            row = find(session, id, lock=True)
            if row.state == "queued":
                end(self._library, session, row, "cancelled")
            elif row.state == "running":
                row.cancelling = True
            session.flush()
            return Job.of(row)

    def changed(self, id: str, since: Job | None, timeout: float) -> Job:
        """The job as soon as it shows something else than `since`, or as it is after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            job = self.get(id)
            left = deadline - time.monotonic()
            if since is None or job.shown != since.shown or left <= 0:
                return job
            time.sleep(min(_POLL, left))

    def listen(self, answer: Callable[[], object]) -> None:
        """`answer` is called for each wake-up that a consumer in this process receives."""
        self._answer = answer

    def wake(self) -> None:
        """Lost, it is sent anew by the next worker that looks; so that a queue out of reach refuses no job."""
        try:
            self._wake_up()
        except Exception:
            _log.exception("no worker could be told that a job waits")

    def wake_for_waiting(self) -> None:
        """One message for all, as one woken worker goes on until none waits."""
        with self._library.reading() as session:
            waiting = _waiting(session)
        if waiting and not self.huey.pending_count():
            self.wake()


def find(session: Session, id: str, lock: bool = False) -> JobRow:
    row = session.get(JobRow, id, with_for_update=lock)
    if row is None or (row.state in ENDED and row.expires <= time.time()):
        raise Missing("There is no such job.")
    return row


def end(library: Library, session: Session, row: JobRow, state: State, error: dict[str, Any] | None = None) -> None:
    """The pictures of the order stay until it expires: whoever sent them may want to try it again, or another way."""
    row.state, row.error, row.finished = state, error, time.time()
    row.expires = row.finished + library.keep_hours * 3600
    row.worker = row.lease_until = row.seconds_left = row.preview = None
    library.release(session, holder_of_preview(row.id))


def holder_of_preview(id: str) -> str:
    """Apart from the job itself, since each preview takes the place of the one before."""
    return f"{id}/preview"


def _earlier(session: Session, owner: str, order: Order, key: str | None) -> JobRow | None:
    if key is None:
        return None
    row = session.scalars(select(JobRow).where(JobRow.owner == owner, JobRow.idempotency_key == key)).first()
    if row and row.order_digest != order.digest:
        sentence = "This Idempotency-Key came with another order before. Use a new key for each order."
        raise InvalidOption(sentence, "Idempotency-Key")
    return row


def _waiting(session: Session, *conditions: Any) -> int:
    return session.scalars(select(func.count()).where(JobRow.state == "queued", *conditions)).one()


class _Messages(Serializer):  # type: ignore[misc]
    """JSON in place of pickle, so that nobody who writes into the queue runs code here."""

    def _serialize(self, message: Message) -> bytes:
        return json.dumps(message).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


def open_queue(url: str, data_dir: Path) -> Huey:
    """redis://…, or a file of SQLite in `data_dir`."""
    options = {"name": "style-transfer", "results": False, "serializer": _Messages()}
    if not url:
        return SqliteHuey(filename=str(data_dir / "queue.sqlite3"), **options)
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisHuey(url=url, **options)
    raise ValueError(f"STYLE_QUEUE_URL={url!r}: must begin with redis://, rediss:// or unix://, or be left empty.")
