"""The file of an SQLite database: what is written into one that was deleted or replaced would be lost."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine, event


class DatabaseFile:
    """A file that must stay the one it was when it was first opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def guard(self, engine: Engine) -> None:
        """Let no connection of the engine be made or used once the file is another one."""
        event.listen(engine, "do_connect", lambda *_: self.check())  # else SQLite would make a new, empty file
        event.listen(engine, "connect", lambda *_: self._remember())
        event.listen(engine, "checkout", self._check_connection)

    def check(self) -> None:
        """Raise OperationalError where the file was deleted or replaced since it was opened."""
        if self._opened is not None and self._identity() != self._opened:
            raise OperationalError(f"{self._path} was deleted or replaced while it was in use: start the server again")

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
