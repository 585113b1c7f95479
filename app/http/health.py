"""/healthz and /readyz: whether the server is alive, and whether it can take work."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify

from app.http import context, readiness
from app.http.error_handlers import Problem, as_json

blueprint = Blueprint("health", __name__)


def register(app: Flask) -> None:
    services = app.extensions
    services["checks"] = readiness.storage_checks(services["settings"], services["library"], str(app.secret_key))
    services["is_stopping"] = lambda: False  # until the process that serves knows better


@blueprint.get("/healthz")
def alive() -> Response:
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> Response:
    if current_app.extensions["is_stopping"]():
        return _refusal("stopping", "The server is about to stop.")
    if problems := readiness.problems(current_app.extensions["checks"]):
        return _refusal("not_ready", " ".join(problems))
    model = context.engine()
    if model.weights is None:
        model.load()
        return _refusal("not_ready", "The model is not loaded yet.")
    return jsonify(status="ready", weights=model.weights)


def _refusal(code: str, message: str) -> Response:
    return as_json(Problem(503, code, message, headers={"Retry-After": "2"}))
