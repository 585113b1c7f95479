"""Hundreds of difficult files, posted to the server as `make run` starts it: each is painted or refused, none harms."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gunicorn import running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server.address


@pytest.mark.parametrize("mode", ["multipart", "json"])
def test_every_file_gets_the_expected_verdict(server: str, shared: Path, mode: str) -> None:
    tool = [sys.executable, str(shared / "tools" / "run_corpus.py"), "--base-url", server, "--path", "/api/v1/stylize"]
    kind = ["--mode", mode, "--field", "size=64", "--strict", "--json-errors", "--timeout", "120"]
    run = subprocess.run([*tool, *kind], capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    assert run.stdout.rstrip().endswith("0 server errors (5xx), 0 hangs, 0 deviations")
