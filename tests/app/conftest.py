"""A server whose painter turns a photo into its negative: quick, and plain to see in the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from app.storage import database
from tests.support.fake_painter import FakePainter
from tests.support.migrated_databases import copying, write_template
from tests.support.requests import upload
from tests.support.stored_results import sign_in


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that holds nothing."""
    return write_template(tmp_path_factory.mktemp("database") / "library.sqlite3")


@pytest.fixture(autouse=True)
def _copied_databases(empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new database is a copy of an empty one."""
    monkeypatch.setattr(database, "migrate", copying(empty_database, database.migrate))


@pytest.fixture
def painter() -> Iterator[FakePainter]:
    """The painter of every app in the test."""
    painter = FakePainter()
    yield painter
    painter.reset()


@pytest.fixture
def new_app(painter, tmp_path) -> Iterator:
    """create_app with other settings; without a worker and without limits unless they are asked for."""
    made = []

    def build(**settings) -> Flask:
        quiet = {"data_dir": tmp_path / "data", "warm_up": False, "worker": False, "rate_limit": ""}
        made.append(create_app(Settings(**(quiet | settings)), painter))
        return made[-1]

    yield build
    for app in made:
        app.extensions["worker"].stop()


@pytest.fixture
def app(new_app) -> Flask:
    return new_app()


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def form(photo_png, painting_png):
    """The smallest good form with other fields, or more of them; None leaves one out."""

    def fields(**more):
        both = {"content": upload(photo_png), "style": upload(painting_png)} | more
        return {name: value for name, value in both.items() if value is not None}

    return fields


@pytest.fixture
def ann(client) -> FlaskClient:
    """Her browser."""
    sign_in(client, "ann")
    return client


@pytest.fixture
def bob(app) -> FlaskClient:
    """Another's."""
    other = app.test_client()
    sign_in(other, "bob")
    return other
