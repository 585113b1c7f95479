"""Requests to teach a style, over HTTP: their options, whose style it may be, and what the job tells."""

from __future__ import annotations

import pytest

from tests.support.requests import refusal, upload, wait_until
from tests.support.stored_results import sign_in


@pytest.fixture
def working(new_app):
    """A server that trains, with Ann's browser."""
    client = new_app(worker=True).test_client()
    sign_in(client, "ann")
    return client


def add_style(client, painting: bytes, **fields) -> str:
    answer = client.post("/api/v1/styles", data={"picture": upload(painting), "name": "Harbour"} | fields)
    return answer.headers["Location"]


def job_at(client, answer) -> dict:
    assert answer.status_code == 202, answer.text
    return client.get(answer.headers["Location"]).json


def ended(client, answer) -> dict:
    wait_until(lambda: job_at(client, answer)["state"] not in ("queued", "running"))
    return job_at(client, answer)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({}, 480),
        ({"json": {"minutes": 2}}, 120),
        ({"json": {"seconds": 90, "content_weight": 0.3, "size": 256}}, 90),
        ({"data": {"minutes": "0.5"}, "content_type": "multipart/form-data"}, 30),
    ],
)
def test_a_training_takes_the_time_it_is_given(ann, painting_png, sent, seconds):
    answer = ann.post(add_style(ann, painting_png) + "/network", **sent)
    assert (answer.json["method"], answer.json["state"]) == ("train", "queued")
    job = ann.application.extensions["jobs"].get(answer.json["id"])
    assert job.training_order.options.seconds == seconds
    assert job.training_order.options.content_weight == sent.get("json", {}).get("content_weight", 1)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"minutes": 9}, "minutes"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": "soon"}, "minutes"),
        ({"seconds": 481}, "seconds"),
        ({"seconds": "unlimited"}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"seconds": 60, "minutes": 1}, "minutes"),
        ({"content_weight": -1}, "content_weight"),
        ({"size": 5000}, "size"),
        ({"judge": "vgg16"}, "judge"),
    ],
)
def test_what_is_refused_names_its_field(ann, painting_png, fields, field):
    answer = ann.post(add_style(ann, painting_png) + "/network", json=fields)
    assert refusal(answer) == (422, "invalid_option", field)


def test_only_a_painting_of_ones_own_is_taught(ann, bob, painting_png):
    vector = add_style(ann, painting_png, name="Numbers", keep="vector")
    for address in ("/api/v1/styles/mosaic", vector):
        assert refusal(ann.post(address + "/network")) == (422, "invalid_option", "id")
    assert refusal(ann.delete(vector + "/network")) == (422, "invalid_option", "id")
    own = add_style(ann, painting_png)
    for method in (bob.post, bob.delete, ann.application.test_client().post):
        assert refusal(method(own + "/network")) == (404, "not_found", None)


def test_a_style_is_taught_once_at_a_time_and_a_request_may_be_repeated(ann, painting_png):
    address = add_style(ann, painting_png) + "/network"
    first = ann.post(address, headers={"Idempotency-Key": "1"})
    assert ann.post(address, headers={"Idempotency-Key": "1"}).json["id"] == first.json["id"]
    assert refusal(ann.post(address)) == (409, "already_training", None)
    assert refusal(ann.post(address, json={"seconds": 5}, headers={"Idempotency-Key": "1"}))[0] == 422
    assert refusal(ann.post(address, headers={"Idempotency-Key": "ä b"}))[0] == 422
    assert ann.delete(first.headers["Location"]).json["state"] == "cancelled"
    assert ann.post(address).status_code == 202


def test_a_taught_style_is_told_and_can_forget(working, painting_png):
    style = add_style(working, painting_png)
    assert working.get(style).json["taught"] is False
    job = ended(working, working.post(style + "/network", json={"steps": 4}))
    assert (job["state"], job["complete"], job["style"], job["result"]) == ("done", True, style, None)
    assert [row["step"] for row in job["losses"]] == [1, 2, 3, 4]
    assert working.get(style).json["taught"] is True
    assert working.get(style + "/vector").json["network"]
    assert working.delete(style + "/network").json["taught"] is False
    assert "network" not in working.get(style + "/vector").json


def test_a_stopped_training_says_that_it_is_not_complete(working, painter, painting_png):
    painter.steps, hold = 10, painter.hold("train", step=6)
    style = add_style(working, painting_png)
    answer = working.post(style + "/network")
    assert hold.reached.wait(20)
    running = job_at(working, answer)
    assert working.get(running["preview"]).mimetype == "image/jpeg"
    assert (running["state"], running["complete"]) == ("running", None)
    working.delete(answer.headers["Location"])
    job = ended(working, answer)
    assert (job["state"], job["complete"]) == ("cancelled", False)
    assert working.get(style).json["taught"] is True
    assert refusal(working.get(answer.headers["Location"] + "/result"))[0] == 404


def test_a_style_that_is_deleted_takes_its_training_along(ann, painting_png):
    style = add_style(ann, painting_png)
    job = ann.post(style + "/network").headers["Location"]
    assert ann.delete(style).status_code == 204
    assert ann.get(job).status_code == 404
