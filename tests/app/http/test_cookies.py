"""The cookie that makes a browser's things its own, and what pages of other sites may not do with it."""

from __future__ import annotations

import stat

import pytest

from tests.support.requests import error_of

HOME = "http://localhost"


def cookie(answer) -> str:
    return answer.headers.get("Set-Cookie", "")


def test_only_this_site_reads_the_cookie(client):
    told = cookie(client.get("/"))
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    assert "Secure" not in told
    assert "Secure" in cookie(client.get("/", base_url="https://localhost"))


def test_over_tls_no_neighbour_can_set_the_cookie(client):
    name, _, attributes = cookie(client.get("/", base_url="https://localhost")).partition("=")
    assert name == "__Host-owner"
    assert "Path=/;" in attributes
    assert "Secure" in attributes
    assert "Domain" not in attributes
    assert cookie(client.get("/")).startswith("owner=")


def test_over_tls_a_cookie_of_the_plain_name_is_nobodys(app):
    planted = app.test_client()
    planted.get("/")
    value = planted.get_cookie("owner").value
    victim = app.test_client()
    victim.set_cookie("owner", value)
    told = cookie(victim.get("/", base_url="https://localhost"))
    assert told.startswith("__Host-owner=")
    assert value not in told
    again = victim.get("/", base_url="https://localhost")
    assert cookie(again).startswith("__Host-owner=")  # kept, with a new date


def test_who_comes_again_keeps_what_is_theirs(client):
    first = cookie(client.get("/"))
    assert "Expires=" in first
    assert cookie(client.get("/")).partition(";")[0]
    with client.get("/static/css/base.css") as answer:
        assert cookie(answer) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("address", ["/", "/history/delete", "/styles", "/api/v1/jobs"])
def test_a_page_of_another_site_changes_nothing(client, headers, address):
    answer = client.post(address, headers=headers | {"Accept": "application/json"})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "foreign")
    assert cookie(answer) == ""


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": HOME}, {}]
)
def test_pages_of_this_site_and_programs_may(client, headers):
    assert client.post("/history/delete", headers=headers).status_code == 303


def test_links_from_elsewhere_may_be_followed(client):
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_invited_sites_may_use_the_api_alone(new_app, form):
    client = new_app(cors_origins="https://friend.example").test_client()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"}
    assert client.post("/api/v1/stylize", data=form(), headers=headers).status_code == 200
    assert client.post("/history/delete", headers=headers).status_code == 403


def test_nobody_else_on_this_machine_reads_the_data_folder(app):
    folder = app.extensions["settings"].data_dir
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
