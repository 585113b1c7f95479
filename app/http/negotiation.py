"""Which kind of answer a request would rather have."""

from __future__ import annotations

from flask import request


def wants_json() -> bool:
    kinds = ["text/html", "application/json"]
    return request.path.startswith("/api/") or request.accept_mimetypes.best_match(kinds) == "application/json"


def prefers_json(media_type: str) -> bool:
    """Over a picture of that type."""
    return request.accept_mimetypes.best_match([media_type, "application/json"]) == "application/json"
