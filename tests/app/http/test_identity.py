"""Who a request is: a key, a cookie, or nobody."""

from __future__ import annotations

import pytest

from app.http import identity
from tests.support.requests import error_of

STYLES, JOBS = "/api/v1/styles", "/api/v1/jobs"
KEYS = "ann:key-of-ann:1000 per day, bob:key:of:bob:5 per minute; 10 per hour\n"


@pytest.fixture
def keyed(new_app):
    return new_app(api_keys=KEYS)


def names(client, **headers):
    return [style["name"] for style in client.get(STYLES, headers=headers).json["styles"] if style["own"]]


def add(client, painting_png, name, **headers):
    import io

    fields = {"picture": (io.BytesIO(painting_png), "p.png"), "name": name}
    answer = client.post(STYLES, data=fields, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def test_keys_are_parsed():
    keys = identity.parse_api_keys(KEYS).values()
    assert [(key.name, key.quota) for key in keys] == [("ann", "1000 per day"), ("bob", "5 per minute; 10 per hour")]
    assert len({key.owner for key in keys}) == 2
    assert identity.parse_api_keys("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann:key",
        ":key:5 per day",
        "ann::5 per day",
        "ann:key:",
        "ann:key:often",
        "ann:key:5 per fortnight",
        "a n:key:5 per day",
        "ann:k y:5 per day",
        "bob:b:5 per day,ann:key:5",
        "ann:key:5 per day, ann:other:5 per day",
        "ann:key:5 per day, bob:key:5 per day",
    ],
)
def test_a_malformed_entry_stops_the_start(new_app, text):
    with pytest.raises(ValueError, match=r"^STYLE_API_KEYS: entry \d .*\.$") as caught:
        new_app(api_keys=text)
    assert "key:of" not in str(caught.value)


def test_a_cookie_is_made_once_and_kept(app, painting_png):
    client = app.test_client()
    cookie = add(client, painting_png, "Mine").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires" in cookie
    add(client, painting_png, "Mine too")
    assert names(client) == ["Mine", "Mine too"]
    assert names(app.test_client()) == []


@pytest.mark.parametrize("cookie", ["forged", "eyJvd25lciI6ImFubiJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb", ""])
def test_a_forged_cookie_is_none(app, painting_png, cookie):
    add(app.test_client(), painting_png, "Mine")
    client = app.test_client()
    client.set_cookie("owner", cookie)
    assert names(client) == []


@pytest.mark.parametrize("header", [{"Authorization": "Bearer key-of-ann"}, {"X-API-Key": "key-of-ann"}])
def test_a_key_has_its_own_things_whatever_the_client(keyed, painting_png, header):
    added = add(keyed.test_client(), painting_png, "Ann's", **header)
    assert "Set-Cookie" not in added.headers
    assert names(keyed.test_client(), **header) == ["Ann's"]
    assert names(keyed.test_client(), **{"X-API-Key": "key:of:bob"}) == []
    assert names(keyed.test_client()) == []


def test_a_new_secret_of_the_same_name_opens_the_same(new_app, painting_png):
    add(new_app(api_keys=KEYS).test_client(), painting_png, "Ann's", **{"X-API-Key": "key-of-ann"})
    changed = new_app(api_keys="ann:new-key-of-ann:1000 per day")
    assert names(changed.test_client(), **{"X-API-Key": "new-key-of-ann"}) == ["Ann's"]
    assert changed.test_client().get(STYLES, headers={"X-API-Key": "key-of-ann"}).status_code == 401


@pytest.mark.parametrize("header", [{"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}, {"X-API-Key": "schön"}])
def test_an_unknown_key_opens_nothing(keyed, form, header):
    client = keyed.test_client()
    for answer in (
        client.get(STYLES, headers=header),
        client.post(JOBS, data=form(), headers=header),
        client.post("/api/v1/stylize", data=form(), headers=header),
        client.post(STYLES, data=form(), headers=header),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (401, "unknown_key")


def test_a_proxys_own_authorization_is_not_ours(keyed):
    header = {"Authorization": "Basic YW5uOmtleQ=="}
    assert keyed.test_client().get(STYLES, headers=header).status_code == 200


def test_a_keys_job_is_not_open(keyed, form):
    header = {"X-API-Key": "key-of-ann"}
    location = keyed.test_client().post(JOBS, data=form(), headers=header).headers["Location"]
    assert keyed.test_client().get(location, headers=header).status_code == 200
    assert keyed.test_client().get(location).status_code == 404
    assert keyed.test_client().get(location, headers={"X-API-Key": "key:of:bob"}).status_code == 404
