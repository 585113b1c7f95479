"""The server. `gunicorn "app:create_app()"` or `flask --app app run`."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import engine, errors, headers
from app.api import api
from app.health import health
from app.pages import pages
from app.settings import Settings
from app.uploads import LIMITS

_ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Light: TensorFlow is loaded at the first request, not here, where a process may yet fork."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__, static_folder=_ROOT / "static", template_folder=_ROOT / "templates")
    app.config.from_mapping(LIMITS)
    app.extensions["engine"] = engine.Engine(settings)
    for blueprint in (pages, api, health):
        app.register_blueprint(blueprint)
    headers.register(app)
    errors.register(app)
    if settings.warm_up:
        app.before_request(_warm_up)
    return app


def _warm_up() -> None:
    engine.current().warm_up()
