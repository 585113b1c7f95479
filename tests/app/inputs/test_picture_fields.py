"""The photo, styles and start of a request: missing, too many, too large, or no pictures."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.requests import URL, b64, error_of, refusal, upload

DOORS = [URL, "/api/v1/jobs"]
NOT_A_PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize("field", ["content", "style"])
def test_missing_and_empty_pictures(client, form, field):
    for value in (None, upload(b"", "")):
        assert refusal(client.post(URL, data=form(**{field: value}))) == (422, "invalid_option", field)


def test_only_one_photo_and_no_other_files(client, form, photo_png):
    two = form(content=[upload(photo_png), upload(photo_png)])
    assert refusal(client.post(URL, data=two)) == (422, "invalid_option", "content")
    assert refusal(client.post(URL, data=form(depth=upload(photo_png)))) == (422, "invalid_option", "depth")


def test_too_many_styles(client, form, photo_png, painting_png):
    assert refusal(client.post(URL, data=form(style=[upload(painting_png) for _ in range(9)])))[2] == "style"
    body = {"content": b64(photo_png), "style": [b64(painting_png)] * 9}
    assert refusal(client.post(URL, json=body)) == (422, "invalid_option", "style")


@pytest.mark.parametrize("field", ["content", "style"])
def test_what_is_not_a_picture(client, form, field, photo_png):
    assert refusal(client.post(URL, data=form(**{field: upload(NOT_A_PICTURE)}))) == (415, "unsupported_image", field)
    cut = upload(photo_png[: len(photo_png) // 2])
    assert refusal(client.post(URL, data=form(**{field: cut}))) == (422, "broken_image", field)


def test_file_too_large(new_app, form):
    client = new_app(upload_megabytes=0.0001).test_client()
    client.application.config["MAX_CONTENT_LENGTH"] = 1_000_000
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


def test_too_many_pixels(new_app, form):
    client = new_app(upload_megapixels=0.01).test_client()
    assert refusal(client.post(URL, data=form())) == (413, "image_too_large", "content")


@pytest.mark.parametrize(
    ("door", "field", "more"),
    [
        (URL, "style", {}),
        (URL, "mask", {}),
        ("/api/v1/jobs", "start", {"method": "gatys"}),
        ("/api/v1/sheet", "content", {}),
        ("/api/v1/styles", "picture", {"content": None, "style": None, "name": "Vast"}),
        ("/api/styles/", "image", {"content": None, "style": None, "name": "Vast"}),
        ("/api/uploads/", "image", {"content": None, "style": "mosaic"}),
    ],
)
def test_every_door_has_the_limits_of_uploads(new_app, form, photo_png, door, field, more):
    """The photo has 12288 pixels, and a corner of it fewer."""
    client, file = new_app(upload_megapixels=0.012).test_client(), io.BytesIO()
    Image.open(io.BytesIO(photo_png)).crop((0, 0, 64, 48)).save(file, "PNG")
    small = {name: upload(file.getvalue()) for name in ("content", "style")}
    fields = form(**(small | more | {field: upload(photo_png)}))
    assert refusal(client.post(door, data=fields)) == (413, "image_too_large", field)


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


def test_a_start_that_is_no_picture(client, form, photo_png):
    def sent(start):
        return client.post(DOORS[1], data=form(method="gatys", start=start))

    assert refusal(sent(upload(NOT_A_PICTURE))) == (415, "unsupported_image", "start")
    assert refusal(sent([upload(photo_png), upload(photo_png)])) == (422, "invalid_option", "start")
    assert refusal(client.post(DOORS[1], data=form(start=upload(photo_png)))) == (422, "invalid_option", "start")


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (None, 422),
        (7, 422),
        (["noise"], 422),
        ({"image": "AAAA"}, 422),
        ("", 422),
        ("photo", 422),
        ("AAAA", 422),
        ("result:" + "0" * 32, 422),
        ("http://127.0.0.1/picture-that-is-nowhere-to-be-found.png", 422),
        ("data:image/png;base64,A", 400),
        ("A" * 400, 415),
    ],
)
def test_starts_in_json(client, photo_png, start, status):
    answer = client.post(
        DOORS[1], json={"content": b64(photo_png), "style": "mosaic", "method": "gatys", "start": start}
    )
    assert (answer.status_code, error_of(answer)["field"]) == (status, "start")
