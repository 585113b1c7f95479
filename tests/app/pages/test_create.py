"""The Create page as it works without JavaScript, and what keeps pages private."""

from __future__ import annotations

import html
import io
import json
import re
import tempfile

import pytest
from PIL import Image

from app.jobs.queue import QueueFull
from app.storage import gallery
from model.imaging import image_files
from tests.support.pages import checked, pictures, problem_at
from tests.support.requests import from_data_url, pixels, upload
from tests.support.stored_results import add_result, sign_in


def test_the_gallery_shows_every_style_that_ships(client):
    page = client.get("/").text
    for style in gallery.shipped():
        assert f'name="style" value="{style.id}"' in page
        with client.get(f"/static/styles/{style.id}.jpg") as picture:
            assert picture.status_code == 200
    assert checked(page) == set()


def test_the_photo_of_a_result_is_told_with_its_own_size(app, ann, photo_png):
    large = image_files.encode(image_files.read(photo_png, long_side=1500))
    page = ann.get(f"/?from={add_result(app, 'ann', large)}").text
    assert 'data-width="1500" data-height="1125"' in page
    assert "data-width" not in ann.post("/", data={"content": "result:gone"}).text


def test_a_soft_edge_without_a_mask_is_told_beside_it(client, form):
    answer = client.post("/", data=form(feather="2.5", paint="inside"))
    assert answer.status_code == 422
    assert "mask" in problem_at(answer.text, "feather")
    assert client.post("/", data=form(feather="0", paint="inside")).status_code == 303


def test_a_style_of_the_address_is_chosen(client, shipped):
    assert checked(client.get(f"/?style={shipped[1]}").text) == {shipped[1]}
    assert checked(client.get("/?style=nothing").text) == set()


def test_own_styles_are_in_the_gallery_of_their_owner(app, client, photo_png):
    client.get("/")
    with client.session_transaction() as session:
        owner = session["owner"]
    words = {"name": "<b>" + "Long" * 18, "credit": "", "licence": ""}
    app.extensions["library"].add_style(
        owner, **words, picture=photo_png, thumbnail=photo_png, vector=None, weights_sha256=None, weights=None
    )
    assert html.escape(words["name"]) in client.get("/").text
    assert "LongLong" not in app.test_client().get("/").text


def test_the_form_becomes_a_job(client, job_of, shipped):
    job = job_of(style=shipped, strength="0.35", size="512", format="webp", **{f"weight-{shipped[1]}": "75"})
    assert (job.state, job.open) == ("queued", False)
    assert [style.id for style in job.order.styles] == shipped
    options = job.order.options
    assert (options.strength, options.size, options.format, options.weights) == (0.35, 512, "webp", [1, 75])
    page = client.get(f"/jobs/{job.id}")
    assert page.status_code == 200
    assert f'<noscript><meta http-equiv="refresh" content="2; url=/jobs/{job.id}"></noscript>' in page.text
    assert "Next in line." in page.text


def test_masks_of_an_earlier_picture_are_there_again(app, client, job_of):
    file = io.BytesIO()
    Image.new("L", (64, 48), 255).save(file, "PNG")
    mask = upload(file.getvalue(), "mask.png")
    id = job_of(mask=mask, feather="2", paint="outside").id
    page = client.get(f"/?from={id}").text
    told = json.loads(html.unescape(re.search(r"data-regions='([^']+)'", page)[1]))
    assert told["masks"] == [f"/jobs/{id}/masks/0"]
    assert told["options"] == {"feather": 2.0, "paint": "outside", "region_styles": [0]}
    assert client.get(told["masks"][0]).data == file.getvalue()
    assert client.get(f"/jobs/{id}/masks/1").status_code == 404
    assert app.test_client().get(told["masks"][0]).status_code == 404


def test_a_photo_whose_clear_parts_were_the_mask_comes_with_them(app, client, photo_png):
    for masks, photo in ((["alpha"], "/jobs/{}/photo"), ([], "/results/{}/before")):
        id = add_result(app, sign_in(client, "ann"), photo_png, masks=masks)
        assert f'data-src="{photo.format(id)}"' in client.get(f"/?from={id}").text


def test_regions_that_took_the_styles_in_turn_do_so_again(client, job_of):
    id = job_of(style=["mosaic", "ink"], mask=["everywhere", "everywhere"]).id
    told = json.loads(html.unescape(re.search(r"data-regions='([^']+)'", client.get(f"/?from={id}").text)[1]))
    assert told["options"]["region_styles"] == [1, 2]


@pytest.mark.parametrize(("megapixels", "largest"), [(50, 8000), (40, 6000), (5, 2048)])
def test_sizes_are_offered_as_far_as_the_server_goes(new_app, megapixels, largest):
    page = new_app(megapixels=megapixels).test_client().get("/").text
    assert max(map(int, re.findall(r'<option value="(\d{3,5})"', page))) == largest


def test_a_refinement_is_always_kept(client, form):
    answer = client.post("/", data=form(method="gatys", no_store="yes"))
    assert answer.status_code == 422
    assert "Let the server keep it." in answer.text


def test_keep_nothing_gives_a_page_with_both_pictures(app, client, form, photo_png):
    answer = client.post("/", data=form(no_store="yes", strength="1", format="png"))
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    shown = pictures(answer)
    photo = pixels(photo_png).astype(int)
    assert abs(shown["after"] - (255 - photo)).mean() < 10  # both are shown as a JPEG
    assert abs(shown["before"] - photo).mean() < 10
    download = re.findall(r'download="pastiche.png" href="(data:image/png;base64,[^"]+)"', answer.text)
    assert abs(pixels(from_data_url(download[0])) - (255 - photo)).max() <= 1
    assert 'value="yes" aria-describedby="no_store-hint" checked' in answer.text


def test_keep_nothing_keeps_nothing(app, client, form, tmp_path, monkeypatch):
    client.get("/")
    kept = {path for path in tmp_path.rglob("*") if path.suffix not in (".sqlite3-wal", ".sqlite3-shm")}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = client.post("/", data=form(no_store="yes"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert {path for path in tmp_path.rglob("*") if path.suffix not in (".sqlite3-wal", ".sqlite3-shm")} == kept
    assert pictures(client.get("/")) == {}


def test_what_takes_too_long_to_wait_for_is_told_beside_the_size(new_app, form):
    client = new_app(sync_pixels=1000).test_client()
    answer = client.post("/", data=form(no_store="yes"))
    assert answer.status_code == 422
    assert "let the server keep it" in problem_at(answer.text, "size")
    assert client.post("/", data=form()).status_code == 303


def test_a_large_pastiche_is_in_the_page_once_and_shown_smaller(client, form):
    answer = client.post("/", data=form(no_store="yes", size="1100"))
    assert answer.text.count("data:image/png") == 1
    assert {max(picture.shape) for name, picture in pictures(answer).items() if name == "after"} == {1024}


def test_what_is_clear_is_shown_white(client, form):
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(file, "PNG")
    shown = pictures(client.post("/", data=form(no_store="yes", content=upload(file.getvalue()))))
    assert shown["before"].min() > 250
    assert shown["after"].min() > 250


def test_the_form_is_sent_without_the_query_of_its_address(client):
    assert 'action="/#result"' in client.get("/?source=elsewhere").text


@pytest.mark.parametrize("more", [{}, {"no_store": "yes"}])
def test_a_refusal_shows_the_form_again_beside_the_field(client, form, shipped, more):
    sent = {"strength": "0.35", "size": "512", "format": "webp", "style": shipped, f"weight-{shipped[0]}": "15"}
    answer = client.post("/", data=form(content=upload(b"no picture"), **sent, **more))
    assert (answer.status_code, answer.mimetype) == (415, "text/html")
    assert "not a picture" in problem_at(answer.text, "content")
    assert 'value="0.35"' in answer.text
    assert '<option value="512" selected>' in answer.text
    assert '<option value="webp" selected data-lossy>' in answer.text
    assert checked(answer.text) == set(shipped)
    assert re.search(rf'name="weight-{shipped[0]}"[^>]* value="15"', answer.text)


def test_what_is_missing_is_told_beside_its_field(client, photo_png):
    answer = client.post("/", data={"content": upload(photo_png)})
    assert answer.status_code == 422
    assert "no painting" in problem_at(answer.text, "style")


def test_a_full_queue_is_told_on_the_page(new_app, form, shipped):
    client = new_app(jobs=1).test_client()
    assert client.post("/", data=form()).status_code == 303
    answer = client.post("/", data=form(style=shipped[0], strength="0.2"))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many pictures wait" in problem_at(answer.text, "form")
    assert 'value="0.2"' in answer.text


def test_a_program_is_refused_in_json(client, form, monkeypatch):
    def full(*args, **more):
        raise QueueFull("Too many.")

    monkeypatch.setattr("app.jobs.queue.Jobs.submit", full)
    answer = client.post("/", data=form(), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["message"]) == (503, "Too many.")


@pytest.mark.parametrize("no_store", [{}, {"no_store": "yes"}])
def test_a_body_too_large_shows_the_form_again(client, form, no_store):
    client.application.config["MAX_CONTENT_LENGTH"] = 500
    answer = client.post("/", data=form(**no_store))
    assert answer.status_code == 413
    assert "smaller" in problem_at(answer.text, "form")


def test_hostile_text_is_escaped(client, form):
    script = "<script>alert(1)</script>"
    answer = client.post("/", data=form(strength=script, style=script, size=script, **{script: "1"}))
    assert answer.status_code == 422
    assert script not in answer.text
    assert html.escape(script) in answer.text


def test_a_friendly_page_for_a_wrong_address(client):
    answer = client.get("/nothing/<script>", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "nothing at this address" in answer.text
    assert "<script>" not in answer.text
    assert client.get("/nothing", headers={"Accept": "application/json"}).json["error"]["code"] == "not_found"


@pytest.mark.parametrize("url", ["/", "/nothing", "/healthz", "/api/v1/stylize", "/static/css/base.css"])
def test_headers_on_every_answer(client, url):
    with client.get(url) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Permissions-Policy" in headers


def test_the_owners_cookie_is_no_scripts_to_read(app, client):
    cookie = client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with app.test_client().get("/static/css/base.css") as static:
        assert "Set-Cookie" not in static.headers


def test_no_inline_script_or_style(client, form, job_of):
    job = job_of()
    client.post(f"/jobs/{job_of(strength='0.5').id}/cancel")
    pages = [client.get("/"), client.get(f"/jobs/{job.id}"), client.get("/nothing", headers={"Accept": "text/html"})]
    for page in [*pages, client.post("/", data=form(no_store="yes"))]:
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text)


@pytest.mark.parametrize(
    ("hours", "words"), [(72, "3 days"), (48, "2 days"), (36, "36 hours"), (1, "an hour"), (0.1, "an hour")]
)
def test_every_page_says_how_long_things_are_kept(new_app, hours, words):
    page = new_app(keep_hours=hours).test_client().get("/").text
    assert f"deleted after {words}," in page
