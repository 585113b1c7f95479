"""/api/v1: the interface for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from app import engine, uploads
from app.painting import Painting, paint

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/stylize")
def stylize() -> Response:
    with uploads.received(request) as upload:
        painting = engine.current().run(lambda: paint(upload()))
    response = _as_json(painting) if _json_preferred(painting) else _as_picture(painting)
    response.headers["X-Style-Weights"] = painting.pastiche.weights
    response.headers["X-Style-Seconds"] = f"{painting.pastiche.seconds:.2f}"
    response.headers["Vary"] = "Accept"
    return response


def _json_preferred(painting: Painting) -> bool:
    kinds = [painting.media_type, "application/json"]
    return request.accept_mimetypes.best_match(kinds) == "application/json"


def _as_picture(painting: Painting) -> Response:
    response = Response(painting.data, mimetype=painting.media_type)
    response.headers["Content-Disposition"] = f'inline; filename="pastiche.{painting.format}"'
    return response


def _as_json(painting: Painting) -> Response:
    width, height = painting.size
    return jsonify(
        image=painting.data_url,
        width=width,
        height=height,
        seconds=round(painting.pastiche.seconds, 3),
        weights=painting.pastiche.weights,
        recipe=painting.pastiche.recipe,
    )
