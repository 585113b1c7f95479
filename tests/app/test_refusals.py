"""Every refusal: status, code, field at fault, one shape, nothing from inside the server."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from app import bodies
from model import images, transfer
from model.errors import DeviceUnavailable, WeightsMissing
from tests.app.answers import URL, b64, error_of, upload

DOORS = [URL, "/api/v1/jobs"]
NOT_A_PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def copied(value):
    """The test client closes what it sends."""
    if isinstance(value, list):
        return [copied(each) for each in value]
    return upload(value[0].getvalue(), value[1]) if isinstance(value, tuple) else value


def refusal(answer):
    error = error_of(answer)
    return answer.status_code, error["code"], error.get("field")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strength", "1.5"),
        ("strength", "nan"),
        ("strength", "strong"),
        ("strength", ["1", "0"]),
        ("size", ""),
        ("size", "31"),
        ("size", "4097"),
        ("size", "1e9"),
        ("format", "gif"),
        ("quality", "0"),
        ("weights", "1,2"),
        ("weights", "-1"),
        ("weights", "0"),
        ("sizes", "100"),
        ("content", "text"),
        ("style", "no such style"),
        ("style", "x" * 5000),
        ("weight-own", "-1"),
        ("weight-own", "much"),
        ("weight-own", "0"),
    ],
)
def test_option_outside_its_limits(client, form, field, value):
    fields = form(**({field: value} if field not in ("content", "style") else {}))
    if field in ("content", "style"):
        fields[field] = [fields[field], value]
    at_fault = "weights" if field == "weight-own" else field
    for door in DOORS:
        fresh = {name: copied(value) for name, value in fields.items()}
        assert refusal(client.post(door, data=fresh)) == (422, "invalid_option", at_fault)


@pytest.mark.parametrize("field", ["content", "style"])
def test_missing_and_empty_pictures(client, form, field):
    for value in (None, upload(b"", "")):
        assert refusal(client.post(URL, data=form(**{field: value}))) == (422, "invalid_option", field)


def test_only_one_photo_and_no_other_files(client, form, photo_png):
    two = form(content=[upload(photo_png), upload(photo_png)])
    assert refusal(client.post(URL, data=two)) == (422, "invalid_option", "content")
    assert refusal(client.post(URL, data=form(mask=upload(photo_png)))) == (422, "invalid_option", "mask")


def test_too_many_styles(client, form, photo_png, painting_png):
    assert refusal(client.post(URL, data=form(style=[upload(painting_png) for _ in range(9)])))[2] == "style"
    body = {"content": b64(photo_png), "style": [b64(painting_png)] * 9}
    assert refusal(client.post(URL, json=body)) == (422, "invalid_option", "style")


@pytest.mark.parametrize("field", ["content", "style"])
def test_what_is_not_a_picture(client, form, field, photo_png):
    assert refusal(client.post(URL, data=form(**{field: upload(NOT_A_PICTURE)}))) == (415, "unsupported_image", field)
    cut = upload(photo_png[: len(photo_png) // 2])
    assert refusal(client.post(URL, data=form(**{field: cut}))) == (422, "broken_image", field)


def test_file_too_large(client, form, monkeypatch):
    for module in (bodies, images):
        monkeypatch.setattr(module, "MAX_BYTES", 100)
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


def test_too_many_pixels(client, form, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 1)
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


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
    assert client.post(URL, data=form(weights=["1"] * 400)).status_code == 413


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


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (None, 422),
        ("", 422),
        (7, 422),
        ({"image": "x"}, 422),
        ("candy", 422),
        ("!!!!", 422),
        ("\ud800", 422),
        ("http://127.0.0.1/picture.png", 422),
        ("file:///etc/passwd", 422),
        ("data:image/png;base64,", 400),
        ("data:image/png;base64,A", 400),
        ("data:image/svg+xml,<svg/>", 400),
        ("result:", 422),
        ("result:../../etc/passwd", 422),
        ("result:" + "0" * 32, 422),
        ("result:\0", 422),
        ("AAAA", 415),
        ("data:text/html;base64,AAAA", 415),
    ],
)
def test_pictures_in_json(client, painting_png, value, status):
    answer = client.post(URL, json={"content": value, "style": b64(painting_png)})
    assert (answer.status_code, error_of(answer)["field"]) == (status, "content")


@pytest.mark.parametrize(
    ("style", "field"),
    [
        ([], "style"),
        ([{}], "style"),
        ([{"image": "AAAA", "wait": 1}], "style"),
        ([{"name": "no such style"}], "style"),
        ([{"name": 7}], "style"),
        ([{"name": "Flow", "image": "AAAA"}], "style"),
        ("\0", "style"),
        ("result:1", "style"),
        ([{"image": "AAAA", "weight": "much"}], "weights"),
        ([{"image": "AAAA", "weight": -1}], "weights"),
        ([["AAAA"]], "style"),
    ],
)
def test_styles_in_json(client, photo_png, style, field):
    answer = client.post(URL, json={"content": b64(photo_png), "style": style})
    assert refusal(answer) == (422, "invalid_option", field)


def test_weights_given_twice(client, form, photo_png):
    both = form(weights="1", **{"weight-own": "1"})
    assert refusal(client.post(URL, data=both)) == (422, "invalid_option", "weights")
    body = {"content": b64(photo_png), "style": [{"image": "AAAA", "weight": 1}], "weights": [1]}
    assert refusal(client.post(URL, json=body)) == (422, "invalid_option", "weights")


def test_options_in_the_address(client, form, photo_png, painting_png):
    body = {"content": b64(photo_png), "style": b64(painting_png)}
    for sent in ({"data": form()}, {"json": body}):
        assert refusal(client.post(f"{URL}?size=64&strength=1", **sent)) == (422, "invalid_option", "size")


def test_parameters_are_refused_before_a_picture_is_decoded(client, form, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("decoded"))
    assert refusal(client.post(URL, data=form(size="0")))[2] == "size"


def test_what_was_sent_is_not_echoed_at_length(client):
    answer = client.post(URL, json={"content": "AAAA", "style": "AAAA", "x" * 50_000: 1})
    assert answer.status_code == 422
    assert len(answer.data) < 1000


@pytest.mark.parametrize(("method", "path", "status"), [("GET", URL, 405), ("POST", "/api/v1/nothing", 404)])
def test_wrong_method_and_address(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    error_of(answer)
    assert ("POST" in answer.headers.get("Allow", "")) == (status == 405)


@pytest.mark.parametrize(
    "error",
    [
        WeightsMissing("put it in /home/somebody/weights", "model_path"),
        DeviceUnavailable("install it in /home/somebody", "STYLE_DEVICE"),
    ],
)
def test_missing_model_is_told_without_its_path(client, form, monkeypatch, error):
    def missing(*_):
        raise error

    monkeypatch.setattr(transfer, "stylize", missing)
    answer = client.post(URL, data=form())
    assert refusal(answer) == (503, "model_unavailable", None)
    assert "/home" not in answer.text
    assert answer.headers["Retry-After"]


def test_a_fault_of_ours_goes_to_the_log_only(client, form, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(transfer, "stylize", broken)
    answer = client.post(URL, data=form())
    assert refusal(answer) == (500, "internal_error", None)
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_the_body_holds_a_photo_and_a_painting_of_the_largest_size():
    assert bodies.LIMITS["MAX_CONTENT_LENGTH"] > 2 * images.MAX_BYTES * 4 / 3
