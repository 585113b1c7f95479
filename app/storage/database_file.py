"""The file of an SQLite database: its user's alone, and the same one for as long as the process lives.

What is written into a file that was deleted or replaced would be lost.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine, event

_SUFFIXES = ("", "-wal", "-shm")  # SQLite makes the others with the first one's permissions


def make_private(path: Path) -> None:
    """Make the file, unless it is there, and keep it and its companions from other users of the machine."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError, PermissionError):  # another user's file is that user's to share
            path.with_name(path.name + suffix).chmod(0o600)


class DatabaseFile:
    """A file that must stay the one it was when it was first opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def guard(self, engine: Engine) -> None:
        """Let no connection of the engine be made or used once the file is another one."""
        event.listen(engine, "do_connect", lambda *_: self._prepare())
        event.listen(engine, "connect", lambda *_: self._remember())
        event.listen(engine, "checkout", self._check_connection)

    def check(self) -> None:
        """Raise OperationalError where the file was deleted or replaced since it was opened."""
        if self._opened is not None and self._identity() != self._opened:
            raise OperationalError(f"{self._path} was deleted or replaced while it was in use: start the server again")

    def _prepare(self) -> None:
        self.check()  # else SQLite would make a new, empty file
        if self._opened is None:
            make_private(self._path)

    def _check_connection(self, connection: Any, record: Any, proxy: Any) -> None:
        self.check()

    def _remember(self) -> None:
        if self._opened is None:
            self._opened = self._identity()

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino
