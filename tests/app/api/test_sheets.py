"""Contact sheets over HTTP: a picture for each style, strength and brush size, and where each of them is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.requests import NEGATIVE, b64, error_of, from_data_url, pixels, upload

URL = "/api/v1/sheet"
JSON = {"Accept": "application/json"}


def test_json_says_where_each_picture_is(client, form, photo_png):
    fields = form(strengths="0,1", style_scales="0.5,2", size="64")
    answer = client.post(URL, data=fields, headers=JSON)
    assert answer.status_code == 200, answer.text
    sheet = pixels(from_data_url(answer.json["image"]))
    assert sheet.shape == (answer.json["height"], answer.json["width"], 3)
    cells = answer.json["cells"]
    assert [(cell["style"], cell["strength"], cell["style_scale"]) for cell in cells] == [
        *((1, 0, 0.5), (1, 1, 0.5)),
        *((1, 0, 2), (1, 1, 2)),
    ]
    small = np.asarray(Image.open(io.BytesIO(photo_png)).resize((64, 48), Image.Resampling.LANCZOS)).astype(int)
    for cell in cells:
        shown = sheet[cell["y"] : cell["y"] + cell["height"], cell["x"] : cell["x"] + cell["width"]]
        assert shown.shape == (48, 64, 3)
        assert abs(shown - (255 - small)).mean() < 3


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_everybody_else_gets_the_picture(client, form, format):
    answer = client.post(URL, data=form(size="64", format=format))
    assert (answer.status_code, answer.mimetype) == (200, f"image/{format}")
    assert Image.open(io.BytesIO(answer.data)).format == format.upper()
    assert answer.headers["X-Style-Weights"] == NEGATIVE


def test_a_row_for_each_style_however_it_is_sent(client, form, photo_png, painting_png):
    fields = form(style=["mosaic", "Ink", upload(painting_png)], size="64", strengths="1")
    cells = client.post(URL, data=fields, headers=JSON).json["cells"]
    assert [cell["style"] for cell in cells] == [1, 2, 3]
    body = {"content": b64(photo_png), "style": ["mosaic", "Ink", b64(painting_png)], "size": 64, "strengths": [1]}
    assert client.post(URL, json=body, headers=JSON).json["cells"] == cells


def test_the_sliders_of_the_page_say_nothing_here(client, form):
    assert client.post(URL, data=form(size="64", **{"weight-own": "3", "weight-mosaic": "5"})).status_code == 200


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"strengths": "2"}, "invalid_option", "strengths"),
        ({"strengths": ""}, "invalid_option", "strengths"),
        ({"style_scales": "0.1"}, "invalid_option", "style_scales"),
        ({"size": "513"}, "invalid_option", "size"),
        ({"strength": "1"}, "invalid_option", "strength"),
        ({"method": "magenta"}, "invalid_option", "method"),
        ({"mask": "everywhere"}, "invalid_option", "mask"),
        ({"weights": "1"}, "invalid_option", "weights"),
        ({"style": None}, "invalid_option", "style"),
        ({"content": None}, "invalid_option", "content"),
        (
            {"style": ["mosaic"] * 8, "strengths": "0,.1,.2,.3", "style_scales": "1,2,3,4"},
            "invalid_option",
            "strengths",
        ),
    ],
)
def test_what_cannot_be_is_refused(client, form, fields, code, field):
    answer = client.post(URL, data=form(**fields))
    assert answer.status_code == 422
    assert (error_of(answer)["code"], error_of(answer)["field"]) == (code, field)


def test_what_takes_too_long_is_refused(new_app, form):
    client = new_app(sync_pixels=3 * 64 * 48).test_client()
    assert client.post(URL, data=form(size="64")).status_code == 200
    answer = client.post(URL, data=form(size="65"))
    assert (answer.status_code, error_of(answer)["code"]) == (422, "too_long")


def test_a_file_of_a_mask_is_refused(client, form, photo_png):
    answer = client.post(URL, data=form(mask=upload(photo_png)))
    assert (answer.status_code, error_of(answer)["field"]) == (422, "mask")
