"""A job's page and the pictures that it was sent with."""

from __future__ import annotations

import html
import re

from app.storage.library import holder_of_checkpoint
from model.errors import InvalidOption
from tests.support.pages import change, checked, ended
from tests.support.requests import upload, wait_until


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


def test_a_failed_job_says_why_and_leads_back(app, client, job_of, shipped, painter, working):
    painter.fail("stylize", RuntimeError("secret"))
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


def visible_words(page):
    """The words of a page that are not hidden, in one line."""
    shown = re.sub(r"<(p|span|svg)\b[^>]* hidden>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_a_refinement_waits(client, refinement):
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Your picture waits its turn" in visible_words(page)
    assert {"Pause", "Cancel"} <= set(visible_words(page).split())
    assert f'action="/jobs/{refinement.id}/pause"' in page
    assert "Style loss" not in re.sub(r"<figure class=.losses. .*?</figure>", "", page, flags=re.DOTALL)


def test_a_running_refinement_tells_its_losses(app, client, refinement):
    losses = [[1, 0.4, 0.0, 0.398, 0.05], [2, 0.1, 0.0, 0.0961, 0.05]]
    change(app, refinement.id, state="running", step=2, steps=50, seconds_left=40, losses=losses)
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Refining your picture" in visible_words(page)
    assert "Step 2 of 50 · about 40 s left" in visible_words(page)
    assert "Style loss 0.4 → 0.096" in visible_words(page)
    assert "Content loss" not in visible_words(page)  # nothing above 0 was found
    assert "Stop and keep" in visible_words(page)
    assert '<noscript><meta http-equiv="refresh"' in page
    change(app, refinement.id, pausing=True)
    assert "Pausing…" in visible_words(client.get(f"/jobs/{refinement.id}").text)
    change(app, refinement.id, pausing=False, cancelling=True)
    page = visible_words(client.get(f"/jobs/{refinement.id}").text)
    assert "Keeping the best so far" in page
    assert "Stopping…" in page


def test_paused_and_resumed(app, client, refinement):
    answer = client.post(f"/jobs/{refinement.id}/pause")
    assert (answer.status_code, answer.location) == (303, f"/jobs/{refinement.id}")
    change(app, refinement.id, step=7, steps=50)
    page = client.get(f"/jobs/{refinement.id}").text
    assert "Paused at step 7 of 50" in visible_words(page)
    assert "whenever you like" in visible_words(page)
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
    assert "It had <no> room." in visible_words(client.get(f"/jobs/{refinement.id}").text)
    change(app, refinement.id, state="running")
    assert "no> room" not in visible_words(client.get(f"/jobs/{refinement.id}").text)


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
    assert "Only a refinement or a training can be paused." in answer.text


def test_a_refinement_that_failed_leads_back_to_its_controls(app, client, refinement):
    change(app, refinement.id, state="failed", error={"code": "broken_image", "message": "It is damaged."})
    page = client.get(f"/jobs/{refinement.id}").text
    assert "could not be refined" in page
    assert f'href="/explore?from={refinement.id}"' in page
    assert client.get(f"/?from={refinement.id}").location == f"/explore?from={refinement.id}"


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


def test_a_training_has_a_page_and_a_place_in_the_history(ann, bob, painting_png):
    style = ann.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Harbour"}).json["id"]
    id = ann.post(f"/api/v1/styles/{style}/network").json["id"]
    page = ann.get(f"/jobs/{id}").text
    for words in ("Your style waits its turn", "The painting that it learns from", "Cancel", "Pause"):
        assert words in page
    assert ann.get(f"/jobs/{id}/beginning").status_code == 200
    for part in ("photo", "paintings/0", "masks/0"):
        assert ann.get(f"/jobs/{id}/{part}").status_code == 404
    assert ann.get(f"/?from={id}").status_code < 500
    assert "Harbour" in ann.get("/history").text
    assert bob.get(f"/jobs/{id}").status_code == 404
    assert ann.post(f"/jobs/{id}/pause").status_code == 303
    assert "what it has learnt is kept" in ann.get(f"/jobs/{id}").text
    ann.post(f"/jobs/{id}/cancel")
    assert "before it had learnt anything" in ann.get(f"/jobs/{id}").text


def test_a_training_that_fails_says_why(new_app, painter, painting_png):
    painter.fail("train", InvalidOption("There is no style in it to learn.", "style"))
    client = new_app(worker=True).test_client()
    style = client.post("/api/v1/styles", data={"picture": upload(painting_png), "name": "Harbour"}).json["id"]
    id = client.post(f"/api/v1/styles/{style}/network").json["id"]
    wait_until(lambda: "This style could not be taught" in client.get(f"/jobs/{id}").text)
    assert "There is no style in it to learn." in client.get(f"/jobs/{id}").text
