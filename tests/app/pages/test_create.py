"""The pages as they work without JavaScript, and what keeps them private."""

from __future__ import annotations

import html
import io
import json
import re
import tempfile

import pytest
from PIL import Image
from werkzeug.datastructures import MultiDict

from app.jobs.order import Order
from app.jobs.queue import QueueFull
from app.pages.create_form import FormValues
from app.storage import gallery
from app.storage.library import holder_of_checkpoint
from app.storage.tables import JobRow
from model.imaging import image_files
from model.options import StylizeOptions
from tests.support.requests import from_data_url, pixels, upload
from tests.support.stored_results import add_result, sign_in


@pytest.fixture
def shipped():
    """The ids of two styles of the gallery."""
    return [style.id for style in gallery.shipped()][:2]


@pytest.fixture
def job_of(client, form):
    """Sends the form and gives the job that it became."""

    def sent(**more):
        answer = client.post("/", data=form(**more))
        assert answer.status_code == 303, answer.text
        return client.application.extensions["jobs"].get(answer.location.rpartition("/")[2])

    return sent


@pytest.fixture
def working(app):
    """Paints while the block lasts."""
    app.extensions["worker"].start()
    yield
    app.extensions["worker"].stop()


def ended(app, id):
    jobs, job = app.extensions["jobs"], None
    while job is None or not job.ended:
        job = jobs.wait_for_change(id, job, 10)
    return job


def pictures(answer):
    """The pictures in a page, by their element's id."""
    found = re.findall(r'<img id="(\w+)"[^>]* src="(data:[^"]+)"', answer.text)
    return {name: pixels(from_data_url(url)) for name, url in found}


def checked(page):
    return set(re.findall(r'name="style" value="([^"]+)" checked', page))


def problem_at(page, field):
    beside = re.search(rf'id="{field}-problem" role="alert">([^<]+)<', page)
    return html.unescape(beside[1]) if beside else None


def test_the_form_asks_for_what_the_options_allow(client):
    page = client.get("/").text
    assert 'method="post"' in page
    assert 'enctype="multipart/form-data"' in page
    asked = set(re.findall(r'<(?:input|select)[^>]* name="([\w-]+)"', page))
    sliders = {name for name in asked if name.startswith("weight-")}
    assert {"weight-own"} | {f"weight-{style.id}" for style in gallery.shipped()} <= sliders
    asked -= sliders | {"weight-new"}
    options = {"strength", "size", "dpi", "keep_colours", "keep_light", "match_colours", "style_scale", "steady"}
    options |= {"format", "quality", "feather", "paint"}
    parts = {"print_width", "print_height", "print_unit"}  # of the option 'print'
    assert asked == options | parts | {"content", "style", "mask", "no_store"}
    assert options <= StylizeOptions.model_fields.keys()
    assert pictures(client.get("/")) == {}


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


WISHES = {
    "keep_colours": "0.5",
    "keep_light": "0.25",
    "match_colours": "covariance",
    "style_scale": "2",
    "steady": "yes",
    "quality": "80",
    "dpi": "150",
}


def printing(width="60", height="40.5", unit="cm"):
    return {"size": "print", "print_width": width, "print_height": height, "print_unit": unit}


def has(page, name, value):
    """Whether a control stands there."""
    ticked = rf'name="{name}" value="{value}"[^>]* checked'
    chosen = rf'name="{name}"[^>]*>(?:(?!</select>).)*<option[^>]*(?: value="{value}" selected|selected>{value})'
    return any(re.search(one, page, re.DOTALL) for one in (rf'name="{name}"[^>]* value="{value}"', ticked, chosen))


def test_every_wish_of_the_form_is_in_the_order(job_of):
    options = job_of(**WISHES, **printing()).order.options
    assert (options.print, options.size, options.dpi) == ("60x40.5cm", None, 150)
    assert (options.keep_colours, options.keep_light, options.match_colours) == (0.5, 0.25, "covariance")
    assert (options.style_scale, options.steady, options.quality) == (2, True, 80)


def test_what_a_form_leaves_empty_is_not_asked_for(job_of):
    options = job_of(size="512", dpi="", print_width="60", print_height="", print_unit="cm", quality="").order.options
    assert options.model_dump(exclude={"size"}) == StylizeOptions().model_dump(exclude={"size"})


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        (printing(height=""), "print", "how wide and how high"),
        (printing("60", "forty"), "print", "two sides of a print"),
        (printing("0.1", "0.1"), "print", "ask for more"),
        (printing() | {"dpi": "5"}, "dpi", "30 or more"),
        ({"style_scale": "9"}, "style_scale", "4 or less"),
        ({"keep_colours": "2"}, "keep_colours", "1 or less"),
        ({"quality": "none"}, "quality", "whole number"),
    ],
)
def test_a_wish_that_is_refused_is_told_beside_its_field(client, form, sent, field, words):
    answer = client.post("/", data=form(**sent))
    assert answer.status_code == 422
    assert words in problem_at(answer.text, field)
    for name, value in sent.items():
        assert name == "print_height" or has(answer.text, name, value) or field in (name, "print")


def test_a_refusal_keeps_every_wish(client, form):
    sent = WISHES | printing(unit="in")
    page = client.post("/", data=form(content=upload(b"no picture"), **sent)).text
    assert [name for name, value in sent.items() if not has(page, name, value)] == []
    assert '<details class="more fold" id="more" open>' in page


def test_what_is_folded_away_opens_only_where_something_is_set(client, form):
    assert '<details class="more fold" id="more">' in client.get("/").text
    page = client.post("/", data=form(content=upload(b"no picture"), style_scale="1.0", keep_colours="0")).text
    assert '<details class="more fold" id="more" open>' in page  # nobody's form says 1.0
    page = client.post("/", data=form(content=upload(b"no picture"), strength="0.5")).text
    assert '<details class="more fold" id="more">' in page


def test_another_like_this_has_every_wish(client, job_of):
    page = client.get(f"/?from={job_of(**WISHES, **printing('24', '16', 'in')).id}").text
    wanted = WISHES | printing("24", "16", "in")
    assert [name for name, value in wanted.items() if not has(page, name, value)] == []


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


def test_a_job_page_says_how_many_are_ahead(client, job_of):
    ids = [job_of(strength=f"0.{n}").id for n in range(1, 4)]
    assert "1 picture is ahead of yours." in client.get(f"/jobs/{ids[1]}").text
    assert "2 pictures are ahead of yours." in client.get(f"/jobs/{ids[2]}").text


def test_a_job_that_is_done_leads_to_its_result(app, client, job_of, working):
    id = job_of().id
    assert ended(app, id).state == "done"
    answer = client.get(f"/jobs/{id}")
    assert (answer.status_code, answer.location) == (303, f"/results/{id}")


def test_cancelled_before_it_began(client, job_of, shipped):
    id = job_of(style=shipped[0]).id
    answer = client.post(f"/jobs/{id}/cancel")
    assert (answer.status_code, answer.location) == (303, f"/jobs/{id}")
    page = client.get(f"/jobs/{id}").text
    assert "Cancelled" in page
    assert f'href="/?from={id}"' in page
    assert "refresh" not in page


def test_a_failed_job_says_why_and_leads_back(app, client, job_of, shipped, monkeypatch, working):
    def fail(*args, **more):
        raise RuntimeError("secret")

    monkeypatch.setattr("model.pipelines.stylization.stylize", fail)
    id = job_of(style=shipped[0], strength="0.45", size="1024").id
    assert ended(app, id).state == "failed"
    page = client.get(f"/jobs/{id}").text
    assert "could not be painted" in page
    assert "Something went wrong" in page
    assert "secret" not in page
    back = client.get(f"/?from={id}").text
    assert checked(back) == {shipped[0]}
    assert 'value="0.45"' in back
    assert '<option value="1024" selected>' in back
    assert f'data-src="/jobs/{id}/photo"' in back


def test_another_like_this_restores_every_control(app, client, job_of, shipped, painting_png, working):
    sliders = {f"weight-{shipped[0]}": "20", f"weight-{shipped[1]}": "100", "weight-own": "60"}
    files = [*shipped, upload(painting_png, "a painting.png")]
    id = job_of(style=files, strength="0.65", size="777", format="jpeg", **sliders).id
    ended(app, id)
    page = client.get(f"/?from={id}").text
    assert checked(page) == set(shipped)
    for name, value in (sliders | {"strength": "0.65"}).items():
        if name != "weight-own":
            assert re.search(rf'name="{name}"[^>]* value="{value}"', page), name
    assert f'href="/jobs/{id}/paintings/2" data-weight="60"' in page
    assert '<option value="777" selected>' in page
    assert '<option value="jpeg" selected>' in page
    assert f'name="content" value="result:{id}"' in page
    assert f'src="/results/{id}/before"' in page
    again = {"content": f"result:{id}", "style": shipped[0]}
    again = client.post("/", data=again, content_type="multipart/form-data")
    assert again.status_code == 303


@pytest.fixture
def refinement(job_of):
    return job_of(method="gatys", preset="fast")


def change(app, id, **values):
    with app.extensions["library"].begin() as session:
        row = session.get_one(JobRow, id)
        for name, value in values.items():
            setattr(row, name, value)


def seen(page):
    """The words of a page that are not hidden, in one line."""
    shown = re.sub(r"<(p|span|svg)\b[^>]* hidden>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_a_refinement_waits(client, refinement):
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Your picture waits its turn" in seen(page)
    assert {"Pause", "Cancel"} <= set(seen(page).split())
    assert f'action="/jobs/{refinement.id}/pause"' in page
    assert "Style loss" not in re.sub(r"<figure class=.losses. .*?</figure>", "", page, flags=re.DOTALL)


def test_a_running_refinement_tells_its_losses(app, client, refinement):
    losses = [[1, 0.4, 0.0, 0.398, 0.05], [2, 0.1, 0.0, 0.0961, 0.05]]
    change(app, refinement.id, state="running", step=2, steps=50, seconds_left=40, losses=losses)
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Refining your picture" in seen(page)
    assert "Step 2 of 50 · about 40 s left" in seen(page)
    assert "Style loss 0.4 → 0.096" in seen(page)
    assert "Content loss" not in seen(page)  # nothing above 0 was found
    assert "Stop and keep" in seen(page)
    assert '<noscript><meta http-equiv="refresh"' in page
    change(app, refinement.id, pausing=True)
    assert "Pausing…" in seen(client.get(f"/jobs/{refinement.id}").text)
    change(app, refinement.id, pausing=False, cancelling=True)
    page = seen(client.get(f"/jobs/{refinement.id}").text)
    assert "Keeping the best so far" in page
    assert "Stopping…" in page


def test_paused_and_resumed(app, client, refinement):
    answer = client.post(f"/jobs/{refinement.id}/pause")
    assert (answer.status_code, answer.location) == (303, f"/jobs/{refinement.id}")
    change(app, refinement.id, step=7, steps=50)
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Paused at step 7 of 50" in seen(page)
    assert "whenever you like" in seen(page)
    assert "refresh" not in page
    assert f'action="/jobs/{refinement.id}/resume"' in page
    assert client.post(f"/jobs/{refinement.id}/resume").status_code == 303
    assert app.extensions["jobs"].get(refinement.id).state == "queued"


def test_a_paused_one_is_deleted(app, client, refinement):
    client.post(f"/jobs/{refinement.id}/pause")
    jobs, library = app.extensions["jobs"], app.extensions["library"]
    checkpoint = library.put_picture(refinement.owner, b"so far")
    with library.begin() as session:
        library.hold(session, holder_of_checkpoint(refinement.id), [checkpoint])
    page = client.get(f"/jobs/{refinement.id}").text
    assert f'action="/jobs/{refinement.id}/delete"' in page
    answer = client.post(f"/jobs/{refinement.id}/delete")
    assert (answer.status_code, answer.location) == (303, "/history")
    assert "The picture is deleted." in client.get("/history").text
    assert client.get(f"/jobs/{refinement.id}").status_code == 404
    assert jobs.unfinished(refinement.owner) == []
    assert not any(map(library.exists, (checkpoint, *refinement.order.keys())))


def test_a_page_of_another_site_deletes_nothing(client, refinement):
    answer = client.post(f"/jobs/{refinement.id}/delete", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert client.get(f"/jobs/{refinement.id}").status_code == 200


def test_why_it_was_paused_is_told(app, client, refinement):
    change(app, refinement.id, state="paused", error={"code": "busy", "message": "It had <no> room."})
    assert "It had <no> room." in seen(client.get(f"/jobs/{refinement.id}").text)
    change(app, refinement.id, state="running")
    assert "no> room" not in seen(client.get(f"/jobs/{refinement.id}").text)


def test_it_is_shown_what_a_refinement_begins_with(app, client, refinement, photo_png, painting_png):
    address = f"/jobs/{refinement.id}/beginning"
    assert client.get(address).data == photo_png
    assert f'src="{address}"' in client.get(f"/jobs/{refinement.id}").text
    start = app.extensions["library"].put_picture(refinement.owner, painting_png)
    change(app, refinement.id, order=refinement.raw_order | {"start": start})
    assert client.get(address).data == painting_png
    assert "The picture to be refined" in client.get(f"/jobs/{refinement.id}").text


def test_a_pastiche_is_not_paused(client, job_of):
    answer = client.post(f"/jobs/{job_of().id}/pause", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "Only a refinement can be paused." in answer.text


def test_a_refinement_that_failed_leads_back_to_its_controls(app, client, refinement):
    change(app, refinement.id, state="failed", error={"code": "broken_image", "message": "It is damaged."})
    page = client.get(f"/jobs/{refinement.id}").text
    assert "could not be refined" in page
    assert f'href="/explore?from={refinement.id}"' in page
    assert client.get(f"/?from={refinement.id}").location == f"/explore?from={refinement.id}"


def test_a_refinement_is_always_kept(client, form):
    answer = client.post("/", data=form(method="gatys", no_store="yes"))
    assert answer.status_code == 422
    assert "Let the server keep it." in answer.text


def test_what_a_job_was_sent_is_its_owners_alone(app, client, job_of, photo_png, painting_png):
    id = job_of().id
    addresses = [f"/jobs/{id}{path}" for path in ("", "/photo", "/paintings/0", "/beginning")] + [f"/?from={id}"]
    assert client.get(addresses[1]).data == photo_png
    assert client.get(addresses[2]).data == painting_png
    assert client.get(addresses[1]).mimetype == "image/*"
    assert client.get(f"/jobs/{id}/paintings/1").status_code == 404
    stranger = app.test_client()
    assert {stranger.get(address).status_code for address in addresses} == {404}
    assert {stranger.post(f"/jobs/{id}/{what}").status_code for what in ("cancel", "pause", "resume", "delete")} == {
        404
    }
    assert app.extensions["jobs"].get(id).state == "queued"


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
    assert '<option value="webp" selected>' in answer.text
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


def test_sliders_show_the_weights_of_programs():
    def weights(*values):
        styles = [{"name": name, "id": name, "shipped": name} for name in "abc"[: len(values)]]
        options = {"weights": list(values)}
        order = Order.model_validate({"content": "k", "content_name": "n", "styles": styles, "options": options})
        return list(FormValues.of_order(order, "").weights.values())

    assert weights(50, 100) == ["50", "100"]
    assert weights(0.25, 0.5) == ["50", "100"]
    assert weights(500, 1000) == ["50", "100"]
    assert weights(3) == ["3"]


def test_a_form_as_it_was_sent():
    fields = MultiDict([("style", "a"), ("style", "b"), ("weight-a", "5"), ("size", ""), ("no_store", "yes")])
    form = FormValues.of_fields(fields)
    assert form.styles == {"a", "b"}
    assert (form.weight_of("a"), form.weight_of("b"), form.size, form.no_store) == ("5", "50", "own", True)
