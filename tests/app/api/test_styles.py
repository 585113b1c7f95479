"""Styles over HTTP: the ones that ship, one's own as pictures and as numbers, and nobody else's."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel

from app.failures import Missing
from app.inputs import style_requests
from app.storage.gallery import shipped
from model import style_file
from model.errors import InvalidOption
from tests.support.requests import b64, data_url, error_of, pixels, refusal, upload

STYLES = "/api/v1/styles"
FIELDS = {
    "id",
    "name",
    "credit",
    "licence",
    "own",
    "has_picture",
    "weights",
    "thumbnail",
    "vector",
    "created",
    "taught",
}


@pytest.fixture
def add(client, painting_png):
    """A style added by form; None leaves a field out."""

    def post(client=client, **more):
        fields = {"picture": upload(painting_png), "name": "Swirl"} | more
        sent = {name: value for name, value in fields.items() if value is not None}
        return client.post(STYLES, data=sent, content_type="multipart/form-data")

    return post


def own(client):
    return [style for style in client.get(STYLES).json["styles"] if style["own"]]


def test_those_that_ship_are_listed_for_everybody(client):
    styles = client.get(STYLES).json["styles"]
    assert [style["id"] for style in styles] == [style.id for style in shipped()]
    assert all(style.keys() == FIELDS for style in styles)
    first = styles[0]
    assert (first["own"], first["has_picture"], first["created"]) == (False, True, None)
    assert client.get(f"{STYLES}/{first['id']}").json == first
    thumbnail = client.get(first["thumbnail"])
    assert (thumbnail.mimetype, thumbnail.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert "ETag" not in thumbnail.headers


def test_added_changed_and_deleted(client, app, add):
    answer = add(credit="Me", licence="CC0")
    assert answer.status_code == 201, answer.text
    style = answer.json
    assert style.keys() == FIELDS
    assert answer.headers["Location"] == f"{STYLES}/{style['id']}"
    assert (style["name"], style["credit"], style["licence"], style["own"]) == ("Swirl", "Me", "CC0", True)
    assert own(client) == [style]
    assert pixels(client.get(style["thumbnail"]).data).shape[2] == 3
    changed = client.patch(f"{STYLES}/{style['id']}", json={"name": "Whirl", "credit": ""})
    assert changed.json == style | {"name": "Whirl", "credit": ""}
    assert client.delete(f"{STYLES}/{style['id']}").status_code == 204
    assert own(client) == []
    assert client.get(f"{STYLES}/{style['id']}").status_code == 404
    assert list(app.extensions["library"]._blobs._store.keys()) == []


def test_json_adds_as_well(client, painting_png):
    for name, picture in (("One", b64(painting_png)), ("Two", [data_url(painting_png)] * 2)):
        answer = client.post(STYLES, json={"name": name, "picture": picture})
        assert (answer.status_code, answer.json["name"]) == (201, name), answer.text
    assert [style["has_picture"] for style in own(client)] == [True, False]


def test_kept_as_numbers_alone(client, add):
    style = add(keep="vector").json
    assert (style["has_picture"], style["weights"]) == (False, "negative")
    assert client.get(style["thumbnail"]).mimetype == "image/jpeg"


def test_several_paintings_are_one_style(client, add, painting_png, photo_png):
    style = add(picture=[upload(painting_png), upload(photo_png)]).json
    assert style["has_picture"] is False
    both = [add(picture=upload(data), name=name).json for name, data in (("a", painting_png), ("b", photo_png))]
    mean, *each = [style_file.StyleFile.from_bytes(client.get(one["vector"]).data).vector for one in (style, *both)]
    assert abs(mean - sum(each) / 2).max() < 0.02  # one's picture is kept as JPEG


def test_exported_and_imported(client, app, add):
    style = add(keep="vector", credit="Me").json
    file = client.get(style["vector"])
    assert (file.status_code, file.mimetype) == (200, style_file.MEDIA_TYPE)
    assert "attachment" in file.headers["Content-Disposition"]
    assert style_file.SUFFIX in file.headers["Content-Disposition"]
    other = app.test_client()
    imported = add(other, picture=None, name=None, vector=upload(file.data, "swirl.style.json"))
    assert imported.status_code == 201, imported.text
    assert (imported.json["name"], imported.json["credit"], imported.json["own"]) == ("Swirl", "Me", True)
    again = other.post(STYLES, json={"vector": b64(file.data), "name": "Under another name"})
    assert again.json["name"] == "Under another name"
    assert client.get(again.json["vector"]).status_code == 404
    assert json.loads(other.get(again.json["vector"]).data)["vector"] == json.loads(file.data)["vector"]


def test_one_that_ships_can_be_exported_but_not_changed(client):
    id = shipped()[0].id
    assert client.get(f"{STYLES}/{id}/vector").status_code == 200
    assert refusal(client.patch(f"{STYLES}/{id}", json={"name": "Mine"}))[0] == 404
    assert refusal(client.delete(f"{STYLES}/{id}"))[0] == 404


def test_anothers_style_is_as_none(client, app, add):
    id = add().json["id"]
    other = app.test_client()
    add(other, name="Another")
    for method, part in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/vector"), ("GET", "/thumbnail")):
        answer = other.open(f"{STYLES}/{id}{part}", method=method, json={"name": "x"} if method == "PATCH" else None)
        assert answer.status_code == 404
        assert answer.json == other.get(f"{STYLES}/{'0' * 32}").json
    assert [style["name"] for style in own(client)] == ["Swirl"]
    assert add(other).status_code == 201  # the name is taken for its owner only


@pytest.mark.parametrize("id", ["a" * 3000, "%00", "%ff", "😀", "Swirl", "..%2f..%2fetc", "' or '1'='1"])
def test_ids_of_any_shape(client, add, id):
    add()
    for part in ("", "/vector", "/thumbnail"):
        assert client.get(f"{STYLES}/{id}{part}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", "  "),
        ("name", "x" * 81),
        ("name", "a\nb"),
        ("name", "a\0b"),
        ("name", ["a", "b"]),
        ("credit", "x" * 201),
        ("licence", "x" * 201),
        ("keep", "both"),
        ("keep", ""),
        ("colour", "red"),
        ("picture", None),
        ("picture", "text"),
        ("vector", "text"),
    ],
)
def test_fields_outside_their_limits(client, add, field, value):
    assert refusal(add(**{field: value})) == (422, "invalid_option", field)
    assert own(client) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"picture": 7}, "picture"),
        ({"picture": ["AAAA"] * 9}, "picture"),
        ({"picture": {}}, "picture"),
        ({"picture": "http://127.0.0.1/"}, "picture"),
        ({"picture": [], "vector": "AAAA"}, "vector"),
        ({"vector": "AAAA"}, "vector"),
        ({"keep": 1}, "keep"),
        ({"x": 1}, "x"),
    ],
)
def test_json_outside_its_limits(client, painting_png, fields, field):
    body = {"name": "Swirl", "picture": b64(painting_png)} | fields
    answer = client.post(STYLES, json=body)
    assert refusal(answer) == (422, "invalid_option", field)
    assert not re.search("[Ii]nput|valid string", error_of(answer)["message"])


def test_what_pydantic_calls_by_other_names_is_told_all_the_same():
    class Other(BaseModel):
        size: int

    with pytest.raises(InvalidOption, match="'size' must be as /docs describes it"):
        style_requests.parse_fields(Other, {"size": "much"})


def test_half_a_character_is_no_name(client, painting_png):
    answer = client.post(STYLES, json={"name": "\ud800", "picture": b64(painting_png)})
    assert error_of(answer)["message"] == "'name' must be text in Unicode, without halves of characters."


def test_a_painting_that_is_deleted_while_it_is_added(client, app, add, monkeypatch):
    library = app.extensions["library"]

    def gone(*_):
        raise Missing("Gone.")

    monkeypatch.setattr(library, "hold", gone)
    assert refusal(add()) == (422, "invalid_option", "picture")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"credit": 1}, "credit"), ({"keep": "vector"}, "keep")],
)
def test_changes_outside_their_limits(client, add, body, field):
    id = add().json["id"]
    assert refusal(client.patch(f"{STYLES}/{id}", json=body)) == (422, "invalid_option", field)
    assert client.patch(f"{STYLES}/{id}", json={}).json["name"] == "Swirl"


def test_changes_in_bodies_that_are_none(client, add):
    address = f"{STYLES}/{add().json['id']}"
    assert refusal(client.patch(address, data="x"))[0] == 415
    assert refusal(client.patch(address, data="[]", content_type="application/json"))[0] == 400
    assert refusal(client.patch(address, json={"name": "x" * style_requests._MAX_CHANGE_BYTES}))[0] == 413


def test_names_are_given_once(client, add):
    add()
    assert refusal(add())[2] == "name"
    assert refusal(add(name=shipped()[0].name))[2] == "name"
    other = add(name="Other").json["id"]
    assert refusal(client.patch(f"{STYLES}/{other}", json={"name": "Swirl"}))[2] == "name"


def test_what_is_no_painting(client, add, painting_png):
    assert refusal(add(picture=upload(b"<svg/>"))) == (415, "unsupported_image", "picture")
    assert refusal(add(picture=upload(painting_png[:-100]))) == (422, "broken_image", "picture")
    assert refusal(add(picture=None, vector=upload(b"{}"))) == (422, "invalid_option", "vector")
    assert refusal(add(mask=upload(painting_png))) == (422, "invalid_option", "mask")
    assert refusal(add(picture=[upload(painting_png)] * 1 + [upload(painting_png) for _ in range(8)]))[2] == "picture"
    assert own(client) == []


def test_other_kinds_of_body(client):
    assert refusal(client.post(STYLES, data="x", content_type="text/plain")) == (415, "unsupported_body", None)
    gzip = client.post(STYLES, data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert refusal(gzip) == (415, "unsupported_body", None)
