"""The site answers by its names alone, where they are set."""

from __future__ import annotations

import pytest

from tests.support.requests import error_of


@pytest.mark.parametrize("host", ["paint.example.org", "www.below.example.net", "paint.example.org:8443"])
def test_the_site_answers_by_its_names(new_app, host):
    client = new_app(hosts="paint.example.org, .below.example.net").test_client()
    assert client.get("/", base_url=f"http://{host}").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "paint.example.org.evil.example", "www.paint.example.org"])
@pytest.mark.parametrize("address", ["/", "/api/v1/styles", "/healthz", "/nothing"])
def test_the_site_answers_by_no_other_name(new_app, host, address):
    client = new_app(hosts="paint.example.org, .below.example.net").test_client()
    for answer in (client.get(address, base_url=f"http://{host}"), client.post(address, base_url=f"http://{host}")):
        assert (answer.status_code, error_of(answer)["code"]) == (400, "unknown_host")
        assert answer.headers.get("Set-Cookie", "") == ""


def test_any_name_will_do_where_none_is_set(client):
    assert client.get("/", base_url="http://anything.example").status_code == 200
