"""Fixtures of jobs and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huey import Huey

from app.jobs.attempts import Attempts
from app.jobs.order import Order, OrderStyle
from app.jobs.queue import Job, Jobs, open_queue
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from model.options import OPTIONS_BY_METHOD
from tests.support.fake_painter import FakePainter
from tests.support.jobs import ANN, is_never_dead
from tests.support.studio import Studio

if TYPE_CHECKING:
    from tests.support.services import Services


@pytest.fixture
def library(services: Services, tmp_path: Path) -> Iterator[Library]:
    library = Library(services.database_url, BlobStore(str(tmp_path / "pictures")), keep_hours=1)
    yield library
    library.close()


@pytest.fixture
def queue(services: Services, tmp_path: Path) -> Huey:
    return open_queue(services.queue_url, tmp_path)


@pytest.fixture
def jobs(library: Library, queue: Huey) -> Jobs:
    return Jobs(library, queue, most=20)


@pytest.fixture
def order(library: Library) -> Callable[..., Order]:
    def build(photo: bytes = b"photo", owner: str = ANN, method: str = "magenta", **options: object) -> Order:
        content, style = (library.put_picture(owner, data) for data in (photo, b"style"))
        return Order(
            content=content,
            content_name="photo",
            styles=[OrderStyle(name="swirl", picture=style)],
            method=method,
            options=OPTIONS_BY_METHOD[method](**options),
        )

    return build


@pytest.fixture
def stored(library: Library, tmp_path: Path) -> Callable[[], set[bytes]]:
    """Returns the contents of all stored files."""
    store = BlobStore(str(tmp_path / "pictures"))
    return lambda: set(map(store.get, store.keys()))


class Clock:
    """The clock that all workers' leases are watched by."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def pass_seconds(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(jobs: Jobs, library: Library, clock: Clock) -> Callable[..., Attempts]:
    return lambda name="worker": Attempts(jobs, library, name, clock)


@pytest.fixture
def lapse(jobs: Jobs, clock: Clock) -> Callable[[Attempts], int]:
    """Lets a worker see that no lease is renewed; returns how many jobs it gives to others."""

    def watch(attempts: Attempts) -> int:
        given = 0
        for _ in range(6):
            given += attempts.requeue_abandoned(is_never_dead)
            clock.pass_seconds(jobs.lease / 4)
        return given

    return watch


@pytest.fixture
def refining(jobs, order, worker) -> Callable[..., Job]:
    """Starts a refinement."""

    def begin(name: str = "worker") -> Job:
        id = jobs.submit(ANN, order(method="gatys")).id
        job = worker(name).claim()
        assert job.id == id
        return job

    return begin


@pytest.fixture
def studio(painter: FakePainter, services: Services, tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    studios = []

    def build(**settings: object) -> Studio:
        studios.append(Studio(services, painter, tmp_path / "data", **settings))
        return studios[-1]

    yield build
    for each in studios:
        each.worker.stop()
        each.library.close()
