"""Hostile requests of many kinds, sent to the server as `make run` starts it: each is refused, and it goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from app.inputs.bodies import size_limits
from app.settings import Settings
from tests.support.gunicorn import Server, running

JOB = "/api/v1/jobs/{id}"
DOORS = {"/api/v1/stylize": [], "/api/v1/jobs": ["--job-url", JOB, "--job-failed-means", "5xx"]}
GOOD = {"size": "64", "strength": "0.5", "weights": "1", "format": "png", "quality": "90"}
BUSY = 10.0  # seconds that an answer about the server's health may take on a machine that has other things to do


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def probe(server: Server, shared: Path) -> Callable[..., None]:
    """Runs one of faults.py's probes, which must find nothing."""
    tool = [sys.executable, str(shared / "tools" / "faults.py")]

    def run(name: str, path: str, *options: object, by_chance: str | None = None) -> None:
        base = ["--base-url", server.address, "--path", path, "--health", "/healthz", "--timeout", "60"]
        base += ["--field", "size=64", *DOORS[path], "--health-max", str(BUSY)]
        done = subprocess.run([*tool, name, *base, *map(str, options)], capture_output=True, text=True, timeout=600)
        found = [line for line in done.stdout.splitlines() if line.startswith("FAIL ")]
        assert found in ([], [f"FAIL {by_chance}"]), done.stdout[-3000:] + done.stderr[-1000:]
        assert done.stdout.rstrip().endswith(f" {len(found)} failed"), done.stdout[-3000:] + done.stderr[-1000:]

    return run


every_door = pytest.mark.parametrize("path", DOORS)


@pytest.mark.parametrize("page", ["/", "/styles", "/history", "/docs"])
def test_every_answer_has_its_headers(probe, page):
    probe("headers", "/api/v1/stylize", "--page", page)


@every_door
def test_hostile_parameters(probe, path):
    probe("params", path, *(word for name, value in GOOD.items() for word in ("--param", f"{name}={value}")))


@every_door
def test_hostile_file_names(probe, server, path):
    # It takes any 49 for 7 * 7, and a job's id and times have one now and then.
    probe("names", path, "--watch-dir", server.data, by_chance="file name: template evaluated")


@every_door
def test_a_template_in_a_file_name_is_only_a_name(server, path, photo_png):
    files = {"content": ("{{7777*1111}}.png", photo_png), "style": ("{{7777*1111}}.png", photo_png)}
    answer = requests.post(f"{server.address}{path}", files=files, data={"size": "64"}, timeout=60)
    assert answer.ok
    assert b"8640247" not in answer.content


@pytest.mark.parametrize("address", [JOB, f"{JOB}/result", "/results/{id}", "/styles/{id}", "/api/v1/styles/{id}"])
def test_hostile_paths(probe, address):
    probe("paths", "/api/v1/jobs", "--id-path", address)


@every_door
def test_bodies_over_the_limit(probe, server, path):
    probe("oversize", path, "--limit-mb", size_limits(Settings())["MAX_CONTENT_LENGTH"] / 1e6, "--pid", server.pid)


@every_door
def test_slow_clients(probe, path):
    probe("slow", path, "--seconds", 4)


@every_door
def test_many_uploads_at_once(probe, server, path):
    probe("burst", path, "--n", 50, "--pid", server.pid)
