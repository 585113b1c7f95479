"""A result's page as people use it."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits
from tests.support.stored_results import add_result

pytestmark = [pytest.mark.browser, LEFT_OPEN]


@pytest.fixture
def painted(stand, photo_png, painting_png):
    return "/results/" + add_result(stand.app, "ann", photo_png, painting_png, name="x" * 60)


def uncovered(page):
    """Where the photo ends, as a share of the picture's width."""
    assert page.locator(".compare-before").evaluate("one => getComputedStyle(one).clipPath").startswith("inset(")
    line, picture = (page.locator(name).bounding_box() for name in (".compare-line", ".compare-before img"))
    return (line["x"] + line["width"] / 2 - picture["x"]) / picture["width"]


def assert_aligned(page):
    after, before = (page.locator(f".compare-{name} img").bounding_box() for name in ("after", "before"))
    assert before == pytest.approx(after, abs=1)


def test_the_slider_uncovers_the_photo(visit, painted):
    page = visit(painted)
    slider = page.get_by_role("slider", name="How much of the photo is uncovered")
    expect(slider).to_have_value("50")
    assert_aligned(page)
    assert uncovered(page) == pytest.approx(0.5, abs=0.01)
    box = page.locator(".compare-before img").bounding_box()
    for share in (0.25, 0.0, 1.0):
        page.mouse.move(box["x"] + uncovered(page) * box["width"], box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.mouse.up()
        assert uncovered(page) == pytest.approx(share, abs=0.02)  # the line is where the finger is


def test_the_slider_by_keyboard(visit, painted):
    page = visit(painted)
    slider = page.get_by_role("slider")
    for _ in range(12):
        page.keyboard.press("Tab")
        if slider.evaluate("one => one === document.activeElement"):
            break
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("51")
    expect(slider).to_have_attribute("aria-valuetext", "51 % photo, 49 % pastiche")
    page.keyboard.press("Home")
    assert uncovered(page) == pytest.approx(0, abs=0.01)
    ring = page.locator(".compare-line").evaluate("line => getComputedStyle(line, '::after').outlineStyle")
    assert ring == "solid"


def test_without_javascript_the_pictures_are_side_by_side(visit, painted):
    page = visit(painted, java_script_enabled=False)
    expect(page.get_by_role("slider")).to_have_count(0)
    after, before = page.get_by_alt_text("Your photo, painted in Flow"), page.get_by_alt_text("Your photo", exact=True)
    a, b = after.bounding_box(), before.bounding_box()
    assert a["y"] == b["y"]
    assert a["x"] + a["width"] < b["x"]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("name", "kind"), [("Download PNG", "png"), ("JPEG", "jpeg"), ("WebP", "webp")])
def test_downloads(visit, painted, scripts, name, kind):
    page = visit(painted, java_script_enabled=scripts)
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    assert download.value.suggested_filename == f"{'x' * 60}-pastiche.{kind}"
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).format == kind.upper()


@pytest.mark.parametrize("settings", [{"viewport": {"width": 1280, "height": 900}}, PHONE])
def test_the_slider_covers_nothing_but_the_picture(visit, painted, settings):
    page = visit(painted, **settings)
    covered = page.locator("main a:visible, nav a:visible").evaluate_all(
        """links => links.filter(link => {
            link.scrollIntoView({block: "center"});
            const box = link.getBoundingClientRect();
            return !link.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
        }).map(link => link.textContent)"""
    )
    assert covered == []


def test_make_another_like_this(visit, painted):
    page = visit(painted)
    page.get_by_role("link", name="Make another like this").click()
    page.wait_for_url(f"**/?from={painted[9:]}")


@pytest.mark.parametrize("scripts", [True, False])
def test_deleted_when_asked_twice(visit, painted, scripts):
    page = visit(painted, java_script_enabled=scripts)
    sure = page.get_by_role("button", name="Yes, delete it")
    expect(sure).to_be_hidden()
    page.locator("summary", has_text="Delete it now").focus()
    page.keyboard.press("Enter")
    sure.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The picture is deleted.")
    expect(page.get_by_text("Nothing hangs here yet")).to_be_visible()
    assert page.goto(painted).status == 404


def test_on_a_phone(visit, stand, photo_png):
    file = io.BytesIO()
    Image.new("RGB", (900, 1600), "teal").save(file, "PNG")
    tall = "/results/" + add_result(stand.app, "ann", file.getvalue(), name="x" * 60)
    page = visit(tall, **PHONE)
    assert_fits(page)
    assert_aligned(page)
    height = page.locator(".compare-after img").bounding_box()["height"]
    assert height <= PHONE["viewport"]["height"]
    box = page.locator(".compare-slider").bounding_box()
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + 50)
    assert uncovered(page) == pytest.approx(0.8, abs=0.05)
    assert page.get_by_role("slider").evaluate("one => getComputedStyle(one).touchAction") == "pan-y"  # scrolls still


def test_a_stopped_one_is_labelled(visit, stand, photo_png):
    page = visit("/results/" + add_result(stand.app, "ann", photo_png, complete=False))
    expect(page.get_by_text("You stopped this one early")).to_be_visible()
