"""/readyz says no when work that is accepted would be lost."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import namedtuple

import pytest

from app.http import readiness
from app.http.readiness import Check
from app.storage import database
from tests.support.requests import error_of, upload

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch) -> None:
    """Every question is a new try."""
    plain = Check.__init__
    monkeypatch.setattr(Check, "__init__", lambda self, problem, seconds, attempt: plain(self, problem, 0, attempt))


@pytest.fixture
def ready_client(client, app):
    client.get("/readyz")
    app.extensions["engine"].run(lambda: None)
    assert client.get("/readyz").status_code == 200
    return client


@pytest.fixture
def file(app):
    return app.extensions["settings"].data_dir / "library.sqlite3"


def problem_of(client) -> str:
    answer = client.get("/readyz")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "not_ready")
    assert answer.headers["Retry-After"]
    return error_of(answer)["message"]


def delete(file):
    file.unlink()


def replace_file(file):
    shutil.copyfile(file, f"{file}.backup")
    file.with_name(f"{file.name}.backup").replace(file)


@pytest.mark.parametrize("lose", [delete, replace_file])
def test_a_file_that_is_gone_or_another_one_takes_nothing(ready_client, file, form, photo_png, lose):
    lose(file)
    assert "The database cannot be written." in problem_of(ready_client)
    answer = ready_client.post("/api/v1/jobs", data=form(content=upload(photo_png)))
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert file.exists() == (lose is replace_file)  # no new file without tables is made


def test_a_file_full_of_rubbish(ready_client, file):
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(b"rubbish " * (size // 8))
    assert "The database cannot be written." in problem_of(ready_client)


def test_a_damaged_page(ready_client, app, file):
    app.extensions["library"].close()  # so that all is in the file
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (file.stat().st_size - 4096))
    assert "The database is damaged." in problem_of(ready_client)


def test_a_file_that_can_be_opened_but_not_written(new_app, monkeypatch):
    monkeypatch.setattr(database, "_PROBE_SECONDS", 0.1)
    app = new_app()
    client = app.test_client()
    other = sqlite3.connect(app.extensions["settings"].data_dir / "library.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert problem_of(client) == "The database cannot be written."
    other.close()
    assert "database" not in problem_of(client)


def test_a_store_that_is_gone(ready_client, app):
    shutil.rmtree(app.extensions["settings"].data_dir / "pictures")
    assert problem_of(ready_client) == "Pictures cannot be stored."


def test_what_is_tried_leaves_nothing(ready_client, app):
    assert list((app.extensions["settings"].data_dir / "pictures").iterdir()) == []


def test_a_key_that_is_lost(ready_client, app):
    (app.extensions["settings"].data_dir / "cookie.key").unlink()
    assert problem_of(ready_client) == "The key that signs cookies is lost."


def test_a_key_that_was_set_is_in_no_file(new_app):
    client = new_app(secret_key="0123456789abcdef").test_client()
    assert problem_of(client) == "The model is not loaded yet."


def test_a_disk_with_too_little_left(ready_client, monkeypatch):
    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda folder: Usage(10**12, 10**12, 199e6))
    assert problem_of(ready_client) == "The disk is nearly full."


def test_a_server_that_stops(ready_client, app):
    app.extensions["is_stopping"] = lambda: True
    answer = ready_client.get("/readyz")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "stopping")
    assert ready_client.get("/healthz").status_code == 200


def test_all_that_is_wrong_is_named_and_its_reasons_logged(ready_client, app, caplog):
    folder = app.extensions["settings"].data_dir
    shutil.rmtree(folder / "pictures")
    (folder / "cookie.key").unlink()
    assert problem_of(ready_client) == "Pictures cannot be stored. The key that signs cookies is lost."
    assert str(folder) in caplog.text


def test_many_questions_are_one_try(monkeypatch):
    monkeypatch.undo()
    tries = []
    check = Check("It fails.", 60, lambda: tries.append(1))
    assert [check.problem() for _ in range(9)] == [None] * 9
    assert len(tries) == 1


def test_a_try_that_hangs_is_a_failure(monkeypatch):
    monkeypatch.setattr(readiness, "_PATIENCE_SECONDS", 0.01)
    begun, end = threading.Event(), threading.Event()
    check = Check("It hangs.", 1, lambda: (begun.set(), end.wait(10)))
    thread = threading.Thread(target=check.problem)
    thread.start()
    assert begun.wait(10)
    assert check.problem() == "It hangs."
    end.set()
    thread.join()
