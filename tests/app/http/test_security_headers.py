"""Security headers are on every answer, whatever it is."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/api/v1/jobs/nothing", "/static/styles/mosaic.jpg"])
def test_every_answer_has_them(client, path):
    with client.get(path) as response:  # closes the file that is sent
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert ("no-store" in headers.get("Cache-Control", "")) != path.startswith("/static/")
