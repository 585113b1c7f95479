"""Jobs over HTTP: accepted, followed, shown, cancelled; and whose they are."""

from __future__ import annotations

import io
import json
import time

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from app.api import events
from app.inputs import references
from app.inputs.submission import _SLOTS
from app.storage.tables import PictureRow
from model.imaging import image_files
from tests.support.hostile_images import jpeg_of_scans, jpeg_segment, jpeg_with
from tests.support.images import photo_with_secrets, saved
from tests.support.requests import b64, error_of, pixels, upload
from tests.support.stored_results import add_result, sign_in

JOBS = "/api/v1/jobs"
FIELDS = {
    *("id", "state", "step", "steps", "seconds_left", "position", "preview", "result", "page", "error"),
    *("method", "cancelling", "pausing", "losses", "notes", "attempts", "created", "expires", "style", "complete"),
}


@pytest.fixture
def working(new_app):
    """A client of a server that paints its jobs."""
    return new_app(worker=True).test_client()


def followed(client, job, **headers):
    """The job once it has ended."""
    deadline = time.monotonic() + 20
    while job["state"] in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.05)
        job = client.get(f"{JOBS}/{job['id']}", **headers).json
    return job


def files_of(app):
    return list(app.extensions["library"]._blobs._store.keys())


def test_accepted_painted_and_fetched(working, form, photo_png):
    accepted = working.post(JOBS, data=form(content=upload(photo_png, "My cat.jpeg")))
    assert accepted.status_code == 202, accepted.text
    assert accepted.json.keys() == FIELDS
    assert accepted.headers["Location"] == f"{JOBS}/{accepted.json['id']}"
    job = followed(working, accepted.json)
    assert (job["state"], job["error"], job["position"]) == ("done", None, 0)
    answer = working.get(job["result"])
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert "My-cat-pastiche.png" in answer.headers["Content-Disposition"]
    assert abs(pixels(answer.data) - (255 - pixels(photo_png).astype(int))).max() <= 1


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_the_result_comes_in_the_format_that_was_asked_for(working, form, format):
    job = followed(working, working.post(JOBS, data=form(format=format, size="48")).json)
    answer = working.get(job["result"])
    assert answer.mimetype == f"image/{format}"
    picture = Image.open(io.BytesIO(answer.data))
    assert (picture.format, max(picture.size)) == (format.upper(), 48)


def test_json_is_taken_as_well(working, photo_png, painting_png):
    body = {"content": b64(photo_png), "style": [{"image": b64(painting_png), "weight": 2}], "format": "jpeg"}
    assert followed(working, working.post(JOBS, json=body).json)["state"] == "done"


def test_a_job_that_waits(client, form):
    first, second = (client.post(JOBS, data=form()).json for _ in range(2))
    assert (first["state"], first["position"], second["position"]) == ("queued", 0, 1)
    assert (first["result"], first["preview"]) == (None, None)
    for part in ("result", "preview"):
        answer = client.get(f"{JOBS}/{first['id']}/{part}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_done")


def test_cancelled_before_its_turn(client, form):
    id = client.post(JOBS, data=form()).json["id"]
    for _ in range(2):
        answer = client.delete(f"{JOBS}/{id}")
        assert (answer.status_code, answer.json["state"], answer.json["result"]) == (200, "cancelled", None)
    answer = client.get(f"{JOBS}/{id}/result")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


def test_cancelled_while_it_runs_keeps_the_best_so_far(working, painter, form, photo_png):
    painter.steps, painter.pause = 99, 0.1
    hold = painter.hold("stylize", repeat_seconds=None)
    id = working.post(JOBS, data=form()).json["id"]
    assert hold.reached.wait(20)
    job = working.get(f"{JOBS}/{id}").json
    assert (job["state"], job["step"], job["steps"]) == ("running", 1, 99)
    preview = working.get(job["preview"])
    assert (preview.status_code, preview.mimetype) == (200, "image/jpeg")
    told = working.delete(f"{JOBS}/{id}").json
    assert (told["state"], told["cancelling"]) == ("running", True)
    hold.released.set()
    job = followed(working, told)
    assert job["state"] == "cancelled"
    assert abs(pixels(working.get(job["result"]).data) - (255 - pixels(photo_png).astype(int))).max() <= 1


def test_a_failed_job_says_why(working, form, monkeypatch, photo_png):
    job = followed(working, working.post(JOBS, data=form(style=upload(photo_png[:-200]))).json)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "broken_image"
    assert job["error"]["field"] == "style"


def test_what_is_no_picture_is_refused_at_once(client, app, form):
    for field in ("content", "style"):
        answer = client.post(JOBS, data=form(**{field: upload(b"<svg/>")}))
        assert (answer.status_code, error_of(answer)["field"]) == (415, field)
    assert files_of(app) == []


@pytest.mark.parametrize("field", ["content", "style", "mask"])
@pytest.mark.parametrize("head", [b"", jpeg_segment(0xE5, b"") * 10_000], ids=["scans", "segments"])
def test_a_file_built_to_be_slow_is_refused(client, app, form, field, head):
    hostile = jpeg_with(head) if head else jpeg_of_scans(101)
    for url in (JOBS, "/api/v1/stylize"):
        answer = client.post(url, data=form(**{field: upload(hostile)}))
        error = error_of(answer)
        assert (answer.status_code, error["code"], error["field"]) == (422, "broken_image", field)
        assert error["message"] == "This picture is damaged or incomplete. Save it again, or use another one."
    assert files_of(app) == []


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_what_is_stored_of_uploads_has_no_metadata(client, app, form, format):
    photo = Image.open(io.BytesIO(photo_with_secrets()))
    photo.getexif()[0x0112] = 6
    sent = saved(photo, format, exif=photo.getexif(), dpi=(240, 240))
    assert b"SECRET" in sent
    upright = image_files.read(sent)
    fields = {"style": upload(sent), "mask": upload(sent), "content": upload(sent)}
    id = client.post(JOBS, data=form(**fields)).json["id"]
    order, library = app.extensions["jobs"].get(id).order, app.extensions["library"]
    for key in (order.content, order.styles[0].picture, *order.masks):
        stored = library.picture(key)
        assert b"SECRET" not in stored
        assert (image_files.read(stored).rgb == upright.rgb).all()
        assert image_files.read(stored).dpi == upright.dpi
    assert all(b"SECRET" not in library.picture(key) for key in files_of(app))


def test_a_photo_that_a_result_was_made_of_is_stored_once(app, client, form, photo_png):
    owner = sign_in(client, "ann")
    id = add_result(app, owner, image_files.encode(image_files.read(photo_png), "jpeg"))
    before, library = sorted(files_of(app)), app.extensions["library"]
    named = form(content=f"result:{id}", style="mosaic")
    job = client.post(JOBS, data=named, content_type="multipart/form-data").json
    assert app.extensions["jobs"].get(job["id"]).order.content == library.result(owner, id).order["content"]
    assert sorted(files_of(app)) == before


def test_the_same_upload_with_a_key_is_one_job(client, form):
    photo = photo_with_secrets()
    sent = [form(content=upload(photo), style=upload(photo)) for _ in range(2)]
    assert len({client.post(JOBS, data=data, headers={"Idempotency-Key": "1"}).json["id"] for data in sent}) == 1


def test_a_job_of_nobody_is_open_and_sets_no_cookie(app, form):
    answer = app.test_client().post(JOBS, data=form())
    assert "Set-Cookie" not in answer.headers
    assert app.test_client().get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("part", ["", "/events", "/preview", "/result"])
def test_anothers_job_is_as_none(app, form, part):
    mine, other = app.test_client(), app.test_client()
    mine.get("/history")  # brings the cookie
    id = mine.post(JOBS, data=form()).json["id"]
    assert mine.get(f"{JOBS}/{id}").status_code == 200
    for client in (other, app.test_client()):
        answer = client.get(f"{JOBS}/{id}{part}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")
    nothing = other.get(f"{JOBS}/{'0' * 32}{part}")
    assert nothing.json == answer.json
    assert other.delete(f"{JOBS}/{id}").status_code == 404
    assert mine.get(f"{JOBS}/{id}").json["state"] == "queued"


@pytest.mark.parametrize(
    "id", ["a" * 3000, "-1", "%00", "a%00.png", "%ff%fe", "😀", "..%2f..%2fetc", "null", "' or '1'='1"]
)
def test_ids_of_any_shape(client, id):
    for part in ("", "/events", "/preview", "/result"):
        answer = client.get(f"{JOBS}/{id}{part}")
        assert answer.status_code == 404
        error_of(answer)


def test_the_same_order_with_the_same_key_is_the_same_job(new_app, form, photo_png):
    app = new_app(api_keys="ann:key-of-ann:1000 per day")
    headers = {"Idempotency-Key": "once", "X-API-Key": "key-of-ann"}
    client = app.test_client()
    first, again = (client.post(JOBS, data=form(), headers=headers) for _ in range(2))
    assert (first.json["id"], first.status_code) == (again.json["id"], again.status_code)
    renamed = client.post(JOBS, data=form(content=upload(photo_png, "other.png")), headers=headers)
    assert renamed.json["id"] == first.json["id"]
    other = client.post(JOBS, data=form(strength="0.5"), headers=headers)
    assert (other.status_code, error_of(other)["field"]) == (422, "Idempotency-Key")
    assert client.post(JOBS, data=form(), headers=headers | {"Idempotency-Key": "twice"}).json["id"] != first.json["id"]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_sent_again_goes_with_the_result(new_app, form, known):
    app = new_app(worker=True)
    client = app.test_client()
    if known:
        client.get("/history")
    first, again = (client.post(JOBS, data=form(), headers={"Idempotency-Key": "once"}).json for _ in range(2))
    assert again["id"] == first["id"]
    followed(client, first)
    client.post(JOBS, data=form(), headers={"Idempotency-Key": "once"})
    library = app.extensions["library"]
    library.delete_result(app.extensions["jobs"].get(first["id"]).owner, first["id"])
    assert files_of(app) == []
    with library.reading() as session:
        assert session.scalars(select(PictureRow.key)).all() == []


def test_nobodys_key_meets_only_who_sends_the_very_same(app, form, painting_png):
    def id(**fields):
        return app.test_client().post(JOBS, data=form(**fields), headers={"Idempotency-Key": "1"}).json["id"]

    first = id()
    assert id() == first
    assert id(strength="0.5") != first
    assert id(content=upload(painting_png)) != first


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "schön"])
def test_keys_that_are_none(client, form, key):
    answer = client.post(JOBS, data=form(), headers={"Idempotency-Key": key})
    assert (answer.status_code, error_of(answer)["field"]) == (422, "Idempotency-Key")


def told(response):
    blocks = [block for block in response.text.split("\n\n") if block.startswith("event: job\n")]
    return [json.loads(block.partition("data: ")[2]) for block in blocks]


def test_events_tell_of_the_job_until_it_ends(working, form):
    id = working.post(JOBS, data=form()).json["id"]
    response = working.get(f"{JOBS}/{id}/events")
    assert response.mimetype == "text/event-stream"
    assert response.text.startswith("retry: 500\n\n")
    jobs = told(response)
    assert jobs[-1]["state"] == "done"
    assert all(job.keys() == FIELDS for job in jobs)
    assert jobs[-1] == working.get(f"{JOBS}/{id}").json
    assert len(told(working.get(f"{JOBS}/{id}/events"))) == 1


def test_a_stream_ends_by_itself_and_shows_that_it_lives(client, form, monkeypatch):
    monkeypatch.setattr(events, "_STREAM_SECONDS", 0.3)
    monkeypatch.setattr(events, "_KEEPALIVE_SECONDS", 0.1)
    id = client.post(JOBS, data=form()).json["id"]
    text = client.get(f"{JOBS}/{id}/events").text
    assert text.count("event: job") == 1
    assert text.count(": still here") >= 2


def test_a_stream_tells_of_the_queue(client, form, monkeypatch):
    monkeypatch.setattr(events, "_STREAM_SECONDS", 1.0)
    monkeypatch.setattr(events, "_KEEPALIVE_SECONDS", 0.1)
    first, second = (client.post(JOBS, data=form()).json["id"] for _ in range(2))
    with client.get(f"{JOBS}/{second}/events", buffered=False) as response:
        stream = iter(response.response)
        assert b'"position":1' in next(stream)
        client.application.test_client().delete(f"{JOBS}/{first}")
        assert any(b'"position":0' in block for block in stream)


def test_a_job_that_is_deleted_ends_its_stream(client, form, monkeypatch):
    monkeypatch.setattr(events, "_KEEPALIVE_SECONDS", 0.1)
    client.get("/history")
    id = client.post(JOBS, data=form()).json["id"]
    job = client.application.extensions["jobs"].get(id)
    with client.get(f"{JOBS}/{id}/events") as response:
        client.application.extensions["library"].delete_everything(job.owner)
        assert len(told(response)) <= 1
    assert client.get(f"{JOBS}/{id}/events").status_code == 404


def test_streams_are_bounded_and_given_back(client, form, monkeypatch):
    monkeypatch.setattr(events, "_MAX_STREAMS", 1)
    id = client.post(JOBS, data=form()).json["id"]
    open_stream = client.get(f"{JOBS}/{id}/events")
    refused = client.get(f"{JOBS}/{id}/events")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "busy")
    assert refused.headers["Retry-After"]
    open_stream.close()
    client.delete(f"{JOBS}/{id}")
    for method in ("HEAD", "GET"):
        with client.open(f"{JOBS}/{id}/events", method=method) as response:
            assert response.status_code == 200


def test_one_client_cannot_take_all_streams(client, form):
    def watch(address):
        return client.get(f"{JOBS}/{id}/events", environ_overrides={"REMOTE_ADDR": address})

    id = client.post(JOBS, data=form()).json["id"]
    streams = [watch(f"2001:db8::{number}") for number in range(1, 5)]
    assert [stream.status_code for stream in streams] == [200] * 4
    assert watch("2001:db8::5").status_code == 503
    streams.append(watch("192.0.2.7"))
    assert streams[-1].status_code == 200
    for stream in reversed(streams):
        stream.close()
    with watch("2001:db8::5") as again:
        assert again.status_code == 200
    assert events._open_streams._streams == {}


def test_a_full_queue_sends_away_and_stores_nothing(new_app, form, painting_png):
    app = new_app(jobs=1)
    client = app.test_client()
    client.post(JOBS, data=form())
    before = files_of(app)
    answer = client.post(JOBS, data=form(content=upload(painting_png)))
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert answer.headers["Retry-After"]
    assert files_of(app) == before


def test_a_full_queue_is_seen_before_anything_is_stored(new_app, form, painting_png, monkeypatch):
    app = new_app(jobs=1)
    client = app.test_client()
    first = client.post(JOBS, data=form(), headers={"Idempotency-Key": "once"})
    again = client.post(JOBS, data=form(), headers={"Idempotency-Key": "once"})
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    monkeypatch.setattr(app.extensions["library"], "put_picture", lambda *_: pytest.fail("stored"))
    for key in ("twice", None):
        answer = client.post(JOBS, data=form(), headers={"Idempotency-Key": key} if key else {})
        assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")


def test_what_is_deleted_while_it_is_sent_is_told_by_its_field(app, client, form, photo_png, painting_png, monkeypatch):
    client.get("/history")
    with client.session_transaction() as session:
        owner = session["owner"]
    library, jobs = app.extensions["library"], app.extensions["jobs"]
    style = client.post("/api/v1/styles", json={"picture": b64(painting_png), "name": "Mine"}).json["id"]
    submit, require_style = jobs.submit, references.require_style

    def too_late(*order, **more):
        library.delete_everything(owner)
        return submit(*order, **more)

    def then_deleted(*reference):
        found = require_style(*reference)
        library.delete_style(owner, style)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(references, "require_style", then_deleted)
        answer = client.post(JOBS, data=form(style="Mine"))
        assert (answer.status_code, error_of(answer)["field"]) == (422, "style")
    monkeypatch.setattr(jobs, "submit", too_late)
    for door, sent, field in ((JOBS, form(), "content"), ("/api/uploads/", {"image": upload(photo_png)}, "image")):
        answer = client.post(door, data={"style": "mosaic"} | sent)
        assert (answer.status_code, error_of(answer)["field"]) == (422, field)
    assert files_of(app) == []


def test_a_body_cut_off_leaves_nothing(app, form, photo_png):
    fields = MultiDict({name: FileStorage(*file) for name, file in form(content=upload(photo_png * 60)).items()})
    boundary, whole = encode_multipart(fields)
    for length in (len(whole) // 2, len(whole) - 100):
        cut = {"wsgi.input": io.BytesIO(whole[:length]), "CONTENT_LENGTH": str(len(whole))}
        answer = app.test_client().post(
            JOBS, content_type=f"multipart/form-data; boundary={boundary}", environ_overrides=cut
        )
        assert answer.status_code == 400
        error_of(answer)
    assert files_of(app) == []


def test_few_bodies_are_in_memory_at_a_time(new_app, form):
    client = new_app(patience=0.05).test_client()
    for _ in range(3):
        _SLOTS._places.acquire()
    try:
        answer = client.post(JOBS, data=form())
    finally:
        for _ in range(3):
            _SLOTS._places.release()
    assert (answer.status_code, error_of(answer)["code"]) == (503, "busy")
    assert client.post(JOBS, data=form()).status_code == 202
