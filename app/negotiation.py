"""Which kind of answer a request would rather have."""

from __future__ import annotations

from flask import request


def json_preferred(media_type: str) -> bool:
    """Over a picture of that type."""
    return request.accept_mimetypes.best_match([media_type, "application/json"]) == "application/json"
