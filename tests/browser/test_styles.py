"""The styles' pages as people use them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from model.style_file import StyleFile
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits, expect_loaded

pytestmark = [pytest.mark.browser, LEFT_OPEN]


def way(page: Page, title: str):
    """One of the forms that add a style."""
    return page.locator("form", has=page.get_by_role("heading", name=title))


def add(page: Page, painting, name="Harbour", keep="The painting"):
    page.goto("/styles")
    form = way(page, "From a painting")
    form.get_by_label("Picture").set_input_files(painting)
    form.get_by_label("Name").fill(name)
    form.get_by_label("Credit").fill("Ann Painter")
    form.get_by_label(keep, exact=True).check()
    form.get_by_role("button", name="Add this style").click()
    expect(page.get_by_role("status").first).to_have_text(f"“{name}” is one of your styles now.")


def teach(page: Page) -> None:
    page.goto("/styles")
    page.get_by_role("region", name="Yours").get_by_role("button", name=re.compile("^Teach it its own network")).click()
    page.wait_for_url("**/jobs/*")


def import_style(page: Page, file: Path, name="Harbour") -> None:
    way(page, "From a style file").get_by_label("Style file").set_input_files(file)
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_added_renamed_deleted(visit, files, scripts):
    page = visit("/styles", java_script_enabled=scripts)
    add(page, files[1])
    expect(page.get_by_role("heading", name="Harbour")).to_be_visible()
    page.get_by_label("Name").fill("Harbour, evening")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Harbour, evening")).to_be_visible()
    page.get_by_role("link", name="All styles").click()
    page.get_by_role("region", name="Yours").get_by_role("link", name="Harbour, evening").click()
    expect(page.get_by_role("button", name="Yes, delete it")).to_be_hidden()
    page.locator("summary", has_text="Delete this style").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_role("status").first).to_have_text("“Harbour, evening” is deleted.")
    expect(page.get_by_text("You have none yet.")).to_be_visible()


def test_used(visit, files):
    page = visit("/styles")
    add(page, files[1])
    page.get_by_role("link", name="Paint with it").click()
    expect(page.get_by_label("Harbour", exact=True).first).to_be_checked()


def test_one_that_ships_is_looked_at_and_used(visit):
    page = visit("/styles")
    page.get_by_role("link", name="Flow", exact=True).click()
    expect(page.get_by_role("heading", name="Flow")).to_be_visible()
    for picture in page.locator("main img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("picture => picture.naturalWidth") > 0
    page.go_back()
    page.get_by_role("link", name=re.compile("^Paint with it ?: Flow$")).click()
    page.wait_for_url("**/?style=flow")


@pytest.mark.parametrize("scripts", [True, False])
def test_exported_and_imported_by_another(visit, files, tmp_path, scripts):
    page = visit("/styles", java_script_enabled=scripts)
    add(page, files[1], keep="Only its numbers")
    expect(page.get_by_text("only its numbers are kept")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as a style file").click()
    file = tmp_path / download.value.suggested_filename
    assert file.name == "Harbour.style.json"
    download.value.save_as(file)
    assert json.loads(file.read_bytes())["credit"] == "Ann Painter"
    import_style(visit("/styles", "bob", java_script_enabled=scripts), file)


@pytest.mark.parametrize("scripts", [True, False])
def test_averaged(visit, files, scripts):
    page = visit("/styles", java_script_enabled=scripts)
    add(page, files[1])
    page.goto("/styles")
    form = way(page, "From several styles")
    for name in ("Harbour", "Flow"):
        form.get_by_label(name, exact=True).check()
    form.get_by_label("Name").fill("Both")
    form.get_by_role("button", name="Average them").click()
    expect(page.get_by_label("Credit")).to_have_value("The average of Harbour, Flow")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_wrong_is_told_beside_its_field(visit, files, tmp_path, scripts):
    page = visit("/styles", java_script_enabled=scripts)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    form = way(page, "From a painting")
    form.get_by_label("Picture").set_input_files(broken)
    form.get_by_label("Name").fill("Harbour")
    form.get_by_role("button", name="Add this style").click()
    expect(page.locator("#painting-picture-problem")).to_contain_text("not a picture")
    expect(page.locator("#painting-picture-problem")).to_be_in_viewport()
    expect(form.get_by_label("Picture")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("Name")).to_have_value("Harbour")
    expect(form.get_by_role("button", name="Add this style")).to_be_enabled()


def test_pictures_are_shown_and_named_before_they_are_sent(visit, files):
    page = visit("/styles")
    form = way(page, "From a painting")
    form.get_by_label("Picture").set_input_files(
        {"name": "harbour_at-dusk.png", "mimeType": "image/png", "buffer": files[1].read_bytes()}
    )
    expect(form.get_by_alt_text("harbour_at-dusk.png")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("harbour at dusk")
    form.get_by_label("Name").fill("Mine")
    form.get_by_label("Picture").set_input_files(files)
    expect(form.get_by_role("img")).to_have_count(2)
    expect(form.get_by_label("Name")).to_have_value("Mine")  # what somebody wrote stays


def test_keyboard_alone(visit, files):
    page = visit("/styles")
    form = way(page, "From a painting")
    form.get_by_label("Picture").set_input_files(files[1])
    form.get_by_label("Picture").focus()
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert order == ["painting-name", "painting-credit", "painting-licence", "keep-picture", "Add this style"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("“painting” is one of your styles now.")


def test_on_a_phone(visit, files):
    page = visit("/styles", **PHONE)
    assert_fits(page)
    add(page, files[1], name="W" * 80)
    assert_fits(page)
    page.locator("summary").tap()
    assert_fits(page)
    page.goto("/styles")
    assert_fits(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_taught_stopped_and_forgotten(new_page, painter, files, scripts):
    painter.steps, hold = 10, painter.hold("train", step=6)
    page = new_page("/styles", java_script_enabled=scripts)
    add(page, files[1])
    teach(page)
    assert hold.reached.wait(20)
    expect(page.get_by_role("heading", name="Teaching your style")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Step 6 of 10")
    expect_loaded(page.locator("#picture"))
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/styles/*")
    network = page.get_by_role("region", name="Its own network")
    expect(network.locator(".mark")).to_have_text("taught")
    expect(network).to_contain_text("6 steps, until it was stopped")
    expect(network.get_by_role("button", name="Teach again")).to_be_visible()
    page.goto("/")
    expect(page.locator(".pick", has_text="Harbour").locator(".mark")).to_have_text("taught")
    page.go_back()
    network.locator("summary", has_text="Forget its network").click()
    network.get_by_role("button", name="Yes, forget it").click()
    expect(page.get_by_role("status").first).to_contain_text("is forgotten")


def test_taught_used_exported_and_imported_by_another(new_page, painter, files, tmp_path):
    painter.steps = 10
    page = new_page("/styles")
    add(page, files[1])
    teach(page)
    page.wait_for_url("**/styles/*")
    expect(page.get_by_role("region", name="Its own network")).to_contain_text("10 steps")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as a style file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    other = new_page("/styles")  # another visitor's: it has no cookie yet
    import_style(other, file)
    expect(other.get_by_role("region", name="Its own network")).to_contain_text("It came with its network")
    network = StyleFile.from_bytes(file.read_bytes()).network
    for visitor in (page, other):
        painter.calls.clear()
        paint_with_it(visitor, files[0])
        (sent,) = painter.calls_of("stylize")[-1].arguments["styles"]
        assert StyleFile.from_bytes(sent).network == network


def paint_with_it(page: Page, photo: Path) -> None:
    page.get_by_role("link", name="Paint with it").click()
    page.get_by_label("Photo", exact=True).set_input_files(photo)
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/results/*")
