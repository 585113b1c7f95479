"""SQLite databases that are copies of one that was migrated once: to migrate takes longer than most tests."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.storage import database
from app.storage.database import Database

Migrate = Callable[..., None]


def write_template(path: Path) -> Path:
    """Write an empty SQLite database of today's tables."""
    database.connect(f"sqlite:///{path}").disconnect()
    return path


def copying(template: Path, migrate: Migrate) -> Migrate:
    """Return what does as `migrate`, but copies the template where there is no database yet."""

    def copy_or_migrate(opened: Database, revision: str = "head") -> None:
        url = opened.writing.url
        is_new = url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists()
        if is_new and revision == "head":
            _copy(template, Path(url.database or ""))
        else:
            migrate(opened, revision)

    return copy_or_migrate


def _copy(template: Path, path: Path) -> None:
    """Copy it at once, and not over what another thread or process has put there meanwhile."""
    own = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    shutil.copyfile(template, own)
    with suppress(FileExistsError):
        os.link(own, path)
    own.unlink()
