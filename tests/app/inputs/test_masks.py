"""Masks over HTTP: what is white is painted, what is black stays the photo, and what does not fit is refused first."""

from __future__ import annotations

import numpy as np
import pytest

from app.inputs.references import RESULT_PREFIX
from app.jobs.order import Order
from tests.support.requests import LEFT, URL, b64, data_url, error_of, pixels, png, refusal, upload, wait_until


@pytest.fixture
def clear_png(photo_png) -> bytes:
    """The photo, clear on its right half."""
    return png(np.dstack([pixels(photo_png), LEFT]))


def test_the_photo_stays_to_the_last_bit_where_the_mask_is_black(client, form, photo_png):
    painted, photo = pixels(client.post(URL, data=form(mask=upload(png(LEFT)))).data), pixels(photo_png)
    assert (painted[:, 64:] == photo[:, 64:]).all()
    assert abs(painted[:, :64] - (255.0 - photo[:, :64])).max() <= 1


def test_json_gives_the_same_picture_as_the_form(client, form, photo_png, painting_png):
    expected = client.post(URL, data=form(mask=upload(png(LEFT)), feather="3")).data
    body = {"content": b64(photo_png), "style": b64(painting_png), "feather": 3}
    for mask in (b64(png(LEFT)), data_url(png(LEFT)), [b64(png(LEFT))]):
        assert client.post(URL, json=body | {"mask": mask}).data == expected


def test_a_mask_of_another_size_is_scaled(client, form):
    small = png(LEFT[::2, ::2])
    painted = pixels(client.post(URL, data=form(mask=upload(small))).data).astype(int)
    whole = pixels(client.post(URL, data=form(mask=upload(png(LEFT)))).data)
    assert abs(painted - whole)[:, np.r_[:60, 68:128]].max() <= 2


def test_words_stand_for_masks(client, form, photo_png, painting_png, clear_png):
    everywhere = client.post(URL, data=form(mask="everywhere")).data
    assert (pixels(everywhere) == pixels(client.post(URL, data=form()).data)).all()
    own = {"content": upload(clear_png), "style": upload(painting_png), "mask": "alpha"}
    painted = pixels(client.post(URL, data=own).data)
    assert abs(painted[:, :64] - (255.0 - pixels(photo_png)[:, :64])).max() <= 1
    json = {"content": b64(clear_png), "style": b64(painting_png), "mask": ["alpha"]}
    assert (pixels(client.post(URL, json=json).data) == painted).all()


def test_later_masks_lie_on_top_each_with_its_strength(client, form, photo_png):
    fields = form(mask=["everywhere", upload(png(LEFT))], region_strengths="1,0")
    painted = pixels(client.post(URL, data=fields).data)
    assert abs(painted[:, :64] - pixels(photo_png)[:, :64].astype(int)).max() <= 1
    assert abs(painted[:, 64:] - (255.0 - pixels(photo_png)[:, 64:])).max() <= 1


def test_a_form_without_a_mask_may_leave_its_field_empty(client, form):
    for empty in ("", upload(b"", "")):
        assert client.post(URL, data=form(mask=empty)).status_code == 200


@pytest.mark.parametrize("door", [URL, "/api/v1/jobs"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mask": upload(png(LEFT[:, :100]))}, (422, "invalid_option", "mask")),
        ({"mask": upload(b"<svg/>")}, (415, "unsupported_image", "mask")),
        ({"mask": "alpha"}, (422, "invalid_option", "mask")),
        ({"mask": "anywhere"}, (422, "invalid_option", "mask")),
        ({"mask": ["everywhere"] * 9}, (422, "invalid_option", "mask")),
        ({"region_styles": "1"}, (422, "invalid_option", "region_styles")),
        ({"region_strengths": "0.5"}, (422, "invalid_option", "region_strengths")),
        ({"mask": "everywhere", "region_styles": "1,1"}, (422, "invalid_option", "region_styles")),
        ({"mask": "everywhere", "region_styles": "2"}, (422, "invalid_option", "region_styles")),
        ({"mask": "everywhere", "feather": "21"}, (422, "invalid_option", "feather")),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_painted(client, form, door, fields, expected):
    sent = {name: upload(value[0].getvalue()) if isinstance(value, tuple) else value for name, value in fields.items()}
    assert refusal(client.post(door, data=form(**sent))) == expected


@pytest.mark.parametrize("mask", [None, 7, {}, [None], ["everywhere"] * 9, "no base64", ""])
def test_json_that_is_no_mask(client, photo_png, painting_png, mask):
    answer = client.post(URL, json={"content": b64(photo_png), "style": b64(painting_png), "mask": mask})
    assert refusal(answer) in ((422, "invalid_option", "mask"), (415, "unsupported_image", "mask"))


def test_a_vast_mask_is_refused_from_its_header(new_app, form):
    client = new_app(upload_megapixels=0.02).test_client()
    answer = client.post(URL, data=form(mask=upload(png(np.zeros((300, 400), "uint8")))))
    assert refusal(answer) == (413, "image_too_large", "mask")


def finished(client, id: str) -> dict:
    wait_until(lambda: client.get(f"/api/v1/jobs/{id}").json["state"] == "done")
    return client.get(f"/api/v1/jobs/{id}").json


@pytest.mark.parametrize("options", [{}, {"method": "gatys", "size": "128", "steps": "2"}])
def test_a_job_paints_through_its_masks(new_app, form, photo_png, options):
    app = new_app(worker=True)
    client = app.test_client()
    mask = [upload(png(LEFT))]
    job = client.post("/api/v1/jobs", data=form(mask=mask, **options)).json
    painted = pixels(client.get(finished(client, job["id"])["result"]).data)
    assert (painted[:, 64:] == pixels(photo_png)[:, 64:]).all()
    assert abs(painted[:, :64] - (255.0 - pixels(photo_png)[:, :64])).max() <= 1


def test_what_is_refined_further_keeps_its_masks(new_app, form, photo_png):
    app = new_app(worker=True)
    client = app.test_client()
    client.get("/")
    job = client.post("/api/v1/jobs", data=form(mask=["everywhere", upload(png(LEFT))], keep_colours="0.5")).json
    finished(client, job["id"])
    location = client.post(f"/results/{job['id']}/refine", data={"preset": "fast"}).headers["Location"]
    earlier, refined = (app.extensions["jobs"].get(id).order for id in (job["id"], location.rpartition("/")[2]))
    assert refined.masks == earlier.masks
    assert refined.options.keep_colours == 0.5


@pytest.mark.parametrize("options", [{}, {"method": "gatys", "size": "128", "steps": "2"}])
def test_a_job_may_go_by_the_alpha_of_a_photo_that_is_opaque_after_all(new_app, form, photo_png, options):
    client = new_app(worker=True).test_client()
    opaque = png(np.dstack([pixels(photo_png), np.full_like(LEFT, 255)]))
    job = client.post("/api/v1/jobs", data=form(content=upload(opaque), mask="alpha", **options)).json
    painted = pixels(client.get(finished(client, job["id"])["result"]).data)
    assert abs(painted - (255.0 - pixels(photo_png))).max() <= 1


@pytest.mark.parametrize("method", ["magenta", "gatys"])
@pytest.mark.parametrize(("name", "usual", "other"), [("feather", 0, 2), ("paint", "inside", "outside")])
def test_a_wish_about_masks_takes_one(client, form, photo_png, painting_png, method, name, usual, other):
    json = {"content": b64(photo_png), "style": b64(painting_png), "method": method}
    for value, status in ((usual, 202), (other, 422)):
        answers = [
            client.post("/api/v1/jobs", data=form(method=method, **{name: str(value)})),
            client.post("/api/v1/jobs", json=json | {name: value}),
        ]
        assert [answer.status_code for answer in answers] == [status] * 2
    assert [error_of(answer)["field"] for answer in answers] == [name] * 2


def test_a_job_holds_its_masks(app, client, form):
    job = client.post("/api/v1/jobs", data=form(mask=["everywhere", upload(png(LEFT))])).json
    order = Order.model_validate(app.extensions["jobs"].get(job["id"]).raw_order)
    word, key = order.masks
    assert word == "everywhere"
    assert key in set(order.keys())
    assert app.extensions["library"].picture(key) == png(LEFT)
    assert RESULT_PREFIX not in key


def test_the_same_key_with_another_mask_is_another_order(client, ann, form):
    headers = {"Idempotency-Key": "once"}
    first = ann.post("/api/v1/jobs", data=form(mask="everywhere"), headers=headers)
    again = ann.post("/api/v1/jobs", data=form(mask="everywhere"), headers=headers)
    assert first.json["id"] == again.json["id"]
    other = ann.post("/api/v1/jobs", data=form(mask=upload(png(LEFT))), headers=headers)
    assert refusal(other) == (422, "invalid_option", "Idempotency-Key")


def test_what_needs_the_painting_itself_is_refused_with_its_numbers_alone(client, form, painting_png):
    added = client.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Numbers", "keep": "vector"})
    for options in ({"style_scale": "2"}, {"match_colours": "histogram"}):
        answer = client.post("/api/v1/jobs", data=form(style=added.json["id"], **options))
        assert refusal(answer) == (422, "invalid_option", next(iter(options)))
