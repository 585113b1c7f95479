"""The server. `gunicorn "app:create_app()"` or `flask --app app run`."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api import encoders, forecasts, legacy, recipes, sheets
from app.api import jobs as api_jobs  # not as `jobs`, which is the package app.jobs
from app.api import styles as api_styles
from app.http import cookies, disconnects, error_handlers, health, metrics, rate_limits, security_headers, trusted_hosts
from app.inputs import bodies
from app.jobs.painter import LibraryPainter, Painter
from app.jobs.queue import Jobs, open_queue
from app.jobs.render_engine import RenderEngine
from app.jobs.worker import Worker
from app.pages import create, docs, explore, job, results, template_helpers
from app.pages import styles as style_pages
from app.settings import Settings
from app.storage.blob_store import BlobStore
from app.storage.library import Library

BLUEPRINTS: tuple[Blueprint, ...] = (
    *(create.blueprint, job.blueprint, explore.blueprint, style_pages.blueprint, results.blueprint, docs.blueprint),
    *(api_jobs.blueprint, sheets.blueprint, forecasts.blueprint, recipes.blueprint),
    *(api_styles.blueprint, encoders.blueprint, legacy.blueprint, health.blueprint, metrics.blueprint),
)
_ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None, painter: Painter | None = None) -> Flask:
    """Return the server's application, without loading TensorFlow: the process that serves may be forked from this one.

    settings: of the environment, unless given. painter: the library, unless given.
    """
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=_ROOT / "static", template_folder=_ROOT / "templates")
    app.config.from_mapping(bodies.size_limits(settings))
    app.extensions.update(create_services(settings, painter or LibraryPainter()))
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for module in (trusted_hosts, security_headers, error_handlers, cookies, rate_limits, health, metrics):
        module.register(app)
    template_helpers.register(app)
    app.extensions["engine"].raise_if_disconnected = disconnects.raise_if_disconnected
    app.before_request(lambda: start_background(app))
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def create_services(settings: Settings, painter: Painter) -> dict[str, object]:
    """Return what servers and workers have in common, by name."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # owners and open jobs are named in it
    store = BlobStore(settings.store_url or str(settings.data_dir / "pictures"))
    library = Library(settings.database(), store, settings.keep_hours, settings.keep_gigabytes * 1e9)
    queue = open_queue(settings.queue_url, settings.data_dir)
    jobs = Jobs(library, queue, most=settings.jobs, lease=settings.lease)
    engine = RenderEngine(settings, painter)
    worker = Worker(jobs, library, engine, threads=settings.painters)
    services = {
        "settings": settings,
        "library": library,
        "jobs": jobs,
    }
    return services | {"engine": engine, "worker": worker}


def start_background(app: Flask) -> None:
    """Load the model and start the worker in the process that serves, when its port is open or at its first request."""
    settings: Settings = app.extensions["settings"]
    if settings.warm_up:
        app.extensions["engine"].warm_up()
    if settings.worker:
        app.extensions["worker"].start()
