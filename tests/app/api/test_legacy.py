"""The older site's addresses: its fields and manners, each owner's own only, and no address is ever fetched."""

from __future__ import annotations

import functools
import socket

import pytest

from tests.support.requests import b64, data_url, error_of, upload

STYLES, UPLOADS = "/api/styles/", "/api/uploads/"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever fetched an address would have to look it up."""

    def refuse(*address, **_):
        raise AssertionError(f"somebody looks up {address}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_styles_are_an_array_of_those_that_ship(client):
    answer = client.get(STYLES)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    mosaic = next(style for style in answer.json if style["id"] == "mosaic")
    assert mosaic.keys() == {"id", "name", "title", "link", "image", "created_at"}
    assert (mosaic["name"], mosaic["title"], mosaic["created_at"]) == ("Mosaic", "Mosaic", None)
    with client.get(mosaic["link"]) as picture:
        assert picture.mimetype == "image/jpeg"


@pytest.mark.parametrize("name", ["name", "title"])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(lambda name, png: {"data": {name: "Fog", "image": upload(png)}}, id="a file"),
        pytest.param(lambda name, png: {"json": {name: "Fog", "image": b64(png)}}, id="base64"),
        pytest.param(lambda name, png: {"json": {name: "Fog", "link": data_url(png)}}, id="a data URL as a link"),
        pytest.param(lambda name, png: {"json": {name: "Fog", "link": "mosaic"}}, id="a stored style as a link"),
        pytest.param(
            lambda name, png: {"data": {name: "Fog", "link": "Mosaic", "more": "ignored"}}, id="a form's link"
        ),
    ],
)
def test_a_style_is_added(client, painting_png, name, sent):
    more = sent(name, painting_png)
    answer = client.post(STYLES, content_type="multipart/form-data" if "data" in more else None, **more)
    assert answer.status_code == 201, answer.text
    added = answer.json
    assert (added["name"], added["title"]) == ("Fog", "Fog")
    assert client.get(STYLES).json[-1] == added
    assert client.get(answer.headers["Location"]).json["id"] == added["id"]
    assert client.get(added["image"]).mimetype == "image/jpeg"


def test_a_style_kept_as_numbers_can_be_linked(client, painting_png):
    client.post("/api/v1/styles", json={"picture": b64(painting_png), "name": "Numbers", "keep": "vector"})
    assert client.post(STYLES, json={"name": "Copy", "link": "Numbers"}).status_code == 201
    copy = client.get("/api/v1/styles").json["styles"][-1]
    assert (copy["name"], copy["has_picture"]) == ("Copy", False)


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1/a.png", "https://example.org/a.png", "file:///etc/passwd", "//host/a.png", "nobody's", 7]
)
@pytest.mark.parametrize(("url", "more"), [(STYLES, {"name": "Far"}), (UPLOADS, {"image": True})])
def test_an_address_is_no_link(client, painting_png, url, more, link):
    body = {name: b64(painting_png) if value is True else value for name, value in more.items()}
    answer = client.post(url, json=body | {"link": link})
    assert answer.status_code == 422
    error = error_of(answer)
    assert error["field"] == "link"
    assert "not fetched" in error["message"]


def test_an_upload_is_painted(new_app, photo_png):
    client = new_app(worker=True).test_client()
    answer = client.post(UPLOADS, data={"image": upload(photo_png), "style": "mosaic"})
    assert answer.status_code == 201, answer.text
    added = answer.json
    assert added.keys() == {"id", "image", "style", "link", "result", "state", "error", "created_at"}
    assert (added["state"], added["style"], added["link"], added["result"]) == ("queued", "mosaic", "Mosaic", None)
    finished(client, answer.headers["Location"])
    [listed] = client.get(UPLOADS).json
    assert (listed["id"], listed["state"]) == (added["id"], "done")
    assert client.get(listed["result"]).mimetype == "image/png"
    with client.get(listed["image"]) as photo:
        assert photo.mimetype == "image/jpeg"


def finished(client, location: str) -> None:
    with client.get(f"{location}/events") as events:
        assert '"done"' in events.text


def test_an_upload_with_a_painting_as_its_link(client, photo_png, painting_png):
    answer = client.post(UPLOADS, json={"image": data_url(photo_png), "link": data_url(painting_png)})
    assert (answer.status_code, answer.json["style"], answer.json["result"]) == (201, None, None)


def test_uploads_are_listed_newest_first(client, photo_png):
    ids = [client.post(UPLOADS, json={"image": b64(photo_png), "style": "ink"}).json["id"] for _ in range(3)]
    assert [listed["id"] for listed in client.get(UPLOADS).json] == ids[::-1]


def test_only_the_newest_uploads_are_listed(client, photo_png, monkeypatch):
    for _ in range(2):
        newest = client.post(UPLOADS, json={"image": b64(photo_png), "style": "ink"}).json
    jobs = client.application.extensions["jobs"]
    monkeypatch.setattr(jobs, "of_owner", functools.partial(jobs.of_owner, limit=1))
    assert client.get(UPLOADS).json == [newest]


def test_nobody_sees_anothers(app, photo_png, painting_png):
    one, other, nobody = (app.test_client() for _ in range(3))
    one.post(STYLES, json={"name": "Mine", "image": b64(painting_png)})
    mine = one.post(UPLOADS, json={"image": b64(photo_png), "style": "Mine"})
    assert mine.status_code == 201
    other.post(UPLOADS, json={"image": b64(photo_png), "style": "ink"})
    for client in (other, nobody):
        assert "Mine" not in client.get(STYLES).text
        assert mine.json["id"] not in client.get(UPLOADS).text
        assert client.get(mine.headers["Location"]).status_code == 404
        assert client.post(UPLOADS, json={"image": b64(photo_png), "style": "Mine"}).status_code == 422
    assert nobody.get(UPLOADS).json == []


@pytest.mark.parametrize(
    ("url", "body", "field"),
    [
        (STYLES, {"image": "PNG"}, "name"),
        (STYLES, {"name": "Fog"}, "link"),
        (STYLES, {"name": "x" * 81, "image": "PNG"}, "name"),
        (STYLES, {"name": 5, "image": "PNG"}, "name"),
        (STYLES, {"name": "Mosaic", "image": "PNG"}, "name"),
        (STYLES, {"name": "Fog", "image": ["PNG"]}, "image"),
        (STYLES, {"name": "Fog", "image": "http://example.org/a.png"}, "image"),
        (UPLOADS, {"style": "ink"}, "image"),
        (UPLOADS, {"image": "PNG"}, "link"),
        (UPLOADS, {"image": "PNG", "style": "nobody's"}, "style"),
        (UPLOADS, {"image": "PNG", "style": ["ink"]}, "style"),
    ],
)
def test_what_is_wrong_is_told(client, painting_png, url, body, field):
    sent = {name: b64(painting_png) if value == "PNG" else value for name, value in body.items()}
    answer = client.post(url, json=sent)
    assert (answer.status_code, error_of(answer)["field"]) == (422, field), answer.text


@pytest.mark.parametrize("url", [STYLES, UPLOADS])
def test_what_is_no_picture_is_refused(client, url):
    answer = client.post(url, data={"image": upload(b"no picture"), "name": "Fog", "style": "ink"})
    assert (answer.status_code, error_of(answer)["field"]) == (415, "image")


@pytest.mark.parametrize("url", [STYLES, UPLOADS])
def test_the_slash_at_the_end_may_be_left_out_when_reading(client, url):
    assert client.get(url.rstrip("/"), follow_redirects=True).status_code == 200
