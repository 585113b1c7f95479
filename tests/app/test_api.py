"""The interface for programs: both kinds of body in, both kinds of answer out."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.app.answers import NEGATIVE, URL, b64, data_url, from_data_url, pixels, upload


def test_form_gives_the_painted_picture(client, form, photo_png):
    answer = client.post(URL, data=form())
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert abs(pixels(answer.data) - (255 - pixels(photo_png).astype(int))).max() <= 1
    assert answer.headers["X-Style-Weights"] == NEGATIVE
    assert float(answer.headers["X-Style-Seconds"]) == 0.01


@pytest.mark.parametrize("encode", [b64, data_url, lambda data: b64(data)[:40] + "\n" + b64(data)[40:]])
def test_json_gives_the_same_picture_as_the_form(client, form, photo_png, painting_png, encode):
    answer = client.post(URL, json={"content": encode(photo_png), "style": encode(painting_png)})
    assert answer.status_code == 200
    assert answer.data == client.post(URL, data=form()).data


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_options_reach_the_picture(client, form, format):
    answer = client.post(URL, data=form(size="48", format=format, quality="80"))
    assert answer.mimetype == f"image/{format}"
    picture = Image.open(io.BytesIO(answer.data))
    assert picture.format == format.upper()
    assert max(picture.size) == 48


def test_json_answer_for_those_who_prefer_it(client, form):
    answer = client.post(URL, data=form(size="40"), headers={"Accept": "application/json"})
    body = answer.json
    assert body.keys() == {"image", "width", "height", "seconds", "weights", "recipe"}
    assert pixels(from_data_url(body["image"])).shape == (body["height"], body["width"], 3)
    assert (body["weights"], body["seconds"]) == (NEGATIVE, 0.01)


@pytest.mark.parametrize("accept", ["*/*", "image/*", "text/html,*/*;q=0.8", ""])
def test_everybody_else_gets_the_picture(client, form, accept):
    assert client.post(URL, data=form(), headers={"Accept": accept}).mimetype == "image/png"


def shares(client, **body):
    answer = client.post(URL, headers={"Accept": "application/json"}, **body)
    assert answer.status_code == 200, answer.text
    return answer.json["recipe"]["shares"]


@pytest.mark.parametrize("weights", ["3,1", ["3", "1"]])
def test_several_styles_with_weights_in_a_form(client, form, painting_png, weights):
    fields = form(style=[upload(painting_png), upload(painting_png)], weights=weights)
    assert shares(client, data=fields) == [0.75, 0.25]


def test_several_styles_with_weights_in_json(client, photo_png, painting_png):
    painting = b64(painting_png)
    body = {"content": b64(photo_png), "style": [{"image": painting, "weight": 3}, {"image": painting}]}
    assert shares(client, json=body) == [0.75, 0.25]
    body["style"] = [painting, painting]
    assert shares(client, json=body) == [0.5, 0.5]
    assert shares(client, json=body | {"weights": [1, 3]}) == [0.25, 0.75]


def test_the_real_painter_through_both_kinds_of_body(app, monkeypatch, form, photo_png, painting_png):
    monkeypatch.undo()
    client = app.test_client()
    painted = client.post(URL, data=form(size="64"))
    assert painted.status_code == 200, painted.text
    assert painted.headers["X-Style-Weights"] != NEGATIVE
    shown = pixels(painted.data).astype(float)
    untouched = client.post(URL, data=form(size="64", strength="0", style=upload(photo_png)))
    assert abs(shown - pixels(untouched.data)).mean() > 3
    body = {"content": b64(photo_png), "style": b64(painting_png), "size": 64}
    assert client.post(URL, json=body).data == painted.data
