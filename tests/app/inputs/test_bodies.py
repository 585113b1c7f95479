"""Bodies: too large, cut off, malformed or of another kind, and the bound on how many are in memory."""

from __future__ import annotations

import json

import pytest

from app.failures import Busy
from app.inputs import bodies
from app.inputs.bodies import UploadSlots
from app.settings import Settings
from tests.support.requests import URL, refusal, upload


def test_body_too_large(client, form):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    assert refusal(client.post(URL, data=form())) == (413, "request_entity_too_large", None)
    assert refusal(client.post(URL, json={"content": "A" * 2000})) == (413, "request_entity_too_large", None)


def test_chunked_body_too_large(client):
    client.application.config["MAX_CONTENT_LENGTH"] = 1000
    body, _ = upload(b"A" * 2000)
    answer = client.post(
        URL, input_stream=body, content_type="application/json", environ_base={"wsgi.input_terminated": True}
    )
    assert refusal(answer) == (413, "request_entity_too_large", None)


def test_body_shorter_than_it_says(client):
    body, _ = upload(b"{}")
    cut = {"wsgi.input": body, "CONTENT_LENGTH": "500"}
    answer = client.post(URL, content_type="application/json", environ_overrides=cut)
    assert refusal(answer) == (400, "bad_request", None)


def test_too_much_text_and_too_many_parts(client, form):
    assert client.post(URL, data=form(strength="1" * 200_000)).status_code == 413
    assert client.post(URL, data=form(weights=["1"] * 600)).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "image/png", None])
def test_other_kinds_of_body(client, kind):
    assert refusal(client.post(URL, data=b"x", content_type=kind)) == (415, "unsupported_body", None)


def test_encoded_body(client):
    answer = client.post(URL, data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert refusal(answer) == (415, "unsupported_body", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"size": NaN}',
        b'{"size": -Infinity}',
        b'{"size": 64, "size": 64}',
        b'{"size": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"content": "\xff"}',
        json.dumps({"content": "x"}).encode("utf-16"),
        b'{"style": [' + b"{}," * 201 + b"{}]}",
    ],
    ids=range(12),
)
def test_malformed_json(client, body):
    assert refusal(client.post(URL, data=body, content_type="application/json")) == (400, "malformed_request", None)


def test_the_body_holds_a_photo_and_a_painting_of_the_largest_size():
    settings = Settings()
    assert bodies.size_limits(settings)["MAX_CONTENT_LENGTH"] > 2 * settings.upload_bytes * 4 / 3


def test_so_many_uploads_have_a_slot_and_no_more():
    slots = UploadSlots(2)
    with slots.slot(0.01), slots.slot(0.01), pytest.raises(Busy), slots.slot(0.01):
        pytest.fail("three at once")
    with slots.slot(0.01):
        pass
