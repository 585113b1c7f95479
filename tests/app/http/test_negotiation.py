"""Content negotiation: programs get JSON, browsers pages, and a picture goes to who does not prefer JSON."""

from __future__ import annotations

import pytest
from flask import Response

from app.http import negotiation


@pytest.mark.parametrize(
    ("path", "accept", "is_json"),
    [
        ("/api/v1/jobs", "text/html", True),
        ("/", "application/json", True),
        ("/", "text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("/", "", False),
        ("/", "application/json,text/html;q=0.5", True),
    ],
)
def test_who_is_answered_in_json(app, path, accept, is_json):
    with app.test_request_context(path, headers={"Accept": accept}):
        assert negotiation.wants_json() == is_json


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("*/*", "image/webp"),
        ("image/*", "image/webp"),
        ("application/json", "application/json"),
        ("image/webp;q=0.5,application/json", "application/json"),
    ],
)
def test_a_picture_or_its_json(app, accept, mimetype):
    picture = Response(b"webp", mimetype="image/webp")
    with app.test_request_context(headers={"Accept": accept}):
        response = negotiation.picture_or_json(
            picture, lambda: Response("{}", mimetype="application/json"), weights="small", seconds=1.234
        )
    assert response.mimetype == mimetype
    headers = [response.headers[name] for name in ("X-Style-Weights", "X-Style-Seconds", "Vary")]
    assert headers == ["small", "1.23", "Accept"]
