"""/metrics: counts and times of requests and jobs, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from flask import Blueprint, Flask, Response, current_app, g, request, request_started
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from app.jobs.queue import IS_TRAINING, JobState
from app.storage.library import Library
from app.storage.tables import JobRow

blueprint = Blueprint("metrics", __name__)
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


@blueprint.get("/metrics")
def numbers() -> Response:
    registry: CollectorRegistry = current_app.extensions["metrics"]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Count requests in a registry of the app's own, so that each app counts for itself."""
    registry = CollectorRegistry()
    registry.register(_JobCollector(app.extensions["library"]))
    app.extensions["metrics"] = registry
    requests = Counter("style_requests", "Requests answered.", ["endpoint", "status"], registry=registry)
    seconds = Histogram(
        "style_request_seconds", "Until an answer begins.", ["endpoint"], registry=registry, buckets=_BUCKETS
    )
    renders = Histogram(
        "style_render_seconds", "Painting, of requests that waited for it.", registry=registry, buckets=_BUCKETS
    )

    @request_started.connect_via(app, weak=False)
    def start(sender: Flask, **_: Any) -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"  # as many as there are routes, whatever addresses are tried
        requests.labels(endpoint, response.status_code).inc()
        seconds.labels(endpoint).observe(time.perf_counter() - g.started)
        if painted := response.headers.get("X-Style-Seconds"):
            renders.observe(float(painted))
        return response


class _JobCollector(Collector):
    """Jobs by state, read from the table when asked for: workers may be other processes, on other machines."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def collect(self) -> Iterator[Metric]:
        with self._library.reading() as session:
            counts = select(JobRow.state, func.count()).group_by(JobRow.state)
            counted = dict(session.execute(counts).all())
            training = dict(session.execute(counts.where(IS_TRAINING)).all())
        yield _states_metric("style_jobs", "Jobs that are kept, by state.", counted)
        yield _states_metric("style_trainings", "Those among them that train a style's network, by state.", training)


def _states_metric(name: str, description: str, counted: Mapping[str, int]) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, description, labels=["state"])
    for state in get_args(JobState):
        metric.add_metric([state], counted.get(state, 0))
    return metric
