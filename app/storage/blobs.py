"""Picture files and their holders: a file lives as long as a style, a job or a result holds it.

A row is written before its file and deleted after it, so that no crash leaves a file without a row. Whoever changes a
row or its file holds the row's lock, so that a picture can be put while another transaction deletes the same one.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from app.failures import Busy, Missing
from app.storage.blob_store import BlobStore
from app.storage.tables import Base, Holding, PictureRow

_log = logging.getLogger(__name__)

_UNHELD = ~exists().where(Holding.picture == PictureRow.key)
_UNCLAIMED_SECONDS = 3600.0  # that a picture may wait for its first holder
_UNFINISHED_SECONDS = 3600.0  # after which a write counts as abandoned
_BATCH_SIZE = 100  # files removed in one transaction


class StoreFull(Busy):
    """No more bytes may be stored."""

    retry_after = 600


class Blobs:
    def __init__(self, sessions: sessionmaker[Session], store: BlobStore, most_bytes: float) -> None:
        self._sessions = sessions
        self._most_bytes = most_bytes
        self._store = store

    def put(self, owner: str, data: bytes) -> str:
        key = hashlib.sha256(owner.encode() + b"\0" + data).hexdigest()
        new = {"key": key, "owner": owner, "bytes": len(data), "created": time.time(), "state": "new"}
        with self._sessions.begin() as session:
            if (session.scalar(select(func.sum(PictureRow.bytes))) or 0) + len(data) > self._most_bytes:
                raise StoreFull("There is no room for more pictures on this server now. Please try again later.")
            _upsert(session, new)
        with self._sessions.begin() as session:
            _upsert(session, new)  # locks it, and brings it back if it was deleted in between
            self._store.put(key, data)
        return key

    def check_store(self) -> None:
        """Store a file, read it and delete it; raise where that is not possible."""
        self._store.check()

    def get(self, key: str) -> bytes:
        with _missing_if_absent():
            return self._store.get(key)

    def head(self, key: str, count: int) -> bytes:
        with _missing_if_absent():
            return self._store.head(key, count)

    def hold(self, session: Session, holder: str, keys: Iterable[str]) -> None:
        wanted = set(keys)
        present = PictureRow.key.in_(wanted) & (PictureRow.state != "doomed")
        if set(_lock_rows(session, present)) != wanted:
            raise Missing("A picture that was sent has been deleted meanwhile. Please send it again.")
        session.execute(update(PictureRow).where(present).values(state="held"))
        for key in wanted:
            session.execute(_insert(session, Holding, {"picture": key, "holder": holder}).on_conflict_do_nothing())

    def release(self, session: Session, *holders: str) -> None:
        released = session.scalars(delete(Holding).where(Holding.holder.in_(holders)).returning(Holding.picture))
        session.info.setdefault("released", set()).update(released)

    def release_all(self, session: Session, owner: str) -> bool:
        """Doom the owner's pictures; return whether there were any."""
        theirs = (PictureRow.owner == owner) & (PictureRow.state != "doomed")
        _lock_rows(session, theirs)
        session.execute(delete(Holding).where(Holding.picture.in_(select(PictureRow.key).where(theirs))))
        return bool(_mark_doomed(session, theirs))

    def doomed(self, owner: str | None = None) -> Sequence[str]:
        """Return the keys of doomed pictures, of all owners unless one is given."""
        theirs = [PictureRow.owner == owner] if owner is not None else []
        with self._sessions() as session:
            return session.scalars(select(PictureRow.key).where(PictureRow.state == "doomed", *theirs)).all()

    def doom_released(self, session: Session) -> list[str]:
        """Doom what this transaction released, at its end: it may be held again by then. Return the keys."""
        released = session.info.pop("released", None)
        # A picture in state "new" was put again since, by somebody who is about to hold it.
        return _mark_doomed(session, PictureRow.key.in_(released), PictureRow.state == "held") if released else []

    def remove(self, keys: Sequence[str]) -> None:
        """Remove the files of doomed pictures; one that cannot be removed now is left for a later sweep."""
        for start in range(0, len(keys), _BATCH_SIZE):
            try:
                self._remove(keys[start : start + _BATCH_SIZE])
            except Exception:
                _log.exception("files of deleted pictures could not be removed yet")

    def _remove(self, keys: Sequence[str]) -> None:
        with self._sessions.begin() as session:
            doomed = _lock_rows(session, PictureRow.key.in_(keys), PictureRow.state == "doomed")
            for key in doomed:
                self._store.delete(key)
            session.execute(delete(PictureRow).where(PictureRow.key.in_(doomed)))

    def sweep(self, now: float) -> tuple[int, int]:
        """Remove pictures that got no holder, and unfinished files; return how many of each."""
        with self._sessions.begin() as session:
            unclaimed = _mark_doomed(
                session, PictureRow.created < now - _UNCLAIMED_SECONDS, PictureRow.state != "doomed", _UNHELD
            )
        self.remove(self.doomed())
        return len(unclaimed), self._store.sweep(_UNFINISHED_SECONDS)


@contextmanager
def _missing_if_absent() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise Missing("This picture is no longer here.") from None


def _upsert(session: Session, new: dict[str, Any]) -> None:
    changed = {"created": new["created"], "state": new["state"]}
    session.execute(_insert(session, PictureRow, new).on_conflict_do_update(index_elements=["key"], set_=changed))


def _insert(session: Session, table: type[Base], values: dict[str, Any]) -> sqlite.Insert | postgresql.Insert:
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).values(**values)
    return sqlite.insert(table).values(**values)


def _lock_rows(session: Session, *conditions: ColumnElement[bool]) -> Sequence[str]:
    """Lock rows until the transaction ends, in the order of their keys, so that none deadlock; return the keys."""
    rows = select(PictureRow.key).where(*conditions).order_by(PictureRow.key).with_for_update()
    return session.scalars(rows).all()


def _mark_doomed(session: Session, *conditions: ColumnElement[bool]) -> list[str]:
    """Doom those without holders and return their keys. Rows are locked first, so that no holder comes in between."""
    _lock_rows(session, *conditions)
    doomed = update(PictureRow).where(*conditions, _UNHELD).values(state="doomed").returning(PictureRow.key)
    return list(session.scalars(doomed.execution_options(synchronize_session=False)))
