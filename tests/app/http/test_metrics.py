"""/metrics: what happened is counted, by endpoint and status, and nothing a client sends becomes a label."""

from __future__ import annotations

import pytest

from app.jobs.queue import JobState
from tests.support.requests import URL, metrics_of, upload


def test_requests_are_counted_by_endpoint_and_status(client):
    for _ in range(3):
        client.get("/healthz")
    client.post(URL)
    counted = metrics_of(client)
    assert counted["style_requests_total", "health.alive", "200"] == 3
    assert counted["style_requests_total", "api_jobs.stylize", "415"] == 1
    assert counted["style_request_seconds_count", "health.alive"] == 3
    assert 0 <= counted["style_request_seconds_sum", "health.alive"] < 3


def test_a_render_is_counted_with_its_seconds(client, form):
    assert client.post(URL, data=form()).status_code == 200
    counted = metrics_of(client)
    assert counted[("style_render_seconds_count",)] == 1
    assert counted[("style_render_seconds_sum",)] == pytest.approx(0.01)


def test_jobs_are_counted_by_state(client, form):
    assert {metrics_of(client)["style_jobs", state] for state in JobState.__args__} == {0}
    id = client.post("/api/v1/jobs", data=form()).json["id"]
    assert metrics_of(client)["style_jobs", "queued"] == 1
    client.delete(f"/api/v1/jobs/{id}")
    counted = metrics_of(client)
    assert (counted["style_jobs", "queued"], counted["style_jobs", "cancelled"]) == (0, 1)


def test_trainings_are_counted_among_the_jobs_and_by_themselves(ann, painting_png):
    style = ann.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Own"}).headers["Location"]
    ann.post(style + "/network")
    counted = metrics_of(ann)
    assert (counted["style_jobs", "queued"], counted["style_trainings", "queued"]) == (1, 1)


def test_strange_addresses_methods_and_hosts_make_no_new_labels(client):
    client.get("/nowhere")
    before = metrics_of(client).keys()
    for number in range(20):
        client.get(f"/nowhere/{number}")
        client.open("/nowhere", method=f"STRANGE{number}")
        client.get("/nowhere", headers={"Host": f"host{number}", "User-Agent": f"agent{number}"})
    after = metrics_of(client)
    assert after.keys() - before <= {name for name in after if name[1:2] == ("metrics.numbers",)}
    assert after["style_requests_total", "none", "404"] == 61


def test_two_apps_count_apart(new_app, tmp_path):
    one, other = (new_app(data_dir=tmp_path / name) for name in ("one", "other"))
    one.test_client().get("/healthz")
    assert ("style_requests_total", "health.alive", "200") in metrics_of(one.test_client())
    assert ("style_requests_total", "health.alive", "200") not in metrics_of(other.test_client())
