"""/healthz and /readyz: whether the server is alive, and whether it can paint."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.http import context
from app.http.error_handlers import Problem, as_json

blueprint = Blueprint("health", __name__)
_LOADING = Problem(503, "not_ready", "The model is not loaded yet.", headers={"Retry-After": "2"})


@blueprint.get("/healthz")
def alive() -> Response:
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> Response:
    model = context.engine()
    if model.weights is None:
        model.load()
        return as_json(_LOADING)
    return jsonify(status="ready", weights=model.weights)
