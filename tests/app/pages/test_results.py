"""A result's page and the history, as they work without JavaScript."""

from __future__ import annotations

import html
import io
import re

import pytest
from PIL import Image

from app.failures import Busy
from app.inputs.references import style_from_library
from app.jobs.order import OrderStyle
from app.jobs.queue import QueueFull
from app.storage.tables import Base
from tests.support.pages import facts, words
from tests.support.requests import pixels, upload
from tests.support.stored_results import add_result, files_of, make_older, with_place

DAY = 86400


def test_all_settings_are_told(ann, painted):
    styles = [OrderStyle(name="Flow", id="flow", shipped="flow"), OrderStyle(name="Gone", id="gone", shipped="ink")]
    options = {"strength": 0.35, "size": 128, "weights": [3, 1], "format": "webp", "quality": 80}
    page = ann.get(painted(styles=styles, **options)).text
    told = facts(page)
    assert told["Styles"] == "Flow 75 % Gone 25 %"
    assert 'href="/styles/flow"' in page
    assert "/styles/gone" not in page
    assert (told["Photo"], told["Strength"], told["File"]) == ("My-photo", "35 %", "WebP at quality 80")
    assert told["Size"] == "128 × 96 pixels, as you asked"  # noqa: RUF001
    assert told["Painted"].endswith("in 3.2 seconds")
    assert told["Weights"] == "negative"
    assert "&#34;method&#34;: &#34;magenta&#34;" in page


def test_only_kinds_of_file_that_can_hold_it_are_offered(app, ann):
    file = io.BytesIO()
    Image.new("RGB", (16_384, 2)).save(file, "PNG")
    page = ann.get("/results/" + add_result(app, "ann", file.getvalue())).text
    assert re.findall(r'/picture\.(\w+)" download', page) == ["png", "jpeg", "tiff"]


def test_defaults_are_told_too(ann, painted):
    told = facts(ann.get(painted()).text)
    assert (told["Style"], told["Strength"], told["File"]) == ("Flow", "Full", "PNG, which loses nothing")
    assert told["Size"].endswith("pixels, the photo’s own")  # noqa: RUF001


def test_it_is_said_once_that_the_picture_carries_its_recipe(ann, painted):
    assert ann.get(painted()).text.count("carries its recipe") == 1


LOSSES = [[1, 0.4, 0.1, 0.398, 0.05], [2, 0.1, 0.2, 0.0961, 0.05]]


def test_a_pastiche_has_no_losses(ann, painted):
    page = ann.get(painted()).text
    assert "losses" not in page
    assert "loss-curves.js" not in page


def job_of(app, answer):
    assert answer.status_code == 303, answer.text
    return app.extensions["jobs"].get(answer.location.removeprefix("/jobs/"))


def test_a_result_is_refined(app, ann, painted):
    styles = [OrderStyle(name="Flow", id="flow", shipped="flow"), OrderStyle(name="Ink", id="ink", shipped="ink")]
    address = painted(styles=styles, strength=0.7, weights=[3, 1], format="webp", quality=80)
    assert re.findall(r'name="preset" value="(\w+)"', ann.get(address).text) == ["fast", "balanced", "best"]
    job = job_of(app, ann.post(address + "/refine", data={"preset": "best"}))
    earlier = app.extensions["library"].result("ann", address[9:])
    options = job.order.options
    assert (job.method, job.order.start, job.order.content) == ("gatys", earlier.picture, earlier.order["content"])
    assert (job.order.styles, job.order.content_name) == (styles, "My-photo")
    assert (options.preset, options.steps, options.size) == ("best", 200, 128)
    assert (options.strength, options.weights, options.format, options.quality) == (0.7, [3, 1], "webp", 80)


@pytest.mark.parametrize(("size", "refined"), [((60, 40), 100), ((300, 2300), 2048)])
def test_a_result_is_refined_in_its_size_as_far_as_that_can_be(app, ann, photo_png, size, refined):
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, "PNG")
    id = add_result(app, "ann", photo_png, file.getvalue())
    assert job_of(app, ann.post(f"/results/{id}/refine")).order.options.size == refined


def test_a_style_that_is_numbers_alone_is_not_refined(app, ann, painted, painting_png):
    ann.post("/styles", data={"picture": upload(painting_png), "name": "Numbers", "keep": "vector"})
    style = next(style for style in app.extensions["library"].styles("ann") if style.own)
    key = app.extensions["library"].put_picture("ann", style_from_library(app.extensions["library"], style).source)
    address = painted(styles=[OrderStyle(name="Numbers", id=style.id, picture=key)])
    page = ann.get(address).text
    assert "of Numbers there are only numbers here" in page
    assert f'action="{address}/refine' not in page
    answer = ann.post(address + "/refine", headers={"Accept": "text/html"})
    assert answer.status_code == 422


def test_to_show_or_refine_a_result_reads_no_picture_whole(app, ann, painted, painting_png, monkeypatch):
    own = OrderStyle(name="Mine", picture=app.extensions["library"].put_picture("ann", painting_png))
    address = painted(styles=[own, OrderStyle(name="Flow", id="flow", shipped="flow")])
    monkeypatch.delattr("app.storage.blob_store.BlobStore.get")
    assert f'action="{address}/refine' in ann.get(address).text
    assert ann.post(address + "/refine").status_code == 303


def test_what_shipped_once_is_not_refined(ann, painted):
    page = ann.get(painted(styles=[OrderStyle(name="Older", shipped="no-more")])).text
    assert "of Older there are only numbers here" in page


def test_refusals_to_refine_are_told_on_the_page(ann, painted, monkeypatch):
    address = painted()
    answer = ann.post(address + "/refine", data={"preset": "<b>"})
    assert answer.status_code == 422
    assert "&#39;preset&#39; must be" in answer.text

    def full(*args, **more):
        raise QueueFull("Too many.")

    monkeypatch.setattr("app.jobs.queue.Jobs.submit", full)
    answer = ann.post(address + "/refine")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert '<p class="problem refusal" role="alert">Too many.</p>' in answer.text
    answer = ann.post(address + "/refine", headers={"Accept": "application/json"})
    assert answer.json["error"]["message"] == "Too many."


def test_nobody_else_refines_it(bob, painted):
    assert bob.post(painted() + "/refine").status_code == 404


@pytest.mark.parametrize(("kind", "close"), [("png", 0), ("tiff", 0), ("jpeg", 4), ("webp", 4)])
def test_downloads(app, ann, photo_png, kind, close):
    address = "/results/" + add_result(app, "ann", photo_png, name="Grüße", format=kind)
    page = ann.get(address).text
    assert re.findall(r'href="([^"]+)" download', page)[0] == f"{address}/picture.{kind}"  # what was asked for is first
    answer = ann.get(f"{address}/picture.{kind}")
    assert answer.mimetype == f"image/{kind}"
    assert Image.open(io.BytesIO(answer.data)).format == kind.upper()
    assert abs(pixels(answer.data).astype(int) - pixels(photo_png)).mean() <= close
    assert f"-pastiche.{kind}" in answer.headers["Content-Disposition"]


def test_no_other_kinds(ann, painted):
    assert ann.get(painted() + "/picture.gif").status_code == 404


def test_a_large_picture_is_shown_smaller(app, ann, photo_png):
    file = io.BytesIO()
    Image.new("RGB", (2200, 1100), "teal").save(file, "PNG")
    address = "/results/" + add_result(app, "ann", photo_png, file.getvalue())
    assert f'src="{address}/shown"' in ann.get(address).text
    assert pixels(ann.get(address + "/shown").data).shape == (512, 1024, 3)
    assert pixels(ann.get(address + "/picture.png").data).shape == (1100, 2200, 3)


def test_a_busy_server_shows_the_picture_all_the_same(app, ann, painted, monkeypatch):
    def busy(work):
        raise Busy("Busy.")

    address = painted()
    monkeypatch.setattr(app.extensions["engine"], "run", busy)
    assert ann.get(address + "/shown").headers["Location"] == address + "/picture.png"
    assert ann.get(address + "/picture.png").status_code == 200
    answer = ann.get(address + "/picture.webp", headers={"Accept": "text/html"})
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_the_photo_beside_it(ann, painted, photo_png):
    address = painted()
    assert abs(pixels(ann.get(address + "/before").data).astype(int) - pixels(photo_png)).mean() < 5
    assert ann.get(address + "/thumbnail").mimetype == "image/jpeg"


def test_a_stopped_one_says_so(ann, painted):
    assert "stopped this one early" in ann.get(painted(complete=False)).text
    assert "Stopped early" in ann.get("/history").text
    assert "stopped this one early" not in ann.get(painted()).text


def test_make_another_like_this(ann, painted):
    address = painted()
    assert f'href="/?from={address[9:]}"' in ann.get(address).text
    refined = painted(method="gatys", losses=LOSSES)
    assert f'href="/explore?from={refined[9:]}">Make another like this' in ann.get(refined).text


def test_it_says_when_it_goes(ann, painted):
    page = ann.get(painted(age=DAY)).text
    assert "For 2 days more" in page
    assert re.search(r'until <time datetime="20\d\d-[^"]+">\d+ \w+ 20\d\d, \d\d:\d\d UTC</time>', page)
    assert "2 days left" in ann.get("/history").text


def test_deleted(app, ann, painted):
    address, other = painted(), painted(name="Other", age=5)
    page = ann.post(address + "/delete", follow_redirects=True).text
    assert "The picture is deleted." in page
    assert address not in page
    assert other in page
    assert ann.get(address).status_code == 404


def test_nobody_else_opens_it(ann, bob, painted):
    address = painted()
    missing = bob.get("/results/nothing")
    assert missing.status_code == 404
    for path in ("", "/picture.png", "/picture.webp", "/shown", "/before", "/thumbnail"):
        answer = bob.get(address + path)
        assert (answer.status_code, answer.text) == (404, missing.text)
    assert bob.post(address + "/delete").status_code == 404
    assert address not in bob.get("/history").text
    assert ann.get(address).status_code == 200


def test_the_open_jobs_of_programs_have_no_page(app, ann, photo_png):
    library, jobs = app.extensions["library"], app.extensions["jobs"]
    id = add_result(app, "a-program", photo_png)
    with library.begin() as session:
        from app.storage.tables import JobRow

        session.get_one(JobRow, id).open = True
    assert jobs.get(id).open
    assert ann.get(f"/results/{id}").status_code == 404


def test_what_has_expired_is_gone(app, ann, painted):
    address = painted()
    make_older(app, address[9:], 3 * DAY)
    assert ann.get(address).status_code == 404
    assert address not in ann.get("/history").text


def test_history_is_newest_first(ann, painted):
    addresses = [painted(name=f"n{age}", age=age) for age in (300, 100, 200)]
    found = re.findall(r'href="(/results/\w+)"', ann.get("/history").text)
    assert found == [addresses[1], addresses[2], addresses[0]]


def test_two_hundred_results(ann, app, photo_png, painted):
    app.extensions["jobs"]._most = 1000
    for number in range(200):
        painted(name=f"n{number}", age=number)
    page = ann.get("/history").text
    assert len(re.findall(r'href="/results/', page)) == 200
    assert page.count('loading="lazy"') == 200


def test_what_is_being_painted_is_found_in_the_history(ann, bob, form):
    job = ann.post("/", data=form()).location
    page = ann.get("/history").text
    assert f'href="{job}"' in page
    assert "Waiting its turn" in page
    assert "Nothing hangs here yet" not in page
    assert job not in bob.get("/history").text


def test_a_paused_refinement_is_found_in_the_history(app, ann, painted):
    job = job_of(app, ann.post(painted() + "/refine"))
    assert "Waiting its turn" in ann.get("/history").text
    app.extensions["jobs"].pause(job.id)
    page = words(ann.get("/history").text)
    assert "Paused · 3 days left" in page


def test_what_is_paused_is_found_however_much_has_ended_since(app, ann, painted):
    job = job_of(app, ann.post(painted() + "/refine"))
    app.extensions["jobs"].pause(job.id)
    for number in range(100):
        painted(name=f"n{number}")
    assert f'href="/jobs/{job.id}"' in ann.get("/history").text


def test_an_empty_history_invites(ann):
    page = ann.get("/history").text
    assert "Nothing hangs here yet" in page
    assert "stays here for 3 days" in page


def test_what_is_kept_follows_the_settings(new_app):
    page = new_app(keep_hours=5).test_client().get("/history").text
    assert "make another: 5 hours" in page


def rows(app):
    with app.extensions["library"].reading() as session:
        return {table.name: session.execute(table.select()).all() for table in Base.metadata.sorted_tables}


def test_everything_is_deleted(app, ann, bob, painted, photo_png, painting_png, form):
    painted()
    ann.post("/styles", data={"picture": upload(painting_png), "name": "Mine"})
    ann.post("/styles", data={"picture": upload(painting_png), "name": "Numbers", "keep": "vector"})
    assert ann.post("/api/v1/jobs", data=form()).status_code == 202
    kept = add_result(app, "bob", photo_png)
    page = ann.get("/history").text
    assert re.search(r"<summary[^>]*>Delete everything now</summary>", page)  # asked first, without JavaScript too
    assert "1 picture and the photos" in page
    assert "2 styles of yours" in page
    answer = ann.post("/history/delete")
    assert answer.status_code == 303
    assert "Everything is deleted." in ann.get("/history").text
    left = [row for table in rows(app).values() for row in table if getattr(row, "owner", "") == "ann"]
    assert left == []
    held = {row.key for row in rows(app)["pictures"]}
    assert files_of(app) == held
    assert bob.get(f"/results/{kept}").status_code == 200


def test_after_that_the_browser_is_somebody_else(ann):
    ann.post("/history/delete")
    ann.get("/history")
    with ann.session_transaction() as session:
        assert session["owner"] != "ann"


def test_where_the_photo_was_taken_reaches_no_result(app, ann, photo_png):
    id = add_result(app, "ann", with_place(photo_png))
    for path in ("picture.png", "picture.jpeg", "picture.webp", "shown", "before", "thumbnail"):
        data = ann.get(f"/results/{id}/{path}").data
        assert dict(Image.open(io.BytesIO(data)).getexif()) == {}
        assert b"Leica" not in data


def test_hostile_names_are_escaped(ann, painted):
    script = "<script>alert(1)</script>"
    address = painted(name=script, styles=[OrderStyle(name=script, shipped="flow")])
    for page in (ann.get(address), ann.get("/history")):
        assert script not in page.text
        assert html.escape(script) in page.text


def test_no_inline_script_or_style(ann, painted):
    for page in (ann.get(painted()), ann.get("/history")):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text)
