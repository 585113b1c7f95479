"""Is the server alive, and can it paint?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app import current
from app.errors import Problem, as_json

health = Blueprint("health", __name__)
_LOADING = Problem(503, "not_ready", "The model is not loaded yet.", headers={"Retry-After": "2"})


@health.get("/healthz")
def alive() -> Response:
    return jsonify(status="alive")


@health.get("/readyz")
def ready() -> Response:
    model = current.engine()
    if model.weights is None:
        model.load()
        return as_json(_LOADING)
    return jsonify(status="ready", weights=model.weights)
