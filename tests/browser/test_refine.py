"""Refining a result: the panel on its page, the page that shows how it goes, and the picture that comes of it."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.axe import violations
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits, expect_loaded, standing
from tests.support.stored_results import add_result

pytestmark = [pytest.mark.browser, LEFT_OPEN]
LONG, PAUSE = 60, 0.25  # steps and seconds of each, where a test needs time to look


@pytest.fixture
def stand(painter, tmp_path):
    with standing(tmp_path / "data", painter, worker=True) as stand:
        yield stand


@pytest.fixture
def painted(stand, photo_png, painting_png):
    return "/results/" + add_result(stand.app, "ann", photo_png, painting_png)


@pytest.fixture
def refining(visit, painted, painter):
    """Opens the page of a refinement that takes its time."""

    def begun(**settings) -> Page:
        painter.steps, painter.pause = LONG, PAUSE
        page = visit(painted, **settings)
        refine(page)
        return page

    return begun


def refine(page: Page, preset: str = "Fast") -> None:
    page.get_by_role("radio", name=preset).check()
    page.get_by_role("button", name="Refine").click()
    page.wait_for_url("**/jobs/*")


def expect_losses(page: Page) -> None:
    expect(page.locator("#losses-summary")).to_contain_text(re.compile(r"Style loss\s+0\.38 → 0\.\d+"))


def curve(page: Page) -> str:
    """The points of the style's."""
    expect(page.locator("polyline.loss-style")).to_have_attribute("points", re.compile(r"\d \d"))
    return page.locator("polyline.loss-style").get_attribute("points")


def paused(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()


def colour_of(page: Page) -> tuple[int, ...]:
    """Of the downloaded picture's first pixel."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").click()
    picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert picture.format == "PNG"
    return picture.convert("RGB").getpixel((0, 0))


def test_picture_and_curve_change_until_the_result(visit, painted, painter):
    painter.steps, painter.pause, painter.notes = 14, 0.4, ("It was a quiet day.",)
    page = visit(painted)
    before = colour_of(page)
    refine(page, "Best")
    expect(page.get_by_role("heading", name="Refining your picture")).to_be_visible()
    picture = page.get_by_role("img", name="The picture so far")
    expect_losses(page)
    first, drawn = picture.get_attribute("src"), curve(page)
    expect(picture).not_to_have_attribute("src", first)
    expect(page.locator("polyline.loss-style")).not_to_have_attribute("points", drawn)
    expect(page.get_by_role("status")).to_contain_text("of 14 · about")
    page.wait_for_url("**/results/*")
    assert colour_of(page) != before
    expect(page.get_by_text("Best, 14 steps")).to_be_visible()
    expect(page.get_by_text("It was a quiet day.", exact=True)).to_be_visible()
    expect_losses(page)
    assert curve(page)
    page.get_by_role("link", name="Make another like this").click()
    page.wait_for_url("**/explore?from=*")


@pytest.mark.parametrize(("preset", "jumps"), [("Balanced", 1), ("Best", 0)])
def test_where_the_curves_jump_is_said_of_several_sizes(visit, painted, painter, preset, jumps):
    painter.steps, painter.pause = LONG, PAUSE
    page = visit(painted)
    refine(page, preset)
    expect_losses(page)
    said = re.compile("where the curves jump, the picture became larger")
    expect(page.locator("#losses").get_by_text(said)).to_have_count(jumps)
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/results/*")
    expect(page.locator("#losses").get_by_text(said)).to_have_count(jumps)


def test_paused_it_rests_and_goes_on(refining):
    page = refining()
    expect_losses(page)
    paused(page)
    told = page.get_by_role("status").inner_text()
    assert re.fullmatch(rf"Paused at step \d+ of {LONG}", told)
    expect(page.get_by_role("img", name="The picture so far")).to_be_visible()
    page.reload()
    expect(page.get_by_role("status")).to_have_text(told)
    expect_losses(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Refining your picture")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(f"of {LONG} · about")
    assert step(page) >= int(told.split()[3])


def step(page: Page) -> int:
    return int(page.get_by_role("status").inner_text().split()[1])


@pytest.mark.parametrize("first", [lambda page: None, paused], ids=["running", "paused"])
def test_stopped_it_keeps_the_best(refining, first):
    page = refining()
    expect_losses(page)
    first(page)
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/results/*")
    expect(page.get_by_text("the best there was")).to_be_visible()
    expect(page.get_by_text(re.compile(rf"Fast, \d+ of {LONG} steps"))).to_be_visible()
    assert colour_of(page)


def test_a_paused_one_is_found_in_the_history(refining):
    page = refining()
    expect_losses(page)
    paused(page)
    page.get_by_role("link", name="History").first.click()
    resting = page.get_by_role("region", name="Not done yet").get_by_role("listitem")
    expect(resting).to_contain_text(re.compile(rf"Paused · step \d+ of {LONG} · 3 days left"))
    expect_loaded(page.locator(".is-paused img"))
    resting.get_by_role("link").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def test_a_paused_one_is_deleted(refining):
    page = refining(**PHONE)
    delete = page.locator(".job-delete")
    expect_losses(page)
    expect(delete).to_be_hidden()
    paused(page)
    delete.get_by_text("Delete it", exact=True).click()
    assert_fits(page)
    assert violations(page) == ""
    page.get_by_role("button", name="Yes, delete it").click()
    page.wait_for_url("**/history")
    expect(page.get_by_text("The picture is deleted.")).to_be_visible()
    expect(page.get_by_role("region", name="Not done yet")).to_have_count(0)


def test_by_keyboard(visit, painted, painter):
    painter.steps, painter.pause = LONG, PAUSE
    page = visit(painted)
    page.get_by_role("radio", name="Balanced").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Fast")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Refine")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")
    expect_losses(page)
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Go on")).to_be_focused()  # the same button still
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Stop and keep")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/*")


def test_on_a_phone(refining, painted):
    page = refining(**PHONE)
    expect_losses(page)
    assert_fits(page)
    line, window = page.locator("svg.losses-curve").bounding_box(), PHONE["viewport"]["width"]
    assert 0 <= line["x"] < line["x"] + line["width"] <= window
    paused(page)
    assert_fits(page)
    page.goto(painted)
    assert_fits(page)


def test_without_javascript(visit, painted, painter):
    painter.steps, painter.pause = 40, 0.4
    page = visit(painted, java_script_enabled=False)
    refine(page)
    expect_losses(page)  # the page reloads itself
    expect(page.get_by_role("status")).to_contain_text("Step")
    expect(page.locator("svg")).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/results/*")
    expect_losses(page)
    expect(page.get_by_text(re.compile(r"Fast, \d+ of 40 steps"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violation_in_light_or_dark(refining, scheme):
    page = refining(color_scheme=scheme, reduced_motion="reduce")
    expect_losses(page)
    assert violations(page) == ""
    paused(page)
    assert violations(page) == ""
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/results/*")
    assert curve(page)
    assert violations(page) == ""


def test_the_curve_follows_the_light(refining):
    page = refining(color_scheme="dark")
    curve(page)
    style = "line => getComputedStyle(line).stroke"
    dark = page.locator("polyline.loss-style").evaluate(style)
    page.emulate_media(color_scheme="light")
    assert page.locator("polyline.loss-style").evaluate(style) != dark


def test_a_refusal_to_go_on_is_told(refining):
    page = refining()
    expect_losses(page)
    paused(page)
    refusal = {"error": {"code": "queue_full", "message": "Too many wait."}}
    page.route("**/resume", lambda route: route.fulfill(status=503, json=refusal))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_have_text("Too many wait.")
    page.unroute("**/resume")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Refining your picture")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
