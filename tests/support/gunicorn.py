"""A gunicorn, started as by `make run`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.services import free_port

ROOT = Path(__file__).resolve().parents[2]
_GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
COMMAND = [*_GUNICORN, "app:create_app()"]
QUICK_COMMAND = [*_GUNICORN, "tests.support.slow_painter:create_app()"]  # with a fake painter, ready at once
UNLIMITED = {"STYLE_RATE_LIMIT": ""}


class Server(NamedTuple):
    address: str
    data: Path
    pid: int


@contextmanager
def running(folder: Path, command: Sequence[str] = COMMAND, path: str = "/readyz", **settings: str) -> Iterator[Server]:
    """Run a gunicorn with the project's configuration, with its data and log in `folder`, once its model is loaded.

    path: where it says that it is ready. settings: environment variables.
    """
    port, data, log = free_port(), folder / "data", folder / "log"
    place = {"HOST": "127.0.0.1", "PORT": str(port), "STYLE_DATA_DIR": str(data)}
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | UNLIMITED | place | settings, stderr=stderr)
    server = Server(f"http://127.0.0.1:{port}", data, process.pid)
    try:
        _wait_until_ready(f"{server.address}{path}", process, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url):  # not listening yet, or 503: it loads
            return
        time.sleep(0.5)
    pytest.fail(f"The server did not get ready; its exit status is {process.poll()}.\n{log.read_text()[-3000:]}")
