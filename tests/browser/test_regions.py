"""Only parts of the photo: brushed on the create page, and what arrives of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.storage import gallery
from tests.support.axe import violations
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits
from tests.support.fake_painter import Call

pytestmark = [pytest.mark.browser, LEFT_OPEN]

FLOW, OTHER = (style.name for style in gallery.shipped()[:2])
LEFT, RIGHT = (slice(40, 56), slice(20, 40)), (slice(40, 56), slice(90, 110))  # rows and columns of the small photo


@dataclass(frozen=True)
class Heard:
    """An order as the painter heard of it."""

    masks: list[np.ndarray | str]
    options: Any
    is_job: bool


def grey(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


@pytest.fixture
def heard(painter) -> list[Heard]:
    orders = []

    def listen(call: Call) -> None:
        if call.method == "stylize":
            masks = [mask if isinstance(mask, str) else grey(mask) for mask in call.arguments["masks"]]
            orders.append(Heard(masks, call.arguments["options"], call.arguments["on_step"] is not None))

    painter.on_call = listen
    return orders


def job(orders: list[Heard]) -> Heard:
    (order,) = [order for order in orders if order.is_job]
    return order


@pytest.fixture
def open_page(new_page, files):
    """The page with a photo and a style, and the panel open."""

    def opened(photo=files[0], styles=(FLOW,), **settings) -> Page:
        page = new_page(**settings)
        page.get_by_label("Photo", exact=True).set_input_files(photo)
        for name in styles:
            page.get_by_role("checkbox", name=name, exact=True).check()
        page.locator("#regions > summary").click()
        expect(canvas(page)).to_be_visible()
        return page

    return opened


def canvas(page: Page):
    return page.locator("#brush-canvas")


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Shares of the picture -> the place on the screen."""
    box = canvas(page).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def stroke(page: Page, *places: tuple[float, float]) -> None:
    canvas(page).scroll_into_view_if_needed()
    page.mouse.move(*point(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*point(page, *place), steps=4)
    page.mouse.up()


def covers(page: Page) -> str:
    return page.locator("#brush-status").text_content() or ""


def press(page: Page, name: str) -> None:
    page.locator("#regions").get_by_role("button", name=name, exact=True).click()


def paint(page: Page) -> None:
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/results/*")


def result(page: Page) -> np.ndarray:
    answer = page.request.get(f"/api/v1/jobs/{page.url.rpartition('/')[2]}/result")
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))


def test_a_part_is_brushed_and_the_rest_stays_the_photo(open_page, heard, photo_png):
    page = open_page()
    stroke(page, (0.15, 0.5), (0.35, 0.5))
    expect(page.locator("#brush-status")).to_contain_text("What you brushed covers")
    paint(page)
    (mask,) = job(heard).masks
    assert mask.shape == (96, 128)
    assert mask[46:50, 24:40].min() == 255
    assert mask[:20].max() == mask[:, 70:].max() == 0
    photo, pastiche = np.asarray(Image.open(io.BytesIO(photo_png))), result(page)
    assert (pastiche[mask == 0] == photo[mask == 0]).all()
    assert (pastiche[mask == 255] != photo[mask == 255]).any(axis=1).mean() > 0.95


def test_what_is_brushed_stays_the_photo_when_it_is_turned_round(open_page, heard, photo_png):
    page = open_page()
    stroke(page, (0.15, 0.5), (0.35, 0.5))
    page.get_by_label("What is brushed").select_option("outside")
    page.get_by_label("Soft edge").fill("2.5")
    paint(page)
    order = job(heard)
    assert (order.options.paint, order.options.feather) == ("outside", 2.5)
    photo, pastiche = np.asarray(Image.open(io.BytesIO(photo_png))), result(page)
    assert (pastiche[47:49, 28:36] == photo[47:49, 28:36]).all()
    assert (pastiche[:, 70:] != photo[:, 70:]).any(axis=2).mean() > 0.95


def test_undo_redo_erase_and_clear(open_page):
    page = open_page()
    empty, told = "Nothing is brushed here yet.", page.locator("#brush-status")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    stroke(page, (0.1, 0.5), (0.9, 0.5))
    once = covers(page)
    stroke(page, (0.1, 0.8), (0.9, 0.8))
    twice = covers(page)
    assert once != twice
    press(page, "Undo")
    expect(told).to_have_text(once)
    page.keyboard.press("Control+z")
    expect(told).to_have_text(empty)
    for after in (once, twice):
        page.keyboard.press("Control+Shift+Z")
        expect(told).to_have_text(after)
    press(page, "Eraser")
    stroke(page, (0.1, 0.8), (0.9, 0.8))
    expect(told).to_have_text(once)
    press(page, "Clear")
    expect(told).to_have_text(empty)
    press(page, "Undo")
    expect(told).to_have_text(once)


def test_the_keyboard_brushes(open_page, heard):
    page = open_page()
    canvas(page).focus()
    page.keyboard.press("]")
    expect(page.locator("#brush-size-value")).to_have_text("12 %")
    expect(page.locator("#brush-ring")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Shift+ArrowLeft")  # as far as it goes
    page.keyboard.press("Space")
    expect(page.locator("#brush-status")).to_contain_text("covers")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.url.endswith("/")
    paint(page)
    (mask,) = job(heard).masks
    assert mask[48, 2] == 255
    assert mask[:, 40:].max() == 0


def test_a_finger_brushes_and_the_page_stays(open_page):
    page = open_page(**PHONE)
    expect(page.locator("#preview")).to_be_visible()
    canvas(page).scroll_into_view_if_needed()
    at, before = point(page, 0.5, 0.6), page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    for kind, y in (("touchStart", 0), ("touchMove", 25), ("touchMove", 50), ("touchEnd", None)):
        places = [] if y is None else [{"x": at[0], "y": at[1] - y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    expect(page.locator("#brush-status")).to_contain_text("covers")
    assert page.evaluate("scrollY") == before
    assert_fits(page)


def test_regions_have_styles_and_strengths_of_their_own(open_page, heard):
    page = open_page(styles=(FLOW, OTHER))
    stroke(page, (0.15, 0.5), (0.3, 0.5))
    press(page, "Add a region")
    expect(page.locator(".region.is-chosen .region-summary")).to_contain_text("left out")
    stroke(page, (0.7, 0.5), (0.85, 0.5))
    page.get_by_label("Region 2: Style").select_option(f"Only {OTHER}")
    page.get_by_label("Region 2: Strength").fill("0.4")
    press(page, "Add a region")  # and nothing is brushed there
    page.get_by_label("Strength", exact=False).first.fill("0.8")
    paint(page)
    order = job(heard)
    assert order.options.region_styles == [0, 2]
    assert order.options.region_strengths == [0.8, 0.4]
    left, right = order.masks
    assert left[LEFT].mean() > right[LEFT].mean() == 0
    assert right[RIGHT].mean() > left[RIGHT].mean() == 0


def test_the_style_of_a_region_follows_its_card(open_page, heard):
    page = open_page(styles=(FLOW, OTHER))
    stroke(page, (0.15, 0.5), (0.3, 0.5))
    page.get_by_label("Region 1: Style").select_option(f"Only {OTHER}")
    page.get_by_role("checkbox", name=FLOW, exact=True).uncheck()
    expect(page.get_by_label("Region 1: Style")).to_be_hidden()
    paint(page)
    assert job(heard).options.region_styles == [1]


def test_the_order_of_the_list_is_that_of_the_layers(open_page, heard):
    page = open_page()
    stroke(page, (0.2, 0.5))
    press(page, "Add a region")
    press(page, "everywhere")
    press(page, "Move Region 2 up")
    expect(page.locator(".region-name")).to_have_text(["Region 2", "Region 1"])
    expect(page.get_by_role("button", name="Move Region 2 down")).to_be_focused()
    paint(page)
    word, mask = job(heard).masks
    assert word == "everywhere"
    assert 0 < (mask > 0).mean() < 0.1


def test_everywhere_above_a_brushed_region_keeps_its_place(open_page, heard):
    page = open_page()
    stroke(page, (0.2, 0.5))
    press(page, "Add a region")
    press(page, "everywhere")
    paint(page)
    lower, upper = job(heard).masks
    assert lower.mean() < 30
    assert upper.min() == 255


def test_removing_a_region_can_be_taken_back(open_page):
    page = open_page()
    stroke(page, (0.2, 0.5))
    press(page, "Add a region")
    page.get_by_role("button", name="Remove Region 1").click()
    expect(page.locator(".region-name")).to_have_text(["Region 2"])
    expect(page.locator("#regions-summary")).to_contain_text("nothing is brushed")
    press(page, "Bring it back")
    expect(page.locator(".region-name")).to_have_text(["Region 1", "Region 2"])
    expect(page.locator("#brush-status")).to_contain_text("Region 1 covers")


def test_up_to_eight_regions(open_page):
    page = open_page()
    for _ in range(7):
        press(page, "Add a region")
    expect(page.get_by_role("button", name="Add a region")).to_be_hidden()
    expect(page.locator(".region")).to_have_count(8)


def test_the_photos_own_clear_parts(open_page, heard, photo, tmp_path):
    rgba = np.dstack([(photo * 255).astype("uint8"), np.full(photo.shape[:2], 255, "uint8")])
    rgba[:, :64, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    page = open_page(tmp_path / "clear.png")
    press(page, "where the photo is not transparent")
    expect(page.locator("#brush-status")).to_contain_text("50 %")
    paint(page)
    assert job(heard).masks == ["alpha"]
    (small,) = [order.masks[0] for order in heard if order.masks and not order.is_job][-1:]
    assert (small[:, :60].max(), small[:, 70:].min()) == (0, 255)


def test_a_photo_without_clear_parts_does_not_offer_them(open_page):
    page = open_page()
    expect(page.get_by_role("button", name="where the photo is not transparent")).to_be_hidden()


def test_a_mask_from_a_file(open_page, heard, tmp_path):
    page = open_page()
    Image.new("L", (64, 64), 255).save(tmp_path / "square.png")
    page.locator("#mask").set_input_files(tmp_path / "square.png")
    expect(page.locator("#mask-problem")).to_contain_text("64")
    half = Image.new("L", (256, 192))
    half.paste(255, (0, 0, 128, 192))
    half.save(tmp_path / "half.png")
    page.locator("#mask").set_input_files(tmp_path / "half.png")
    expect(page.locator("#brush-status")).to_contain_text("50 %")
    expect(page.locator("#mask-problem")).to_be_hidden()
    paint(page)
    (mask,) = job(heard).masks
    assert (mask[:, :62].min(), mask[:, 66:].max()) == (255, 0)


def test_closed_or_empty_nothing_is_sent(open_page, heard):
    page = open_page()
    expect(page.locator("#regions-summary")).to_contain_text("nothing is brushed yet")
    stroke(page, (0.2, 0.5))
    expect(page.locator("#regions-summary")).to_have_text("1 region")
    page.locator("#regions > summary").click()
    expect(page.locator("#regions-summary")).to_contain_text("off, so all of it is painted")
    paint(page)
    assert job(heard).masks == []


def until(page: Page, told) -> None:
    """Waits for what is not on the page."""
    for _ in range(100):
        if told():
            return
        page.wait_for_timeout(50)
    pytest.fail("It did not come to pass.")


def test_the_preview_follows(open_page, heard):
    page = open_page()
    expect(page.locator("#preview")).to_be_visible()
    stroke(page, (0.2, 0.5))
    until(page, lambda: heard[-1].masks and heard[-1].masks[0].max() == 255)
    assert not any(order.is_job for order in heard)
    press(page, "Undo")
    until(page, lambda: heard[-1].masks == [])
    press(page, "Redo")
    until(page, lambda: heard[-1].masks)
    page.locator("#regions > summary").click()
    until(page, lambda: heard[-1].masks == [])


def test_a_photo_of_the_same_proportions_keeps_what_was_brushed(open_page, tmp_path):
    page = open_page()
    stroke(page, (0.1, 0.5), (0.9, 0.5))
    once = covers(page)
    for size in ((256, 192), (300, 100)):
        Image.new("RGB", size, "teal").save(tmp_path / f"{size[0]}.png")
    page.get_by_label("Photo", exact=True).set_input_files(tmp_path / "256.png")
    expect(page.locator("#content-hint")).to_contain_text("256.png")
    expect(page.locator("#brush-status")).to_have_text(once)
    page.get_by_label("Photo", exact=True).set_input_files(tmp_path / "300.png")
    expect(page.locator("#regions-notice")).to_contain_text("other proportions")
    expect(page.locator("#brush-status")).to_have_text("Nothing is brushed here yet.")
    press(page, "Bring it back, stretched")
    expect(page.locator("#brush-status")).to_contain_text("covers")
    expect(page.locator("#regions-notice")).to_be_hidden()


def test_without_a_photo_it_says_so(new_page):
    page = new_page()
    page.locator("#regions > summary").click()
    expect(page.locator("#regions-placeholder")).to_contain_text("Choose a photo first")
    expect(canvas(page)).to_be_hidden()


def test_another_like_this_has_the_same_regions(open_page, heard):
    page = open_page(styles=(FLOW, OTHER))
    press(page, "everywhere")
    press(page, "Add a region")
    stroke(page, (0.7, 0.5), (0.85, 0.5))
    page.get_by_label("Region 2: Style").select_option(f"Only {OTHER}")
    page.get_by_label("Region 2: Strength").fill("0.4")
    page.get_by_label("Soft edge").fill("3")
    paint(page)
    first = job(heard)
    page.get_by_role("link", name="Make another like this").click()
    expect(page.locator(".region")).to_have_count(2)
    expect(page.locator("#regions-summary")).to_have_text("2 regions")
    expect(page.get_by_label("Soft edge")).to_have_value("3")
    heard.clear()
    paint(page)
    again = job(heard)
    assert again.masks[0] == "everywhere"
    assert np.abs(again.masks[1].astype(int) - first.masks[1]).max() <= 1
    assert again.options == first.options


def test_a_refused_mask_is_told_in_the_panel(open_page):
    page = open_page()
    stroke(page, (0.2, 0.5))
    body = json.dumps({"error": {"code": "invalid_option", "message": "This mask does not do.", "field": "mask"}})
    page.route("**/api/v1/jobs", lambda route: route.fulfill(status=422, body=body))
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#mask-problem")).to_have_text("This mask does not do.")
    expect(page.locator("#regions > summary")).to_be_focused()
    expect(page.locator("#mask-problem")).to_be_visible()


def test_what_is_wrong_with_paint_is_told_at_its_control(open_page):
    page = open_page()
    stroke(page, (0.2, 0.5))
    body = json.dumps({"error": {"code": "invalid_option", "message": "Not there.", "field": "paint"}})
    page.route("**/api/v1/jobs", lambda route: route.fulfill(status=422, body=body))
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#paint-problem")).to_have_text("Not there.")
    expect(page.get_by_label("What is brushed")).to_be_focused()
    expect(page.get_by_label("What is brushed")).to_have_attribute("aria-invalid", "true")
    assert page.locator("form#paint").get_attribute("aria-invalid") is None


@pytest.mark.parametrize("settings", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme, settings):
    page = open_page(styles=(FLOW, OTHER), color_scheme=scheme, reduced_motion="reduce", **settings)
    press(page, "everywhere")
    press(page, "Add a region")
    stroke(page, (0.7, 0.5), (0.85, 0.5))
    page.get_by_label("Region 2: Strength").fill("0.4")
    assert violations(page) == ""
    assert_fits(page)


def test_without_javascript_a_mask_is_a_file(new_page, files, heard, tmp_path):
    page = new_page(java_script_enabled=False)
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()
    page.locator("#regions > summary").click()
    half = Image.new("L", (128, 96))
    half.paste(255, (0, 0, 64, 96))
    half.save(tmp_path / "half.png")
    page.get_by_label("A mask from a file").set_input_files(tmp_path / "half.png")
    page.get_by_label("What is brushed").select_option("outside")
    page.get_by_role("button", name="Paint it").click()
    page.wait_for_url("**/results/*")
    (order,) = heard
    assert (order.masks[0] == np.asarray(half)).all()
    assert order.options.paint == "outside"
