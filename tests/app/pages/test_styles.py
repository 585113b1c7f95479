"""The styles' pages, as they work without JavaScript."""

from __future__ import annotations

import html
import re

import pytest

from app.storage import gallery
from model.style_file import StyleFile
from tests.support.requests import pixels, upload, wait_until
from tests.support.stored_results import files_of

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def add(ann, painting_png):
    """The address of a new style of Ann's."""

    def added(**fields):
        data = {"picture": upload(painting_png), "name": "Mine", "keep": "picture"} | fields
        answer = ann.post("/styles", data=data)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    return added


def test_the_gallery_shows_each_painting_and_the_cat_in_it(client):
    page = client.get("/styles").text
    for style in gallery.shipped():
        for picture in (f"/static/styles/{style.id}.jpg", f"/static/styles/{style.id}-cat.jpg"):
            assert picture in page
            with client.get(picture) as answer:
                assert answer.status_code == 200
        assert f'href="/?style={style.id}"' in page
    assert "You have none yet" in page


def test_one_that_ships_has_a_page(client):
    style = gallery.shipped()[0]
    page = client.get(f"/styles/{style.id}").text
    assert style.about in page
    assert html.escape(style.credit) in page
    assert "Save" not in page
    assert client.get(f"/styles/{style.id}/thumbnail").headers["Location"] == f"/static/styles/{style.id}.jpg"


def test_a_painting_is_added(ann, add, photo_png):
    address = add(picture=upload(photo_png), credit="Ann Painter", licence="CC BY 4.0")
    page = ann.get(address).text
    for words in ("“Mine” is one of your styles now.", "Ann Painter", "CC BY 4.0", "Your painting"):
        assert words in page
    assert "is one of your styles now" not in ann.get(address).text
    shown = pixels(ann.get(address + "/picture").data)
    assert abs(shown.astype(int) - pixels(photo_png)).mean() < 4
    assert ann.get(address + "/thumbnail").mimetype == "image/jpeg"
    assert "1 style, seen by nobody else" in ann.get("/styles").text


def test_only_its_numbers_are_kept(ann, add):
    address = add(keep="vector")
    assert "only its numbers are kept" in ann.get(address).text
    assert ann.get(address + "/picture").status_code == 404
    assert ann.get(address + "/thumbnail").mimetype == "image/jpeg"


def test_several_paintings_become_one_style(ann, add, painting_png, photo_png):
    address = add(picture=[upload(painting_png), upload(photo_png)])
    assert "only its numbers are kept" in ann.get(address).text


def test_styles_are_averaged(ann, add):
    mine = add().rpartition("/")[2]
    answer = ann.post("/styles/average", data={"styles": [mine, "flow"], "name": "Both"}, follow_redirects=True)
    assert "The average of Mine, Flow" in answer.text


@pytest.mark.parametrize(("name", "kept"), [("", "Breakers"), ("Another", "Another")])
def test_an_imported_style_can_be_named(ann, bob, add, name, kept):
    file = ann.get(add(name="Breakers") + "/vector")
    sent = {"vector": upload(file.data, "x.style.json"), "name": name}
    assert kept in bob.post("/styles/import", data=sent, follow_redirects=True).text


def test_exported_and_imported(ann, bob, add):
    file = ann.get(add(keep="vector", credit="Ann", name="Évening / day") + "/vector")
    assert StyleFile.from_bytes(file.data).credit == "Ann"
    assert "attachment" in file.headers["Content-Disposition"]
    assert ".style.json" in file.headers["Content-Disposition"]
    page = bob.post("/styles/import", data={"vector": upload(file.data, "x.style.json")}, follow_redirects=True).text
    assert "Évening / day" in page
    assert bob.get("/styles/flow/vector").json["name"] == "Flow"


def test_renamed(ann, add):
    address = add()
    page = ann.post(address, data={"name": " Other ", "credit": "", "licence": "CC0"}, follow_redirects=True).text
    assert "“Other” is saved." in page
    assert 'value="CC0"' in page
    assert "Mine" not in ann.get("/styles").text


def test_a_rename_that_is_refused_is_told_beside_its_field(ann, add):
    address = add()
    for name, reason in [("", "Give the style a name"), ("Flow", "Choose another"), ("x" * 81, "at most 80")]:
        answer = ann.post(address, data={"name": name})
        assert answer.status_code == 422
        assert re.search(rf'id="name-problem" role="alert">[^<]*{reason}', answer.text)
    assert 'value="Mine"' in ann.get(address).text


def test_deleted(app, ann, add):
    address = add()
    page = ann.post(address + "/delete", follow_redirects=True).text
    assert "“Mine” is deleted." in page
    assert ann.get(address).status_code == 404
    assert files_of(app) == set()


@pytest.mark.parametrize("keep", ["picture", "vector"])
def test_nobody_else_sees_or_changes_it(ann, bob, add, keep):
    address = add(keep=keep)
    missing = bob.get("/styles/nothing")
    for path in ("", "/vector", "/thumbnail", "/picture"):
        assert bob.get(address + path).status_code == 404
    for path in ("", "/delete"):
        answer = bob.post(address + path, data={"name": "Bob's"})
        assert (answer.status_code, answer.text) == (404, missing.text)
    assert bob.get(address).text == missing.text  # as what does not exist
    assert bob.post("/styles/average", data={"styles": [address[8:], "flow"], "name": "Both"}).status_code == 404
    assert "Mine" not in bob.get("/styles").text
    assert ann.get(address).status_code == 200


def test_those_that_ship_change_for_nobody(ann):
    for path in ("", "/delete"):
        assert ann.post(f"/styles/flow{path}", data={"name": "Mine"}).status_code == 404
    assert ann.get("/styles/flow").status_code == 200


def problem(answer, form, field):
    assert answer.mimetype == "text/html"
    found = re.search(rf'id="{form}-{field}-problem" role="alert">([^<]+)<', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


def test_what_is_wrong_is_told_beside_its_field(ann, add, painting_png):
    add()
    fields = {"name": "Mine", "credit": "Ann Painter", "keep": "vector"}
    answer = ann.post("/styles", data=fields | {"picture": upload(painting_png)})
    assert answer.status_code == 422
    assert "already" in problem(answer, "painting", "name")
    assert 'value="Ann Painter"' in answer.text
    assert re.search(r'value="vector" checked', answer.text)
    answer = ann.post("/styles", data=fields | {"picture": upload(b"no picture"), "name": "Other"})
    assert answer.status_code == 415
    assert "not a picture" in problem(answer, "painting", "picture")
    answer = ann.post("/styles/import", data={"vector": upload(b"{}", "x.json")})
    assert "not a style file" in problem(answer, "import", "vector")
    answer = ann.post("/styles/average", data={"name": "One", "styles": ["flow"]})
    assert "between 2 and 8" in problem(answer, "average", "styles")
    assert re.search(r'id="average-flow"[^>]* checked', answer.text)


def test_a_field_left_empty_is_told(ann):
    answer = ann.post("/styles", data={"picture": upload(b"", ""), "name": "Mine"})
    assert "paintings" in problem(answer, "painting", "picture")
    answer = ann.post("/styles/import", data={"vector": upload(b"", "")})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("address", ["/styles", "/styles/import", "/styles/average"])
def test_a_body_too_large_shows_the_page_again(ann, address, painting_png):
    ann.application.config["MAX_CONTENT_LENGTH"] = 1000
    answer = ann.post(address, data={"picture": upload(painting_png), "name": "Mine"})
    assert answer.status_code == 413
    assert re.search(r'role="alert">[^<]*smaller', answer.text)


def test_programs_are_told_in_json(ann):
    answer = ann.post("/styles/average", data={"name": "One"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["field"]) == (422, "styles")


def test_hostile_words_are_escaped(ann, add):
    address = add(name=HOSTILE, credit=HOSTILE, licence=HOSTILE)
    for page in (ann.get(address), ann.get("/styles"), ann.post("/styles/average", data={"name": HOSTILE})):
        assert "<script>alert" not in page.text
        assert html.escape(HOSTILE, quote=False).replace('"', "&#34;") in page.text


def test_no_inline_script_or_style(ann, add):
    for page in (ann.get("/styles"), ann.get(add()), ann.get("/styles/flow")):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text)


def test_a_painting_of_ones_own_can_be_taught(ann, add):
    address = add()
    page = ann.get(address).text
    assert "Teach it its own network" in page
    assert "takes about 8 minutes" in page
    assert "Teach it its own network" in ann.get("/styles").text
    answer = ann.post(address + "/network")
    assert answer.status_code == 303
    job = answer.headers["Location"]
    for words in ("Your style waits its turn", "Mine", "Next in line."):
        assert words in ann.get(job).text
    assert "It is to be taught" in ann.get(address).text
    assert ann.post(address + "/network").headers["Location"] == job
    assert "Teach" not in ann.get("/styles/mosaic").text


def test_a_taught_style_wears_its_mark_and_can_forget(new_app, painting_png):
    client = new_app(worker=True).test_client()
    answer = client.post("/styles", data={"picture": upload(painting_png), "name": "Mine", "keep": "picture"})
    address = answer.headers["Location"]
    job = client.post(address + "/network").headers["Location"]
    wait_until(lambda: client.get(job).status_code == 303)
    assert client.get(job).headers["Location"] == address
    for page in ("/", "/styles", address):
        assert '<span class="mark">taught</span>' in client.get(page).text
    page = client.get(address).text
    for words in ("Teach again", "Forget its network", "20 steps"):
        assert words in page
    assert client.post(address + "/network/delete").status_code == 303
    assert "is forgotten" in client.get(address).text
    assert '<span class="mark">taught</span>' not in client.get("/").text


def test_who_may_not_teach_is_told_why(ann, bob, add):
    address = add(keep="vector")
    answer = ann.post(address + "/network")
    assert (answer.status_code, "only its numbers" in answer.text) == (422, True)
    assert "Teach it" not in ann.get(address).text
    assert bob.post(address + "/network").status_code == 404
    assert ann.post("/styles/mosaic/network").status_code == 404


def test_a_full_queue_is_told_on_the_styles_page(new_app, painting_png):
    client = new_app(jobs=1).test_client()
    addresses = [
        client.post("/styles", data={"picture": upload(painting_png), "name": name, "keep": "picture"}).location
        for name in ("One", "Two")
    ]
    client.post(addresses[0] + "/network")
    answer = client.post(addresses[1] + "/network")
    assert (answer.status_code, "Too many styles wait" in answer.text) == (503, True)
