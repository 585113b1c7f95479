"""Servers of Redis and PostgreSQL for the tests that need them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import redis

from tests.conftest import skip_or_fail


class Services(NamedTuple):
    """Values of STYLE_DATABASE_URL and STYLE_QUEUE_URL."""

    database_url: str
    queue_url: str


@pytest.fixture(params=["sqlite", "redis and postgres"])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Services:
    """Empty services; the test runs on each kind."""
    if request.param == "sqlite":
        return Services(f"sqlite:///{tmp_path / 'library.sqlite3'}", "")
    return Services(request.getfixturevalue("postgres_database"), request.getfixturevalue("redis_queue"))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of one server for the session; `redis_queue` empties it."""
    program, port = _program("redis-server"), free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with _folder() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        with _running(command, folder, lambda: _pong(url)):
            yield url


@pytest.fixture
def redis_queue(redis_url: str) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of one server for the session; `postgres_database` adds a database to it."""
    initdb, postgres, port = _program("initdb"), _program("postgres"), free_port()
    url = f"postgresql://style@127.0.0.1:{port}/postgres"
    with _folder() as folder:
        data = folder / "data"
        _run([initdb, "-D", str(data), "-U", "style", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], folder)
        command = [postgres, "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
        with _running(command, folder, lambda: psycopg.connect(url).close()):
            yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """The address of a new, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return f"{postgres_url.rpartition('/')[0]}/{name}"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _pong(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.ping()


def _program(name: str) -> str:
    """Find a program, also where Debian installs PostgreSQL: off the path, in a folder for each version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, folders)])
    return shutil.which(name, path=path) or skip_or_fail(f"There is no {name} on this machine.")


def _unprivileged_user() -> str | None:
    """Return a user for PostgreSQL, which refuses to run as root; None when this process is not root."""
    if os.geteuid() != 0:
        return None
    return next(user.pw_name for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody"))


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder with a short path, for PostgreSQL's socket, which that user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="style-", ignore_cleanup_errors=True) as name:
        if user := _unprivileged_user():
            shutil.chown(name, user)
        yield Path(name)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, user=_unprivileged_user(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(command: list[str], folder: Path, ready: Callable[[], object], seconds: float = 30) -> Iterator[None]:
    """Run `command`, once `ready` no longer raises."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, user=_unprivileged_user(), stdout=output, stderr=output)
    try:
        _wait(ready, process, log, time.monotonic() + seconds)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # SIGTERM lets PostgreSQL wait until its last client leaves
        process.wait(30)


def _wait(ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path, deadline: float) -> None:
    while True:
        try:
            ready()
            return
        except (psycopg.OperationalError, redis.ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{process.args} did not come up.\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
