"""A library on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from app.storage.blob_store import BlobStore
from app.storage.library import Library
from app.storage.tables import Base


@pytest.fixture(autouse=True)
def _copied_databases() -> None:
    """None is: here each database is migrated."""


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "pictures"))


@pytest.fixture(scope="session")
def one_database(postgres_url: str) -> str:
    """Return the address of one database for all tests: a new one for each would take PostgreSQL a minute."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE library")
    return f"{postgres_url.rpartition('/')[0]}/library"


@pytest.fixture(params=["sqlite", "postgres"])
def library(request, store: BlobStore, tmp_path: Path) -> Iterator[Library]:
    sqlite = f"sqlite:///{tmp_path / 'library.sqlite3'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("one_database")
    library = Library(url, store, keep_hours=24)
    yield library
    with library.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    library.close()


@pytest.fixture
def rows(library: Library) -> Callable[[], dict[str, int]]:
    """Counts the rows of each table that has any."""

    def count() -> dict[str, int]:
        with library.reading() as session:
            counts = {
                name: session.scalars(select(func.count()).select_from(table)).one()
                for name, table in Base.metadata.tables.items()
            }
        return {name: count for name, count in counts.items() if count}

    return count


@pytest.fixture
def files(store: BlobStore) -> Callable[[], int]:
    return lambda: len(list(store.keys()))
