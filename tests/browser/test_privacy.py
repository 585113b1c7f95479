"""Two people with a browser each: neither sees the other's, and what is deleted is gone."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from PIL import ExifTags, Image
from playwright.sync_api import Page, expect

from app.storage import gallery
from app.storage.tables import Base
from tests.support.browsers import LEFT_OPEN, standing
from tests.support.live_app import serving
from tests.support.stored_results import add_result, files_of, with_place

pytestmark = [pytest.mark.browser, LEFT_OPEN]
FLOW = gallery.shipped()[0].name
RESULT = ("", "/picture.png", "/picture.jpeg", "/picture.webp", "/shown", "/before", "/thumbnail")

OWN_WORDS = {ExifTags.Base.ExifOffset, ExifTags.Base.ExifVersion, ExifTags.Base.UserComment}  # the recipe


@pytest.fixture
def stand(painter, tmp_path):
    with standing(tmp_path / "data", painter, worker=True) as stand:
        yield stand


@pytest.fixture
def paint(photo_png, painting_png):
    """Paints in a browser: a photo that knows where it was taken, in a shipped style and a painting of one's own."""

    def painted(page: Page) -> str:
        page.goto("/")
        pictures = {"Photo": with_place(photo_png), "Your own painting": with_place(painting_png)}
        for label, data in pictures.items():
            file = {"name": "at-home.jpg", "mimeType": "image/jpeg", "buffer": data}
            page.get_by_label(label, exact=True).set_input_files(file)
        page.get_by_role("checkbox", name=FLOW, exact=True).check()
        page.get_by_role("button", name="Paint it").click()
        page.wait_for_url("**/results/*")
        return page.url.rpartition("/")[2]

    return painted


@pytest.fixture
def add_style(photo_png):
    def added(page: Page, keep: str) -> str:
        page.goto("/styles")
        page.get_by_label("Picture").set_input_files(
            {"name": "at-home.jpg", "mimeType": "image/jpeg", "buffer": with_place(photo_png)}
        )
        page.locator("#painting-name").fill(f"Secret {keep}")
        page.get_by_label(keep, exact=True).check()
        page.get_by_role("button", name="Add this style").click()
        page.wait_for_url(address := re.compile(r"/styles/(\w{32})"))
        return address.search(page.url)[1]

    return added


def rows_of(stand, owner: str) -> list:
    with stand.app.extensions["library"].reading() as session:
        tables = [table for table in Base.metadata.sorted_tables if "owner" in table.c]
        return [row for table in tables for row in session.execute(table.select().where(table.c.owner == owner))]


def held(stand) -> set[str]:
    """What the database knows of files."""
    with stand.app.extensions["library"].reading() as session:
        return set(session.scalars(Base.metadata.tables["pictures"].select()))


def status(page: Page, method: str, path: str, **more) -> int:
    return page.request.fetch(path, method=method, max_redirects=0, **more).status


def test_neither_opens_what_is_the_others(visit, paint, add_style):
    ann, bob = visit("/", "ann"), visit("/", "bob")
    result, style = paint(ann), add_style(ann, "The painting")
    addresses = [
        *(("GET", f"/results/{result}{part}") for part in RESULT),
        *(("GET", f"/jobs/{result}{part}") for part in ("", "/photo", "/paintings/0", "/paintings/1")),
        *(("GET", f"/api/v1/jobs/{result}{part}") for part in ("", "/events", "/preview", "/result")),
        *(
            ("GET", f"{door}/styles/{style}{part}")
            for door in ("", "/api/v1")
            for part in ("", "/vector", "/thumbnail")
        ),
        ("GET", f"/styles/{style}/picture"),
        ("GET", f"/?from={result}"),
        ("POST", f"/results/{result}/delete"),
        ("POST", f"/jobs/{result}/cancel"),
        ("POST", f"/styles/{style}"),
        ("POST", f"/styles/{style}/delete"),
        ("DELETE", f"/api/v1/jobs/{result}"),
        ("DELETE", f"/api/v1/styles/{style}"),
    ]
    nobody = visit("/docs", None)
    for other in (bob, nobody):
        assert {address: status(other, *address) for address in addresses} == dict.fromkeys(addresses, 404)
    for path in [f"/results/{result}{part}" for part in RESULT] + [f"/styles/{style}", f"/styles/{style}/picture"]:
        assert status(ann, "GET", path) == 200


def test_neither_uses_what_is_the_others(visit, paint, add_style, photo_png):
    ann, bob = visit("/", "ann"), visit("/", "bob")
    result, style = paint(ann), add_style(ann, "The painting")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": photo_png}
    for fields in (
        {"content": f"result:{result}", "style": "flow"},
        {"content": photo, "style": style},
        {"content": photo, "style": "Secret The painting"},
    ):
        for door in ("/api/v1/jobs", "/api/v1/stylize"):
            assert status(bob, "POST", door, multipart=fields) in (404, 422)


def test_neither_sees_what_is_the_others(visit, paint, add_style):
    ann, bob = visit("/", "ann"), visit("/", "bob")
    theirs = {person: (paint(person), add_style(person, "The painting")) for person in (ann, bob)}
    for person, other in ((ann, bob), (bob, ann)):
        for path in ("/history", "/styles", "/", "/api/v1/styles"):
            page = person.request.get(path).text()
            assert not any(id in page for id in theirs[other])
        person.goto("/history")
        expect(person.locator(".results li")).to_have_count(1)
        expect(person.locator(f'a[href="/results/{theirs[person][0]}"]')).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_deleted_leaves_no_row_and_no_file(visit, stand, paint, add_style, scripts):
    ann, bob = visit("/", "ann", java_script_enabled=scripts), visit("/", "bob")
    kept = paint(bob)  # the same photo and the same painting as Ann's
    before = files_of(stand.app)
    paint(ann)
    add_style(ann, "The painting")
    add_style(ann, "Only its numbers")
    assert len(rows_of(stand, "ann")) > 4
    assert files_of(stand.app) > before
    ann.goto("/history")
    ann.locator("summary", has_text="Delete everything now").click()
    ann.get_by_role("button", name="Yes, delete everything").click()
    expect(ann.get_by_role("status")).to_contain_text("Everything is deleted.")
    assert rows_of(stand, "ann") == []
    assert files_of(stand.app) == before == held(stand)
    for part in RESULT:
        assert status(bob, "GET", f"/results/{kept}{part}") == 200


def test_deleted_while_it_is_painted(visit, stand, painter, files):
    painter.steps, painter.pause = 30, 0.2
    page = visit("/")
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("#picture")).to_have_attribute("src", re.compile("/preview"))
    page.goto("/history")
    page.locator("summary").click()
    page.get_by_role("button", name="Yes, delete everything").click()
    expect(page.get_by_role("status")).to_contain_text("Everything is deleted.")
    page.wait_for_timeout(1500)  # the worker's next steps find nothing to write to
    assert rows_of(stand, "ann") == []
    assert files_of(stand.app) == set()


@pytest.mark.parametrize("scripts", [True, False])
def test_where_and_with_what_the_photo_was_taken_reaches_nothing(visit, paint, add_style, scripts):
    page = visit("/", java_script_enabled=scripts)
    result, style = paint(page), add_style(page, "The painting")
    shown = [f"/results/{result}{part}" for part in RESULT[1:]]
    shown += [f"/styles/{style}/{part}" for part in ("picture", "thumbnail")]
    for path in shown:
        data = page.request.get(path).body()
        picture = Image.open(io.BytesIO(data))
        exif = picture.getexif()
        told = {*exif, *exif.get_ifd(ExifTags.IFD.Exif), *exif.get_ifd(ExifTags.IFD.GPSInfo)}
        assert told <= OWN_WORDS, path
        assert "comment" not in picture.info, path
        assert not any(word in data for word in (b"Leica", b"at-home")), path
    assert "Leica" not in page.request.get(f"/results/{result}").text()
    assert "Leica" not in page.request.get(f"/styles/{style}/vector").text()


def test_the_cookie_is_not_for_scripts(visit):
    page = visit("/history", None)
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("owner", True, "Lax")
    assert page.evaluate("document.cookie") == ""


def test_a_forged_cookie_opens_nothing(visit, stand, paint):
    result = paint(visit("/", "ann"))
    page = visit("/docs", None)
    value = stand.cookie("ann")["value"]
    forged = value[:-3] + ("abc" if not value.endswith("abc") else "abd")
    page.context.add_cookies([{"name": "owner", "value": forged, "url": stand.url}])
    assert status(page, "GET", f"/results/{result}") == 404


@pytest.fixture
def trap(stand):
    """The address of another site, whose page posts a form here as soon as it is open."""
    other = Flask("trap", static_folder=None)
    form = f'<form method="post" action="{stand.url}/history/delete"></form><script>document.forms[0].submit()</script>'
    other.add_url_rule("/", view_func=lambda: form)
    with serving(other) as url:
        yield url.replace("127.0.0.1", "localhost")


def test_a_page_of_another_site_deletes_nothing(visit, stand, trap, photo_png):
    add_result(stand.app, "ann", photo_png)
    page = visit("/history", "ann")
    page.wait_for_load_state("networkidle")  # each of its pictures renews the cookie
    rows, cookies = rows_of(stand, "ann"), page.context.cookies()
    with page.expect_response("**/history/delete") as refused:
        page.goto(trap)
    assert (refused.value.status, refused.value.all_headers().get("set-cookie")) == (403, None)
    assert page.context.cookies() == cookies
    assert rows_of(stand, "ann") == rows
    page.goto("/history")
    expect(page.locator(".results li")).to_have_count(1)
