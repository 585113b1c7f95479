"""Large results: refused beyond the server's limit, else painted into a file, with a small copy to be seen and kept."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.jobs import rendering
from model.pipelines import recipes, stylization
from tests.support.requests import URL, error_of, pixels, upload, wait_until

LIMIT = {"megapixels": 0.01}  # the photo has 0.0123


@pytest.mark.parametrize("door", [URL, "/api/v1/jobs"])
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "size"),
        ({"size": "200"}, "size"),
        ({"size": "32768"}, "size"),
        ({"print": "4x3cm", "dpi": "150"}, "print"),
        ({"print": "900x900cm"}, "print"),
    ],
)
def test_what_is_too_large_is_refused_by_the_name_of_what_made_it_so(new_app, form, door, asked, field):
    answer = new_app(**LIMIT).test_client().post(door, data=form(**asked))
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["field"]) == (422, "too_large", field)
    assert "more than 0.01" in error["message"]


@pytest.mark.parametrize("door", [URL, "/api/v1/jobs"])
def test_what_its_kind_of_file_cannot_hold_is_refused_before_it_is_painted(client, form, door):
    file = io.BytesIO()
    Image.new("RGB", (400, 4)).save(file, "PNG")
    answer = client.post(door, data=form(content=upload(file.getvalue()), size="16384", format="webp"))
    assert (answer.status_code, error_of(answer)["field"]) == (413, "format")


def test_so_is_a_refinement(new_app, form):
    answer = new_app(**LIMIT).test_client().post("/api/v1/jobs", data=form(method="gatys", size="128"))
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["field"]) == (422, "too_large", "size")


def test_what_is_as_large_as_may_be_is_taken(new_app, form):
    assert new_app(**LIMIT).test_client().post(URL, data=form(size="100")).status_code == 200


def test_a_print_has_the_pixels_that_it_takes(client, form):
    picture = Image.open(io.BytesIO(client.post(URL, data=form(print="3x4in", dpi="100")).data))
    assert picture.size == (400, 300)
    assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.01)


@pytest.fixture
def working(new_app, monkeypatch):
    """A server that takes the smallest of pictures for large ones."""
    monkeypatch.setattr(rendering, "STREAMED_PIXELS", 1000)
    client = new_app(worker=True).test_client()
    client.get("/")
    return client


def test_a_large_result_is_painted_into_a_file(working, form, photo_png):
    fields = form(style="mosaic", format="jpeg", content=upload(photo_png, "holiday.png"))
    job = working.post("/api/v1/jobs", data=fields).json
    wait_until(lambda: working.get(f"/api/v1/jobs/{job['id']}").json["state"] == "done")
    painted = working.get(f"/results/{job['id']}/picture.png").data
    assert abs(pixels(painted) - (255.0 - pixels(photo_png))).max() <= 1
    told = recipes.extract(painted).to_dict()
    assert (told["styles"][0]["name"], told["format"]) == ("Mosaic", "jpeg")
    assert pixels(working.get(f"/results/{job['id']}/thumbnail").data).shape == (96, 128, 3)
    assert working.get(f"/api/v1/jobs/{job['id']}/result").mimetype == "image/jpeg"


def test_cancelled_it_leaves_its_small_copy(working, painter, form, monkeypatch):
    hold = painter.hold("stylize_file")
    monkeypatch.setattr(stylization, "PREVIEW_SIDE", 64)
    job = working.post("/api/v1/jobs", data=form()).json["id"]
    assert hold.reached.wait(20)
    assert pixels(working.get(f"/api/v1/jobs/{job}/preview").data).shape == (48, 64, 3)
    working.delete(f"/api/v1/jobs/{job}")
    wait_until(lambda: working.get(f"/api/v1/jobs/{job}").json["state"] == "cancelled")
    assert pixels(working.get(f"/results/{job}/picture.png").data).shape == (48, 64, 3)
    assert working.get(f"/api/v1/jobs/{job}").json["notes"] == [stylization.STOPPED_EARLY]
