"""What a picture would come to: asked by its size, told before anything is sent."""

from __future__ import annotations

import pytest

from app.api import forecasts
from tests.support.requests import error_of

URL = "/api/v1/forecast"
PHOTO = {"width": 4000, "height": 3000}


@pytest.fixture
def loaded(client):
    client.get("/readyz")
    client.application.extensions["engine"].run(lambda: None)
    return client


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (2048, 1536)),
        ({"size": 1000}, (1000, 750)),
        ({"size": "own"}, (2048, 1536)),
        ({"print": "20x15in", "dpi": "100"}, (2000, 1500)),
    ],
)
def test_it_tells_the_size_of_the_result(loaded, asked, size):
    answer = loaded.get(URL, query_string=PHOTO | asked)
    assert answer.status_code == 200, answer.text
    told = answer.json
    assert (told["width"], told["height"]) == size
    assert told["seconds"] == pytest.approx(size[0] * size[1] / 1e6)
    assert told.keys() == {"width", "height", "seconds", "memory", "disk", "tiled"}


def test_masks_and_pieces_count(loaded):
    told = loaded.get(URL, query_string=PHOTO | {"size": 1000, "masks": 3, "tiles": "always"}).json
    assert (told["seconds"], told["tiled"]) == (pytest.approx(2.25), True)


def test_nothing_is_loaded_for_it(client, painter):
    told = client.get(URL, query_string=PHOTO).json
    assert (told["width"], told["height"], told["seconds"]) == (2048, 1536, None)
    assert not painter.calls


def test_who_comes_during_the_trial_is_told_the_size_alone(loaded, monkeypatch):
    monkeypatch.setattr(forecasts, "_PATIENCE", 0.01)
    with forecasts._LOCK:
        told = loaded.get(URL, query_string=PHOTO).json
    assert (told["width"], told["seconds"], told["tiled"]) == (2048, None, None)
    assert loaded.get(URL, query_string=PHOTO).json["seconds"]


def test_what_is_asked_for_besides_changes_nothing_and_is_checked(loaded):
    more = {"strength": 0.5, "steady": "yes", "weights": "1,2", "keep_colours": 1, "format": "tiff"}
    assert loaded.get(URL, query_string=PHOTO | more).json == loaded.get(URL, query_string=PHOTO).json


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"width": None}, "invalid_option", "width"),
        ({"height": "tall"}, "invalid_option", "height"),
        ({"height": 0}, "invalid_option", "height"),
        ({"width": 10**9}, "invalid_option", "width"),
        ({"size": 31}, "invalid_option", "size"),
        ({"masks": 9}, "invalid_option", "masks"),
        ({"content": "x"}, "invalid_option", "content"),
        ({"print": "A4"}, "invalid_option", "print"),
        ({"size": 100, "print": "6x4in"}, "invalid_option", "print"),
        ({"size": 9000}, "too_large", "size"),
        ({"print": "200x100cm"}, "too_large", "print"),
    ],
)
def test_what_cannot_be_is_refused(client, asked, code, field):
    fields = {name: value for name, value in (PHOTO | asked).items() if value is not None}
    answer = client.get(URL, query_string=fields)
    assert answer.status_code == 422, answer.text
    assert (error_of(answer)["code"], error_of(answer)["field"]) == (code, field)


def test_it_has_an_allowance_of_its_own(new_app, monkeypatch):
    monkeypatch.setattr("app.http.rate_limits._FORECAST_RATE", "2 per hour")
    client = new_app(rate_limit="1 per hour").test_client()
    assert [client.get(URL, query_string=PHOTO).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/api/v1/styles").status_code == 200
