"""The server. `gunicorn "app:create_app()"` or `flask --app app run`."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api import jobs, legacy, styles, tools
from app.http import cookies, disconnects, error_handlers, health, metrics, rate_limits, security_headers
from app.inputs import bodies
from app.jobs.engine import RenderEngine
from app.jobs.queue import Jobs, open_queue
from app.jobs.worker import Worker
from app.pages import create, docs, explore, job, results
from app.pages import styles as style_pages
from app.settings import Settings
from app.storage.blob_store import BlobStore
from app.storage.library import Library

BLUEPRINTS: tuple[Blueprint, ...] = (
    *(create.blueprint, job.blueprint, explore.blueprint, style_pages.blueprint, results.blueprint, docs.blueprint),
    *(jobs.blueprint, tools.api_sheets, tools.api_forecasts, tools.api_recipes),
    *(styles.blueprint, tools.api_encoders, legacy.blueprint, health.blueprint, metrics.blueprint),
)


_ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Light: TensorFlow is loaded by the process that serves, which may be forked from this one."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=_ROOT / "static", template_folder=_ROOT / "templates")
    app.config.from_mapping(bodies.size_limits(settings))
    app.extensions.update(create_services(settings))
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for module in (security_headers, error_handlers, cookies, rate_limits, metrics):
        module.register(app)
    app.extensions["engine"].refuse_the_gone = disconnects.raise_if_disconnected
    app.before_request(lambda: start_background(app))
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def create_services(settings: Settings) -> dict[str, object]:
    """What the server and a worker of its own share."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # owners and open jobs are named in it
    store = BlobStore(settings.store_url or str(settings.data_dir / "pictures"))
    library = Library(settings.database(), store, settings.keep_hours, settings.keep_gigabytes * 1e9)
    queue = open_queue(settings.queue_url, settings.data_dir)
    jobs = Jobs(library, queue, most=settings.jobs, lease=settings.lease)
    engine = RenderEngine(settings)
    worker = Worker(jobs, library, engine, threads=settings.painters)
    return {"settings": settings, "library": library, "jobs": jobs, "engine": engine, "worker": worker}


def start_background(app: Flask) -> None:
    """In the process that serves, once its port is open; where nobody calls it then, its first request does."""
    settings: Settings = app.extensions["settings"]
    if settings.warm_up:
        app.extensions["engine"].warm_up()
    if settings.worker:
        app.extensions["worker"].start()
