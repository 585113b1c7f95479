"""The styles, results and pictures of the server's users, each for its owner alone."""

from __future__ import annotations

import math
import time
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any, NoReturn, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, Select, delete, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.failures import Missing
from app.storage import database, gallery
from app.storage.blob_store import BlobStore
from app.storage.blobs import Blobs
from app.storage.records import Result, Style, TrainingSummary
from app.storage.tables import JobRow, ResultRow, StyleRow, Text
from model.errors import InvalidOption
from model.style_file import MAX_LENGTHS, StyleFile, vector_from_bytes, vector_to_bytes

__all__ = ["Library", "Missing", "Result", "Style", "SweepCounts"]

MAX_STYLES_PER_OWNER = 200
RowT = TypeVar("RowT", StyleRow, ResultRow, JobRow)
_OWNED_TABLES: tuple[type[JobRow] | type[ResultRow] | type[StyleRow], ...] = (JobRow, ResultRow, StyleRow)
ACTIVE_STATES = ("queued", "running")  # of jobs, which do not expire in them
_BATCH_SIZE = 100  # rows swept in one transaction


@dataclass(frozen=True)
class SweepCounts:
    expired: int
    unclaimed: int
    unfinished: int


class Library:
    """keep_hours: how long a result is kept. most_bytes: of all pictures together."""

    def __init__(self, database_url: str, store: BlobStore, keep_hours: float, most_bytes: float = math.inf) -> None:
        self.keep_hours = keep_hours
        self._database = database.connect(database_url)
        self._reading = sessionmaker(self._database.reading)
        self._writing = sessionmaker(self._database.writing, expire_on_commit=False)
        self._blobs = Blobs(self._writing, store, most_bytes)

    def close(self) -> None:
        """Close the connections to the database; the next use opens new ones."""
        self._database.disconnect()

    def check_writable(self) -> None:
        """Write into the database; raise SQLAlchemyError where that is not possible."""
        database.check_writable(self._database)

    def check_intact(self) -> None:
        """Raise DatabaseError where the database is damaged."""
        database.check_intact(self._database)

    def check_store(self) -> None:
        """Store a file, read it and delete it; raise where that is not possible."""
        self._blobs.check_store()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Begin a transaction that writes. Put pictures before it, not within: SQLite allows one writer at a time."""
        with self._writing.begin() as session:
            yield session
            session.flush()
            doomed = self._blobs.doom_released(session)
        self._blobs.remove(doomed)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._reading() as session:
            yield session

    def put_picture(self, owner: str, data: bytes) -> str:
        """Store a picture and return its key, which differs for each owner. Unless held within an hour, it is swept."""
        return self._blobs.put(owner, data)

    def picture(self, key: str) -> bytes:
        return self._blobs.get(key)

    def head(self, key: str, count: int) -> bytes:
        """Return the first `count` bytes of a picture."""
        return self._blobs.head(key, count)

    def exists(self, key: str) -> bool:
        try:
            return bool(self.head(key, 1))
        except Missing:
            return False

    def hold(self, session: Session, holder: str, keys: Iterable[str]) -> None:
        """Keep pictures as long as `holder` exists: the id of a style, or of a job and its result.

        Raise Missing when one was deleted since it was put.
        """
        self._blobs.hold(session, holder, keys)

    def release(self, session: Session, *holders: str) -> None:
        """Drop holders. Pictures without any other are deleted when the transaction is committed."""
        self._blobs.release(session, *holders)

    def styles(self, owner: str | None) -> list[Style]:
        with self.reading() as session:
            own = select(StyleRow).where(StyleRow.owner == owner).order_by(StyleRow.created, StyleRow.id)
            return [*gallery.shipped(), *map(_to_style, session.scalars(own))]

    def style(self, owner: str | None, name_or_id: str) -> Style:
        with self.reading() as session:
            this = literal(name_or_id, Text()).in_([StyleRow.id, StyleRow.name])
            own = session.scalars(select(StyleRow).where(StyleRow.owner == owner, this))
            row = min(own, key=lambda row: row.id != name_or_id, default=None)  # an id goes before a name
        if row:
            return _to_style(row)
        for style in gallery.shipped():
            if name_or_id in (style.id, style.name):
                return style
        _no_such_style()

    def add_style(
        self,
        owner: str,
        *,
        name: str,
        credit: str,
        licence: str,
        picture: bytes | None,
        thumbnail: bytes,
        vector: np.ndarray | None,
        network: bytes | None = None,
        weights_sha256: str | None,
        weights: str | None,
    ) -> Style:
        words = _check_texts({"name": name, "credit": credit, "licence": licence})
        with self.reading() as session:  # before anything is written
            _check_style_count(session, owner)
            _check_name(session, owner, words["name"])
        row = StyleRow(
            id=uuid.uuid4().hex,
            owner=owner,
            **words,
            picture=None if picture is None else self.put_picture(owner, picture),
            thumbnail=self.put_picture(owner, thumbnail),
            vector=None if vector is None else vector_to_bytes(vector),
            network=None if network is None else self.put_picture(owner, network),
            weights=weights,
            weights_sha256=weights_sha256,
            created=time.time(),
        )
        with self._begin_naming(words["name"]) as session:
            session.add(row)
            self.hold(session, row.id, _keys_of_style(row))
        return _to_style(row)

    def change_style(
        self, owner: str, id: str, *, name: str | None = None, credit: str | None = None, licence: str | None = None
    ) -> Style:
        """Change what is not None."""
        given = {"name": name, "credit": credit, "licence": licence}
        words = _check_texts({field: value for field, value in given.items() if value is not None})
        with self._begin_naming(words.get("name", "")) as session:
            row = _find_owned(session, StyleRow, owner, id) or _no_such_style()
            if words.get("name", row.name) != row.name:
                _check_name(session, owner, words["name"])
            for field, value in words.items():
                setattr(row, field, value)
        return _to_style(row)

    def set_network(
        self, session: Session, owner: str, id: str, network: str, trained: StyleFile, training: TrainingSummary
    ) -> bool:
        """Give a style the network of this key, in place of another; return False where the style is gone."""
        row = _find_owned(session, StyleRow, owner, id)
        if row is None:
            return False
        row.network, row.training = network, asdict(training)
        row.vector = vector_to_bytes(trained.vector)
        row.weights, row.weights_sha256 = trained.weights, trained.weights_sha256
        self._hold_style(session, row)
        return True

    def forget_network(self, owner: str, id: str) -> Style:
        """Take a picture's own network from it; one without stays as it is."""
        with self.begin() as session:
            row = _find_owned(session, StyleRow, owner, id) or _no_such_style()
            if row.picture is None:
                raise InvalidOption("This style is its network: of the painting only the numbers are kept.", "id")
            row.network = row.training = row.vector = row.weights = row.weights_sha256 = None
            self._hold_style(session, row)
        return _to_style(row)

    def _hold_style(self, session: Session, row: StyleRow) -> None:
        self.release(session, row.id)
        self.hold(session, row.id, _keys_of_style(row))

    @contextmanager
    def _begin_naming(self, name: str) -> Iterator[Session]:
        """Begin a transaction that fails when another has just used this name."""
        try:
            with self.begin() as session:
                yield session
        except IntegrityError:
            _refuse_name(name)

    def delete_style(self, owner: str, id: str) -> None:
        with self.begin() as session:
            row = _find_owned(session, StyleRow, owner, id) or _no_such_style()
            session.delete(row)
            self.release(session, row.id)

    def add_result(
        self,
        session: Session,
        job: JobRow,
        *,
        picture: str,
        before: str,
        thumbnail: str,
        width: int,
        height: int,
        seconds: float,
        weights: str,
        recipe: dict[str, Any],
        complete: bool,
    ) -> Result:
        """Add a result. picture, before, thumbnail: keys. The job's own pictures are held as long as its result."""
        now = time.time()
        row = ResultRow(
            id=job.id,
            owner=job.owner,
            picture=picture,
            before=before,
            thumbnail=thumbnail,
            width=width,
            height=height,
            seconds=seconds,
            weights=weights,
            recipe=recipe,
            order=job.order,
            complete=complete,
            created=now,
            expires=now + self.keep_hours * 3600,
        )
        session.add(row)
        self.hold(session, row.id, {picture, before, thumbnail})
        return _to_result(row)

    def results(self, owner: str) -> list[Result]:
        """Return the owner's results, newest first."""
        with self.reading() as session:
            theirs = select(ResultRow).where(ResultRow.owner == owner, _unexpired())
            newest = theirs.order_by(ResultRow.created.desc(), ResultRow.id)
            return [_to_result(row) for row in session.scalars(newest)]

    def result(self, owner: str, id: str) -> Result:
        with self.reading() as session:
            return _to_result(_find_owned(session, ResultRow, owner, id, _unexpired()) or _no_such_result())

    def delete_result(self, owner: str, id: str) -> None:
        with self.begin() as session:
            row = _find_owned(session, ResultRow, owner, id) or _no_such_result()
            self._delete_jobs(session, [row.id])

    def delete_job(self, owner: str, id: str) -> None:
        """Delete a job with its pictures, checkpoint and result; the worker that paints it can store nothing more."""
        with self.begin() as session:
            row = _find_owned(session, JobRow, owner, id) or _no_such_job()
            self._delete_jobs(session, [row.id])

    def delete_everything(self, owner: str) -> None:
        """Delete an owner's data, again and again until none is left, as more may be stored meanwhile."""
        while self._delete_everything(owner):
            pass

    def _delete_everything(self, owner: str) -> bool:
        """Delete once, jobs first: then no worker adds to them. Return whether there were pictures."""
        with self._writing.begin() as session:
            for table in _OWNED_TABLES:
                session.execute(delete(table).where(table.owner == owner))
            had_pictures = self._blobs.release_all(session, owner)
        self._blobs.remove(self._blobs.doomed(owner))
        return had_pictures

    def sweep(self, now: float | None = None) -> SweepCounts:
        """Delete expired rows, pictures that got no holder, and unfinished files."""
        now = time.time() if now is None else now
        results = select(ResultRow.id).where(ResultRow.expires <= now)
        jobs = select(JobRow.id).where(JobRow.expires <= now, JobRow.state.not_in(ACTIVE_STATES))
        expired = self._sweep_expired(results) + self._sweep_expired(jobs)
        return SweepCounts(expired, *self._blobs.sweep(now))

    def _sweep_expired(self, expired: Select[str]) -> int:
        count = 0
        while True:
            with self.begin() as session:
                ids = session.scalars(expired.limit(_BATCH_SIZE)).all()
                self._delete_jobs(session, ids)
            count += len(ids)
            if len(ids) < _BATCH_SIZE:
                return count

    def _delete_jobs(self, session: Session, ids: Sequence[str]) -> None:
        session.execute(delete(JobRow).where(JobRow.id.in_(ids)))
        session.execute(delete(ResultRow).where(ResultRow.id.in_(ids)))
        self.release(session, *ids, *map(holder_of_preview, ids), *map(holder_of_checkpoint, ids))


def holder_of_preview(id: str) -> str:
    """Return the holder of a job's preview, apart from the job itself: each preview replaces the one before."""
    return f"{id}/preview"


def holder_of_checkpoint(id: str) -> str:
    return f"{id}/checkpoint"


def _unexpired() -> ColumnElement[bool]:
    return ResultRow.expires > time.time()


def _find_owned(
    session: Session, table: type[RowT], owner: str, id: str, *conditions: ColumnElement[bool]
) -> RowT | None:
    return session.scalars(select(table).where(table.owner == owner, table.id == id, *conditions)).first()


def _to_style(row: StyleRow) -> Style:
    vector = None if row.vector is None else vector_from_bytes(row.vector).astype("float32")
    return Style(
        id=row.id,
        name=row.name,
        credit=row.credit,
        licence=row.licence,
        own=True,
        picture=row.picture,
        thumbnail=row.thumbnail,
        vector=vector,
        network=row.network,
        training=TrainingSummary(**row.training) if row.training else None,
        weights=row.weights,
        weights_sha256=row.weights_sha256,
        created=row.created,
    )


def _keys_of_style(row: StyleRow) -> set[str]:
    return {key for key in (row.picture, row.thumbnail, row.network) if key}


def _to_result(row: ResultRow) -> Result:
    return Result(**{field.name: getattr(row, field.name) for field in fields(Result)})


def _check_texts(words: dict[str, str]) -> dict[str, str]:
    return {field: _check_text(field, text.strip()) for field, text in words.items()}


def _check_text(field: str, text: str) -> str:
    longest = MAX_LENGTHS[field]
    if len(text) > longest:
        raise InvalidOption(f"The {field} may have at most {longest} characters, not {len(text)}.", field)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidOption(f"The {field} may hold no line breaks or other control characters.", field)
    if field == "name" and not text:
        raise InvalidOption("Give the style a name.", field)
    return text


def _check_style_count(session: Session, owner: str) -> None:
    count = session.scalars(select(func.count()).where(StyleRow.owner == owner)).one()
    if count >= MAX_STYLES_PER_OWNER:
        raise InvalidOption(f"You have {count} styles, and no more fit. Delete one that you no longer need.")


def _check_name(session: Session, owner: str, name: str) -> None:
    if any(name in (style.name, style.id) for style in gallery.shipped()):
        raise InvalidOption(f"'{name}' is the name of a style that is always here. Choose another one.", "name")
    if session.scalars(select(StyleRow.id).where(StyleRow.owner == owner, StyleRow.name == name)).first():
        _refuse_name(name)


def _refuse_name(name: str) -> NoReturn:
    raise InvalidOption(f"You have a style named '{name}' already. Choose another name.", "name")


def _no_such_style() -> NoReturn:
    raise Missing("There is no such style.")


def _no_such_job() -> NoReturn:
    raise Missing("There is no such job.")


def _no_such_result() -> NoReturn:
    raise Missing("There is no such result. It may have expired.")
