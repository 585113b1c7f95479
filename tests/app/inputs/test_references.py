"""References to what is on the server: found by its own owner, refused for all others and where it is gone."""

from __future__ import annotations

import pytest

from app.http import context
from app.http.identity import Owner
from app.inputs import references
from app.inputs.references import ResultPhoto
from model.errors import InvalidOption
from model.style_file import StyleFile, is_style_file
from tests.support.requests import URL, b64, refusal, upload, wait_until
from tests.support.stored_results import add_result, sign_in

DOORS = [URL, "/api/v1/jobs"]


def test_anothers_result_is_no_start(app, client, form, photo_png):
    id = add_result(app, sign_in(app.test_client(), "ann"), photo_png)
    body = {"content": b64(photo_png), "style": "mosaic", "method": "gatys", "start": f"result:{id}"}
    sign_in(client, "bob")
    for stranger in (client, app.test_client()):
        for sent in ({"data": form(method="gatys", start=f"result:{id}")}, {"json": body}):
            answer = stranger.post(DOORS[1], **sent)
            assert refusal(answer) == (422, "invalid_option", "start")


@pytest.fixture
def caller(app, ann):
    with app.test_request_context():
        return context.for_owner(Owner("ann"))


def test_styles_by_name_and_id(caller, ann, bob, painting_png):
    own = ann.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Mine"}).json["id"]
    bob.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "His"})
    for name in ("Mine", own):
        assert references.require_style(caller, name).id == own
    assert references.find_style(caller, "mosaic").file
    for name in ("His", "nobody's", "x" * 5000):
        assert references.find_style(caller, name) is None
        with pytest.raises(InvalidOption) as refused:
            references.require_style(caller, name)
        assert refused.value.field == "style"


def test_a_photo_that_is_gone_is_its_copy(app, caller, photo_png):
    id, library = add_result(app, "ann", photo_png), caller.library
    photo = ResultPhoto.of(references.require_result(caller, f"result:{id}", "content"))
    assert (photo.read(library), photo.available_key(library)) == (photo_png, photo.key)
    library._blobs._store.delete(photo.key)
    assert (photo.read(library), photo.available_key(library)) == (library.picture(photo.copy), photo.copy)
    library.delete_result("ann", id)
    with pytest.raises(InvalidOption) as refused:
        photo.read(library)
    assert refused.value.field == "content"


def test_whoever_owns_nothing_has_no_results_or_jobs(app, photo_png):
    id = add_result(app, "ann", photo_png)
    with app.test_request_context():
        nobody = context.for_owner(None)
    for reference in (f"result:{id}", f"job:{id}"):
        with pytest.raises(InvalidOption) as refused:
            references.start_key(nobody, reference)
        assert refused.value.field == "start"
    assert references.start_key(nobody, "noise") is None


def test_a_taught_style_is_its_picture_and_its_network(new_app, painter, form, painting_png):
    client = new_app(worker=True).test_client()
    style = client.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Mine"}).headers["Location"]
    job = client.post(style + "/network", json={"steps": 2}).headers["Location"]
    wait_until(lambda: client.get(job).json["state"] == "done")
    mine = {"style": "Mine"}
    painted = client.post(URL, data=form(**mine), headers={"Accept": "application/json"}).json
    assert painted["recipe"]["styles"][0]["name"] == "Mine"
    client.post(URL, data=form(**mine, style_scale="2"))
    client.post("/api/v1/sheet", data=form(**mine, size="64"))
    own, broad = (call.arguments["styles"][0] for call in painter.calls_of("stylize")[-5:-3])
    assert (is_style_file(own), is_style_file(broad)) == (True, False)
    assert is_style_file(painter.calls_of("make_contact_sheet")[0].arguments["styles"][0])
    assert StyleFile.from_bytes(own).network
    order = client.post("/api/v1/jobs", data=form(**mine, method="gatys", steps="2", size="128")).headers["Location"]
    wait_until(lambda: client.get(order).json["state"] == "done")
    assert not is_style_file(painter.calls_of("refine")[0].arguments["styles"][0])
