"""Hundreds of difficult files, posted to the server as `make run` starts it: each is painted or refused, none harms."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gunicorn with the project's own configuration, its model loaded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "app:create_app()"]
    environment = os.environ | {"HOST": "127.0.0.1", "PORT": str(port)}
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stderr)
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{address}/readyz"):  # not listening yet, or 503: it loads
            return
        time.sleep(0.5)
    pytest.fail(f"The server did not get ready; its exit status is {process.poll()}.\n{log.read_text()[-3000:]}")


@pytest.mark.parametrize("mode", ["multipart", "json"])
def test_every_file_gets_the_expected_verdict(server: str, shared: Path, mode: str) -> None:
    tool = [sys.executable, str(shared / "tools" / "run_corpus.py"), "--base-url", server, "--path", "/api/v1/stylize"]
    kind = ["--mode", mode, "--field", "size=64", "--strict", "--json-errors", "--timeout", "120"]
    run = subprocess.run([*tool, *kind], capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert run.stdout.rstrip().endswith("0 server errors (5xx), 0 hangs, 0 deviations")
