"""Content negotiation: which kind of answer a request prefers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request


def wants_json() -> bool:
    kinds = ["text/html", "application/json"]
    return request.path.startswith("/api/") or request.accept_mimetypes.best_match(kinds) == "application/json"


def picture_or_json(picture: Response, describe: Callable[[], Response], *, weights: str, seconds: float) -> Response:
    """Return the picture, or the JSON of `describe` where the request prefers that.

    weights, seconds: the name of the weights that painted, and what painting took.
    """
    kind = request.accept_mimetypes.best_match([picture.mimetype or "", "application/json"])
    response = describe() if kind == "application/json" else picture
    response.headers["X-Style-Weights"] = weights
    response.headers["X-Style-Seconds"] = f"{seconds:.2f}"
    response.headers["Vary"] = "Accept"
    return response
