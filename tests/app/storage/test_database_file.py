"""Files of SQLite are their user's alone. That a lost one takes nothing, tests/app/http/test_readiness.py tells."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app import create_services
from app.settings import Settings
from tests.support.fake_painter import FakePainter


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """As on most machines, where others may read what one makes."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "data"


def start(folder: Path) -> None:
    """Do what a server does before its first request, and a little work."""
    services = create_services(Settings(data_dir=folder), FakePainter())
    services["jobs"].wake()
    services["library"].put_picture("ann", b"photo")
    assert permissions(folder / "library.sqlite3-wal") == 0o600
    services["library"].close()


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_made_is_for_its_user_alone(folder):
    start(folder)
    assert permissions(folder) == permissions(folder / "pictures") == 0o700
    assert {path.name for path in files_below(folder)} >= {"library.sqlite3", "queue.sqlite3"}
    assert {permissions(path) for path in files_below(folder)} == {0o600}


def test_files_in_a_folder_that_others_see_are_private_too(folder):
    folder.mkdir(parents=True)
    start(folder)
    assert {permissions(path) for path in files_below(folder)} == {0o600}


def test_files_of_an_earlier_version_become_private(folder):
    folder.mkdir(parents=True)
    for name in ("library.sqlite3", "queue.sqlite3"):
        with closing(sqlite3.connect(folder / name)) as file:
            file.execute("PRAGMA journal_mode = WAL")
        assert permissions(folder / name) == 0o644
    start(folder)
    assert {permissions(path) for path in files_below(folder)} == {0o600}
