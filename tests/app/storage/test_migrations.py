"""The tables are migrated from every release, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from app.failures import CannotStart
from app.jobs.queue import Job
from app.storage import database
from app.storage.blob_store import BlobStore
from app.storage.database import Database
from app.storage.library import Library
from app.storage.tables import Base, JobRow
from tests.support.gunicorn import QUICK_COMMAND, ROOT


@pytest.fixture
def url(services) -> str:
    return services.database_url


@pytest.fixture
def opened(url: str) -> Iterator[Database]:
    opened = database.connect(url)
    yield opened
    opened.disconnect()


def test_migrations_make_the_tables_that_the_code_expects(opened: Database) -> None:
    with opened.reading.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_is_migrated_once(opened: Database) -> None:
    before = inspect(opened.reading).get_table_names()
    database.migrate(opened)
    assert inspect(opened.reading).get_table_names() == before


def become_newer(opened: Database) -> None:
    with opened.writing.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_tables_of_a_newer_release_are_refused_in_words(opened: Database, url: str) -> None:
    become_newer(opened)
    with pytest.raises(CannotStart, match=r"version 9999, of a newer release .* up to \d{4}\. Install that release"):
        database.connect(url)


@pytest.mark.parametrize(
    ("program", "status"), [(QUICK_COMMAND, 4), ([sys.executable, "-m", "app", "worker"], 2)], ids=["server", "worker"]
)
def test_programs_that_are_refused_say_why_without_a_traceback(tmp_path, monkeypatch, program, status):
    old = database.connect(f"sqlite:///{tmp_path / 'library.sqlite3'}")
    become_newer(old)
    old.disconnect()
    monkeypatch.setenv("STYLE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "0")
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == status
    assert "of a newer release than this one" in done.stderr
    assert "Traceback" not in done.stderr


def test_processes_that_start_at_once_wait_for_one_another(url: str) -> None:
    count = 6
    together = Barrier(count)

    def start(_: int) -> set[str]:
        together.wait()
        opened = database.connect(url)
        tables = set(inspect(opened.reading).get_table_names())
        opened.disconnect()
        return tables

    with ThreadPoolExecutor(count) as pool:
        assert all(tables >= set(Base.metadata.tables) for tables in pool.map(start, range(count)))


def test_a_new_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = Timer(0.3, other.execute, ["COMMIT"])
    timer.start()
    database.connect(f"sqlite:///{path}").disconnect()
    timer.join()
    other.close()
    with closing(sqlite3.connect(path)) as later:
        assert later.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        database.connect(f"sqlite:///{path}")


ROWS = {
    "pictures": {"key": "c" * 64, "owner": "ann", "bytes": 3, "created": 1e9, "state": "held"},
    "holdings": {"picture": "c" * 64, "holder": "a" * 32},
    "styles": {
        "id": "5" * 32,
        "owner": "ann",
        "name": "The Great Wave",
        "credit": "Hokusai",
        "licence": "public domain",
        "picture": "c" * 64,
        "thumbnail": "c" * 64,
        "vector": b"\0\0\x80?",
        "weights": "magenta-small",
        "weights_sha256": "f" * 64,
        "created": 1e9,
    },
    "jobs": {
        "id": "a" * 32,
        "owner": "ann",
        "open": False,
        "state": "done",
        "order": json.dumps({"content": "c" * 64}),
        "order_digest": "d" * 64,
        "step": 1,
        "steps": 1,
        "cancelling": False,
        "attempts": 1,
        "created": 1e9,
        "expires": 4e9,
    },
    "results": {
        "id": "a" * 32,
        "owner": "ann",
        "picture": "c" * 64,
        "before": "c" * 64,
        "thumbnail": "c" * 64,
        "width": 4,
        "height": 3,
        "seconds": 0.5,
        "weights": "magenta-small",
        "recipe": json.dumps({"strength": 1.0}),
        "order": json.dumps({"content": "c" * 64}),
        "complete": True,
        "created": 1e9,
        "expires": 4e9,
    },
}


def test_what_the_first_release_stored_is_still_there(url: str, tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "migrate", lambda _: None)
        old = database.connect(url)
    database.migrate(old, "0001")
    with old.writing.begin() as connection:
        for table, row in ROWS.items():
            columns = ", ".join(f'"{name}"' for name in row)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES (:{', :'.join(row)})"), row)
    old.disconnect()
    store = BlobStore(str(tmp_path / "pictures"))
    store.put("c" * 64, b"old")
    library = Library(url, store, keep_hours=1)
    with library.reading() as session:
        job = Job.of(session.get_one(JobRow, "a" * 32))
    assert (job.method, job.losses, job.checkpoint, job.pausing) == ("magenta", None, None, False)
    assert job.queued == job.created == 1e9
    [result] = library.results("ann")
    assert library.picture(result.picture) == b"old"
    assert result.recipe == {"strength": 1.0}
    style = library.style("ann", "The Great Wave")
    assert style.vector is not None
    assert style.vector.tolist() == [1.0]
    library.delete_everything("ann")
    library.close()
    assert list(store.keys()) == []


def test_postgres_by_any_of_its_names(postgres_database: str) -> None:
    for name in ("postgresql", "postgres", "postgresql+psycopg"):
        opened = database.connect(postgres_database.replace("postgresql", name, 1))
        assert opened.writing.url.drivername == "postgresql+psycopg"
        opened.disconnect()


def test_a_folder_with_odd_characters(tmp_path: Path) -> None:
    path = tmp_path / "50 % off %(here)s" / "library.sqlite3"
    database.connect(f"sqlite:///{path}").disconnect()
    assert path.exists()


def test_sqlite_keeps_its_word(tmp_path: Path) -> None:
    opened = database.connect(f"sqlite:///{tmp_path / 'library.sqlite3'}")
    for engine in opened:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    opened.disconnect()
