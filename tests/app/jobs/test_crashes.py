"""The service is killed, on SQLite and on Redis and PostgreSQL: what it accepted is done all the same."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import requests
from PIL import Image

from app import create_services
from app.jobs.order import Order, OrderStyle, TrainingOrder
from app.jobs.queue import Jobs
from app.settings import Settings
from app.storage.library import Library
from model.options import RefineOptions, TrainOptions
from tests.support.fake_painter import FakePainter

if TYPE_CHECKING:
    from tests.support.services import Services


ROOT = Path(__file__).resolve().parents[3]
GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
REAL = ([*GUNICORN, "app:create_app()"], [sys.executable, "-m", "app", "worker"])
QUICK = (
    [*GUNICORN, "tests.support.slow_painter:create_app()"],
    [sys.executable, "-m", "tests.support.slow_painter", "worker"],
)


@pytest.fixture
def environment(services: Services, tmp_path: Path) -> dict[str, str]:
    """Of a server on a port of its own, whose worker is apart."""
    from tests.support.services import free_port

    settings = {
        "STYLE_DATA_DIR": str(tmp_path / "data"),
        "STYLE_DATABASE_URL": services.database_url,
        "STYLE_QUEUE_URL": services.queue_url,
        "STYLE_WORKER": "no",
        "STYLE_WARM_UP": "no",
        "STYLE_RATE_LIMIT": "",
    }
    return os.environ | settings | {"HOST": "127.0.0.1", "PORT": str(free_port())}


@pytest.fixture
def crash(environment: dict[str, str], shared: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs one scenario of crash_jobs.py, which must find nothing lost."""

    def run(scenario: str, *commands: list[str], **options: object) -> str:
        log = tmp_path / "log"
        command = [sys.executable, str(shared / "tools" / "crash_jobs.py"), scenario]
        command += [f"--cmd={shlex.join(words)}" for words in commands]
        command += [f"--base-url=http://127.0.0.1:{environment['PORT']}", "--path=/api/v1/jobs"]
        command += ["--job-url=/api/v1/jobs/{id}", "--result-url=/api/v1/jobs/{id}/result", "--health=/healthz"]
        command += [f"--data-dir={environment['STYLE_DATA_DIR']}", f"--log={log}"]
        command += ["--back=60"]  # seconds, of a machine that has other things to do
        command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr + log.read_text("utf-8", "replace")[-5000:]
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("scenario", "rounds", "moment"),
    [
        ("web", 3, 2.5),  # most have sent their pictures by then: whoever has not must send them again
        ("worker", 3, 0.7),
        ("all", 3, 1.2),
        ("term", 1, 0.7),
    ],
)
def test_nothing_accepted_is_lost(crash, scenario, rounds, moment):
    told = crash(scenario, *QUICK, jobs=6, rounds=rounds, kill_after=moment, field="size=64")
    assert f"{scenario}: {rounds} rounds, 0 failures" in told


@pytest.mark.parametrize("services", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("scenario", "server", "moment"),
    [pytest.param("all", REAL[0], 8, id="all, real painter"), pytest.param("term", QUICK[0], 0.7, id="term")],
)
def test_nothing_is_lost_where_the_server_paints_too(crash, environment, scenario, server, moment):
    environment["STYLE_WORKER"] = "yes"
    told = crash(scenario, server, jobs=4, kill_after=moment, field="size=512")
    assert f"{scenario}: 1 rounds, 0 failures" in told


@pytest.mark.parametrize("services", ["redis and postgres"], indirect=True)
def test_nothing_is_lost_of_what_the_real_painter_paints(crash):
    told = crash("worker", *REAL, jobs=4, kill_after=8, field="size=512")
    assert "worker: 1 rounds, 0 failures" in told


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started = []

    def run(command: list[str]) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.wait(30)


@pytest.fixture
def server(start, environment: dict[str, str]) -> str:
    address = f"http://127.0.0.1:{environment['PORT']}"
    start(QUICK[0])
    _until(lambda: requests.get(f"{address}/healthz", timeout=20).ok)
    return address


def test_a_job_that_kills_its_worker_three_times_fails(server, start, photo_png):
    from tests.support.slow_painter import DEADLY_STRENGTH

    address = _submit(server, photo_png, strength=DEADLY_STRENGTH)
    for _ in range(3):
        assert start(QUICK[1]).wait(90) == -signal.SIGKILL
    start(QUICK[1])
    job = _until(lambda: _ended(address))
    assert (job["state"], job["error"]["code"], job["attempts"]) == ("failed", "worker_died", 3)
    next_one = _submit(server, photo_png)
    assert _until(lambda: _ended(next_one))["state"] == "done"


def test_a_worker_told_to_stop_gives_back_what_it_paints(server, start, photo_png):
    address = _submit(server, photo_png)
    worker = start(QUICK[1])
    _until(lambda: _job(address)["state"] == "running")
    worker.terminate()
    assert worker.wait(30) == 0
    job = _job(address)
    assert (job["state"], job["attempts"]) == ("queued", 0)
    start(QUICK[1])
    assert _until(lambda: _ended(address))["attempts"] == 1
    picture = requests.get(f"{address}/result", timeout=20).content
    assert np.asarray(Image.open(io.BytesIO(picture))).shape == (96, 128, 3)


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[tuple[Jobs, Library]]:
    """What a server with these settings has, without one."""
    given = {name: environment.get(f"STYLE_{name.upper()}") for name in Settings.model_fields}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    made = create_services(settings, FakePainter())
    yield made["jobs"], made["library"]
    made["library"].close()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_refinement_whose_worker_is_gone_goes_on(service, start, photo_png, end):
    jobs, library = service
    content = library.put_picture("ann", photo_png)
    style, options = OrderStyle(name="itself", picture=content), RefineOptions(steps=40, size=128)
    order = Order(content=content, content_name="photo", styles=[style], method="gatys", options=options)
    id = jobs.submit("ann", order).id
    worker = start(QUICK[1])
    _until(lambda: jobs.get(id).step > 8 and jobs.get(id).checkpoint)
    worker.send_signal(end)
    worker.wait(30)
    left = jobs.get(id).checkpoint["step"]
    assert left > (8 if end == signal.SIGTERM else 0)
    start(QUICK[1])
    _until(lambda: jobs.get(id).ended)
    done = jobs.get(id)
    assert (done.state, done.attempts, done.step) == ("done", 1, 40)
    assert [done.losses[0][0], done.losses[-1][0]] == [1, 40]
    assert library.result("ann", id).recipe["taken"] == 40 - left


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_whose_worker_is_gone_goes_on(service, start, painting_png, end):
    jobs, library = service
    words = {"name": "Harbour", "credit": "", "licence": "", "weights": None, "weights_sha256": None}
    style = library.add_style("ann", picture=painting_png, thumbnail=painting_png, vector=None, **words)
    options = TrainOptions(steps=60)
    id = jobs.submit("ann", TrainingOrder(style=style.id, name="Harbour", picture=style.picture, options=options)).id
    worker = start(QUICK[1])
    _until(lambda: jobs.get(id).step > 12 and jobs.get(id).checkpoint)
    worker.send_signal(end)
    worker.wait(30)
    left = jobs.get(id).checkpoint["step"]
    assert left > (12 if end == signal.SIGTERM else 5)
    start(QUICK[1])
    _until(lambda: jobs.get(id).ended)
    done = jobs.get(id)
    assert (done.state, done.attempts, done.step) == ("done", 1, 60)
    assert [done.losses[0][0], done.losses[-1][0]] == [1, 60]
    assert library.style("ann", style.id).training.steps == 60


def test_a_worker_says_what_is_wrong_with_its_settings(environment):
    environment["STYLE_QUEUE_URL"] = "amqp://somewhere"
    done = subprocess.run(REAL[1], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "STYLE_QUEUE_URL='amqp://somewhere'" in done.stderr


def _submit(server: str, photo: bytes, **options: object) -> str:
    files = {"content": photo, "style": photo}
    answer = requests.post(f"{server}/api/v1/jobs", files=files, data=options, timeout=20)
    assert answer.status_code == 202, answer.text
    return server + answer.headers["Location"]


def _job(address: str) -> dict[str, Any]:
    return requests.get(address, timeout=20).json()


def _ended(address: str) -> dict[str, Any] | None:
    job = _job(address)
    return job if job["state"] in ("done", "failed", "cancelled") else None


def _until(look: Callable[[], Any], seconds: float = 90) -> Any:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError, requests.Timeout):
            if found := look():
                return found
        time.sleep(0.05)
    pytest.fail(f"nothing came of it in {seconds} s")
