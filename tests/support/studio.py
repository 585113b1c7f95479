"""The jobs, library and worker of one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app import create_services
from app.jobs.order import Order, OrderStyle, TrainingOrder
from app.jobs.queue import Job, Jobs
from app.jobs.render_engine import RenderEngine
from app.jobs.worker import Worker
from app.settings import Settings
from app.storage.library import Library
from app.storage.records import Style
from model.options import OPTIONS_BY_METHOD, TrainOptions
from tests.support.fake_painter import FakePainter
from tests.support.jobs import ANN

if TYPE_CHECKING:
    from tests.support.services import Services


PATIENCE = 20  # seconds, of a test


class Studio:
    """The services of one process; their jobs are submitted by Ann."""

    def __init__(self, services: Services, painter: FakePainter, folder: Path, **settings: object) -> None:
        urls = {"database_url": services.database_url, "queue_url": services.queue_url}
        services_of_process = create_services(Settings(data_dir=folder, **(urls | settings)), painter)
        self.library: Library = services_of_process["library"]
        self.jobs: Jobs = services_of_process["jobs"]
        self.worker: Worker = services_of_process["worker"]
        self.engine: RenderEngine = services_of_process["engine"]

    def submit(self, photo: bytes, method: str = "magenta", **options: object) -> Job:
        content = self.library.put_picture(ANN, photo)
        style = OrderStyle(name="itself", picture=content)
        small = {"size": 128} if method == "gatys" else {}
        given = OPTIONS_BY_METHOD[method](**(small | options))
        order = Order(content=content, content_name="photo", styles=[style], method=method, options=given)
        return self.jobs.submit(ANN, order)

    def add_style(self, painting: bytes, name: str = "Harbour") -> Style:
        words = {"name": name, "credit": "", "licence": "", "weights": None, "weights_sha256": None}
        return self.library.add_style(ANN, picture=painting, thumbnail=painting, vector=None, **words)

    def submit_training(self, style: Style, **options: object) -> Job:
        order = TrainingOrder(
            style=style.id, name=style.name, picture=style.picture, options=TrainOptions.parse(options)
        )
        return self.jobs.submit(ANN, order)

    def until(self, job: Job, good: Callable[[Job], object]) -> Job:
        deadline = time.monotonic() + PATIENCE
        while not good(now := self.jobs.get(job.id)):
            assert time.monotonic() < deadline, now
            time.sleep(0.02)
        return now

    def settled(self, job: Job) -> Job:
        return self.until(job, lambda now: now.ended)
