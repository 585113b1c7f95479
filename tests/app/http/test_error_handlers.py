"""Every refusal has one shape, and nothing in it comes from inside the server."""

from __future__ import annotations

import pytest

from model.errors import DeviceUnavailable, WeightsMissing
from tests.support.requests import URL, error_of, refusal, wait_until

DOORS = [URL, "/api/v1/jobs"]


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
def test_missing_model_is_told_without_its_path(client, painter, form, error):
    painter.fail("stylize", error)
    answer = client.post(URL, data=form())
    assert refusal(answer) == (503, "model_unavailable", None)
    assert "/home" not in answer.text
    assert answer.headers["Retry-After"]


def test_a_fault_of_ours_goes_to_the_log_only(client, painter, form, caplog):
    painter.fail("stylize", RuntimeError("secret detail"))
    answer = client.post(URL, data=form())
    assert refusal(answer) == (500, "internal_error", None)
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_an_encoder_that_cannot_be_fetched(new_app, painter, form):
    """The same order would fail the same way, so it is tried once."""
    painter.fail("refine", WeightsMissing("Put xception.h5 into /secret/folder.", "encoder"))
    client = new_app(worker=True).test_client()
    job = client.post(DOORS[1], data=form(method="gatys", encoder="xception")).json
    wait_until(lambda: client.get(f"{DOORS[1]}/{job['id']}").json["state"] == "failed")
    assert client.get(f"{DOORS[1]}/{job['id']}").json["error"] == {
        "code": "encoder_unavailable",
        "message": "The weights of the encoder that was asked for could not be fetched. Choose another one, such as "
        "vgg19-slim.",
        "field": "encoder",
    }
    assert len(painter.calls_of("refine")) == 1
