"""The interface for programs: both kinds of body in, both kinds of answer out."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.storage.gallery import shipped
from model.style_file import StyleFile
from tests.support.requests import NEGATIVE, URL, b64, data_url, from_data_url, pixels, upload, wait_until
from tests.support.torch_files import imported_style


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


@pytest.fixture
def library(client, painting_png):
    """The ids of two styles that the client has of its own: Swirl, and Numbers without its picture."""
    ids = []
    for name, keep in (("Swirl", "picture"), ("Numbers", "vector")):
        answer = client.post("/api/v1/styles", data={"picture": upload(painting_png), "name": name, "keep": keep})
        ids.append(answer.json["id"])
    return ids


def test_styles_of_the_library_by_name_and_by_id(client, form, library, photo_png, painting_png):
    ships = shipped()[0]
    chosen = [ships.name, ships.id, "Swirl", library[1]]
    assert shares(client, data=form(style=[*chosen, upload(painting_png)])) == [0.2] * 5
    body = {"content": b64(photo_png), "style": [*chosen, {"name": "Numbers", "weight": 4}, b64(painting_png)]}
    assert shares(client, json=body) == [1 / 9] * 4 + [4 / 9, 1 / 9]
    assert shares(client, json=body | {"style": "Swirl"}) == [1]


def test_anothers_style_is_none(app, form, library):
    answer = app.test_client().post(URL, data=form(style="Swirl"))
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "style")


def test_a_style_file_is_a_style(client, form, library):
    file = client.get(f"/api/v1/styles/{library[1]}/vector").data
    assert shares(client, data=form(style=upload(file, "numbers.style.json"))) == [1]
    assert shares(client, json={"content": b64(form()["content"][0].read()), "style": b64(file)}) == [1]


def test_sliders_of_the_page_weigh_the_styles_that_are_chosen(client, form, library, painting_png):
    sliders = {f"weight-{library[0]}": "3", f"weight-{library[1]}": "100", "weight-own": "1"}
    assert shares(client, data=form(style=["Swirl", upload(painting_png)], **sliders)) == [0.75, 0.25]
    assert shares(client, data=form(style=["Swirl", library[1]], **sliders)) == [3 / 103, 100 / 103]
    for own, expected in (("1", [0.6, 0.2, 0.2]), (["1", "0"], [0.75, 0.25, 0])):
        three = ["Swirl", upload(painting_png), upload(painting_png)]
        assert shares(client, data=form(style=three, **(sliders | {"weight-own": own}))) == expected
    assert shares(client, data=form(**{f"weight-{library[1]}": "100"})) == [1]


def test_a_full_library_of_sliders_fits(client, form):
    assert client.post(URL, data=form(**{f"weight-{n:032}": "1.00" for n in range(230)})).status_code == 200


def test_the_photo_of_a_result_once_more(new_app, form, photo_png, painting_png):
    app = new_app(worker=True)
    client = app.test_client()
    client.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Swirl"})
    job = client.post("/api/v1/jobs", data=form()).json
    wait_until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json["state"] == "done")
    again = {"content": f"result:{job['id']}", "style": "Swirl"}
    multipart = {"data": again, "content_type": "multipart/form-data"}
    expected = client.post(URL, data=form(style="Swirl")).data
    assert client.post(URL, **multipart).data == expected
    assert client.post(URL, json=again).data == expected
    other_photo = form(style="Swirl", content=[again["content"], upload(painting_png)])
    assert client.post(URL, data=other_photo).data != expected
    for stranger in (app.test_client(), new_app().test_client()):
        stranger.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Swirl"})
        for body in (multipart, {"json": again}):
            answer = stranger.post(URL, **body)
            assert (answer.status_code, answer.json["error"]["field"]) == (422, "content")


def test_what_takes_too_long_is_sent_to_the_jobs(new_app, form):
    client = new_app(sync_pixels=48 * 36).test_client()
    assert client.post(URL, data=form(size="48")).status_code == 200
    for fields in (form(size="49"), form()):
        answer = client.post(URL, data=fields)
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "too_long")
        assert "/api/v1/jobs" in answer.json["error"]["message"]
        assert client.post("/api/v1/jobs", data=form()).status_code == 202


def test_the_real_painter_through_both_kinds_of_body(client, painter, form, photo_png, painting_png):
    painter.use_library()
    painted = client.post(URL, data=form(size="64"))
    assert painted.status_code == 200, painted.text
    assert painted.headers["X-Style-Weights"] != NEGATIVE
    shown = pixels(painted.data).astype(float)
    untouched = client.post(URL, data=form(size="64", strength="0", style=upload(photo_png)))
    assert abs(shown - pixels(untouched.data)).mean() > 3
    body = {"content": b64(photo_png), "style": b64(painting_png), "size": 64}
    assert client.post(URL, json=body).data == painted.data


def test_a_style_file_with_an_imported_network_paints(client, form, painter):
    painter.use_library("stylize", "stylize_file")
    answer = client.post(URL, data=form(style=upload(imported_style().to_bytes(), "candy.style.json")))
    assert (answer.status_code, answer.mimetype) == (200, "image/png"), answer.text
    damaged = StyleFile.with_imported(b"nonsense", "johnson", name="Candy").to_bytes()
    refused = client.post(URL, data=form(style=upload(damaged, "candy.style.json")))
    assert (refused.status_code, refused.json["error"]["field"]) == (422, "style")
