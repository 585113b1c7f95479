"""How much one client may ask for, and other sites' pages."""

from __future__ import annotations

import pytest

from app.http import rate_limits
from tests.support.requests import URL, b64, error_of
from tests.support.stored_results import add_result, sign_in

KEYS = "ann:key-of-ann:3 per day, bob:key-of-bob:1000 per day"
ANN, BOB = {"X-API-Key": "key-of-ann"}, {"X-API-Key": "key-of-bob"}


def statuses(client, form, count, path=URL, **more):
    return [client.post(path, data=form(), **more).status_code for _ in range(count)]


def test_more_than_the_rate_is_sent_away(new_app, form):
    client = new_app(rate_limit="2 per hour").test_client()
    assert statuses(client, form, 3) == [200, 200, 429]
    answer = client.post(URL, data=form())
    assert error_of(answer)["code"] == "too_many_requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 3601
    assert "Retry-After" not in client.get("/api/v1/styles").headers


def test_a_page_tells_it_as_a_page(new_app, form):
    client = new_app(rate_limit="1 per hour").test_client()
    client.post(URL, data=form())
    answer = client.post("/", data=form(), headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (429, "text/html")
    assert answer.headers["Retry-After"]


def test_all_that_paints_or_stores_counts_together(new_app, form):
    client = new_app(rate_limit="2 per hour").test_client()
    assert statuses(client, form, 1) + statuses(client, form, 2, "/api/v1/jobs") == [200, 202, 429]


def test_the_endpoints_with_limits_of_their_own_exist(app):
    endpoints = {
        *rate_limits._RENDERING_ENDPOINTS,
        *rate_limits._TRAINING_ENDPOINTS,
        rate_limits._FORECAST_ENDPOINT,
    }
    assert endpoints <= app.view_functions.keys()


def test_looking_and_taking_back_are_free(new_app, form):
    client = new_app(rate_limit="1 per hour").test_client()
    job = client.post("/api/v1/jobs", data=form()).headers["Location"]
    assert {client.get(job).status_code for _ in range(5)} == {200}
    assert client.delete(job).status_code == 200
    assert client.post("/history/delete").status_code == 303


def test_to_pause_is_free_and_to_go_on_is_not(new_app, form):
    client = new_app(rate_limit="2 per hour").test_client()
    job = client.post("/api/v1/jobs", data=form(method="gatys")).headers["Location"]
    answers = [client.post(f"{job}/{what}").status_code for what in ("pause", "resume", "pause", "resume", "pause")]
    assert answers == [200, 200, 200, 429, 200]


def test_each_address_counts_for_itself(new_app, form):
    client = new_app(rate_limit="1 per hour").test_client()
    other = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert statuses(client, form, 2) == [200, 429]
    assert statuses(client, form, 2, **other) == [200, 429]


def test_ipv6_counts_by_its_network(new_app, form):
    client = new_app(rate_limit="1 per hour").test_client()
    each = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::", "2001:db8:0:2::1", "::ffff:192.0.2.7", "192.0.2.7", "::1%eth0"]
    answers = [client.post(URL, data=form(), environ_overrides={"REMOTE_ADDR": one}).status_code for one in each]
    assert answers == [200, 429, 200, 200, 429, 200]


def test_changing_counts(new_app, painting_png):
    client = new_app(rate_limit="2 per hour").test_client()
    style = client.post("/api/v1/styles", json={"picture": b64(painting_png), "name": "Own"}).headers["Location"]
    assert [client.patch(style, json={"name": name}).status_code for name in ("a", "b")] == [200, 429]
    assert client.get(style).status_code == 200
    assert client.delete(style).status_code == 204


def test_trainings_have_a_rate_of_their_own(new_app, painting_png, monkeypatch):
    monkeypatch.setattr(rate_limits, "_TRAINING_RATE", "2 per hour")
    client = new_app(rate_limit="600 per minute").test_client()
    sign_in(client, "ann")
    own = client.post("/api/v1/styles", json={"picture": b64(painting_png), "name": "Own"}).json["id"]
    answers = [client.post(f"/api/v1/styles/{own}/network").status_code for _ in range(2)]
    assert [*answers, client.post(f"/styles/{own}/network").status_code] == [202, 409, 429]
    assert client.delete(f"/api/v1/styles/{own}/network").status_code == 200


def test_looks_that_take_a_turn_have_a_rate_of_their_own(new_app, photo_png, monkeypatch):
    monkeypatch.setattr(rate_limits, "_VIEW_RATE", "5 per hour")
    app = new_app(rate_limit="1 per hour")
    client = app.test_client()
    sign_in(client, "ann")
    id = add_result(app, "ann", photo_png, format="jpeg")
    of_result = [f"/results/{id}/shown", f"/results/{id}/picture.webp", f"/api/v1/jobs/{id}/result"]
    addresses = [*of_result, "/styles/flow/vector", "/api/v1/styles/flow/vector"]
    for path in ("/styles", f"/results/{id}/thumbnail", f"/results/{id}/picture.png", "/api/v1/styles/flow/thumbnail"):
        assert {client.get(path).status_code for _ in range(6)} == {200}
    assert [client.get(path).status_code for path in addresses] == [200] * 5
    refused = [client.get(path) for path in addresses]
    assert [answer.status_code for answer in refused] == [429] * 5
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert client.get(f"/results/{id}").status_code == 200


def test_without_a_rate_looks_have_none(new_app, monkeypatch):
    monkeypatch.setattr(rate_limits, "_VIEW_RATE", "1 per hour")
    client = new_app().test_client()
    assert {client.get("/styles/flow/vector").status_code for _ in range(3)} == {200}


def test_an_address_that_a_client_makes_up_is_not_believed(new_app, form):
    client = new_app(rate_limit="1 per hour").test_client()
    client.post(URL, data=form())
    assert client.post(URL, data=form(), headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 429


def test_a_key_has_a_quota_in_place_of_the_rate(new_app, form):
    client = new_app(rate_limit="1 per hour", api_keys=KEYS).test_client()
    assert statuses(client, form, 4, headers=ANN) == [200, 200, 200, 429]
    assert statuses(client, form, 4, headers=BOB) == [200] * 4
    assert statuses(client, form, 2) == [200, 429]


def test_who_guesses_keys_is_counted_by_address(new_app, form):
    client = new_app(rate_limit="2 per hour", api_keys=KEYS).test_client()
    guesses = [client.post(URL, data=form(), headers={"X-API-Key": f"guess {n}"}).status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]


@pytest.mark.parametrize("rate", ["often", "5", "5 per fortnight"])
def test_a_malformed_rate_stops_the_start(new_app, rate):
    with pytest.raises(ValueError, match="STYLE_RATE_LIMIT"):
        new_app(rate_limit=rate)


def test_without_its_redis_it_counts_by_itself(new_app, form):
    client = new_app(rate_limit="2 per hour", queue_url="redis://127.0.0.1:1/0").test_client()
    assert statuses(client, form, 3) == [200, 200, 429]


def test_two_servers_count_together_in_redis(new_app, form, redis_url):
    clients = [new_app(rate_limit="2 per hour", queue_url=redis_url).test_client() for _ in range(2)]
    both = [client.post(URL, data=form()).status_code for _ in range(2) for client in clients]
    assert both == [200, 200, 429, 429]


SITE = {"Origin": "https://site.example"}


def test_other_sites_are_not_let_in_unless_that_is_set(client, form):
    assert "Access-Control-Allow-Origin" not in client.post(URL, data=form(), headers=SITE).headers
    preflight = client.options(URL, headers=SITE | {"Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_the_sites_that_are_set_may_use_the_api_but_no_cookie(new_app, form):
    client = new_app(cors_origins="https://site.example, https://other.example/").test_client()
    answer = client.post(URL, data=form(), headers=SITE)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://site.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = client.options("/api/v1/jobs", headers=SITE | asked)
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    refused = client.get("/api/v1/nothing", headers={"Origin": "https://other.example"})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (404, "https://other.example")
    assert (
        "Access-Control-Allow-Origin"
        not in client.post(URL, data=form(), headers={"Origin": "https://x.example"}).headers
    )
    assert "Access-Control-Allow-Origin" not in client.get("/", headers=SITE).headers
