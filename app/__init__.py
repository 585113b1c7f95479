"""The server. `gunicorn "app:create_app()"` or `flask --app app run`."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import bodies, errors, gone, headers, limits, metrics, visitors
from app.blueprints import BLUEPRINTS
from app.engine import Engine
from app.jobs import Jobs, open_queue
from app.library import Library
from app.settings import Settings
from app.store import Store
from app.worker import Worker

_ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Light: TensorFlow is loaded by the process that serves, which may be forked from this one."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=_ROOT / "static", template_folder=_ROOT / "templates")
    app.config.from_mapping(bodies.limits(settings))
    app.extensions.update(parts(settings))
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for module in (headers, errors, visitors, limits, metrics):
        module.register(app)
    app.extensions["engine"].refuse_the_gone = gone.refuse
    app.before_request(lambda: awaken(app))
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    return app


def parts(settings: Settings) -> dict[str, object]:
    """What the server and a worker of its own share."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # owners and open jobs are named in it
    store = Store(settings.store_url or str(settings.data_dir / "pictures"))
    library = Library(settings.database(), store, settings.keep_hours, settings.keep_gigabytes * 1e9)
    queue = open_queue(settings.queue_url, settings.data_dir)
    jobs = Jobs(library, queue, most=settings.jobs, lease=settings.lease)
    engine = Engine(settings)
    worker = Worker(jobs, library, engine, threads=settings.painters)
    return {"settings": settings, "library": library, "jobs": jobs, "engine": engine, "worker": worker}


def awaken(app: Flask) -> None:
    """In the process that serves, once its port is open; where nobody calls it then, its first request does."""
    settings: Settings = app.extensions["settings"]
    if settings.warm_up:
        app.extensions["engine"].warm_up()
    if settings.worker:
        app.extensions["worker"].start()
