"""The chosen styles side by side on the create page, and one of them painted large."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.storage import gallery
from tests.support.axe import violations
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits
from tests.support.fake_painter import Call

pytestmark = [pytest.mark.browser, LEFT_OPEN]

FLOW, OTHER = gallery.shipped()[:2]
BUSY = json.dumps({"error": {"code": "busy", "message": "Busy."}})


@pytest.fixture
def jobs(painter) -> list:
    """Options and number of styles of what was painted as a job."""
    orders = []

    def listen(call: Call) -> None:
        if call.method == "stylize" and call.arguments["on_step"]:
            orders.append((call.arguments["options"], len(call.arguments["styles"])))

    painter.on_call = listen
    return orders


@pytest.fixture
def open_page(new_page, files):
    """The page with a photo and two styles."""

    def opened(styles=(FLOW, OTHER), **settings) -> Page:
        page = new_page(**settings)
        page.get_by_label("Photo", exact=True).set_input_files(files[0])
        for style in styles:
            page.get_by_role("checkbox", name=style.name, exact=True).check()
        return page

    return opened


def compare(page: Page) -> None:
    page.get_by_role("button", name="Compare side by side").click()


def panel(page: Page):
    return page.get_by_role("dialog", name="Side by side")


def cell(page: Page, style: str, strength: str, brush: str = "1"):
    return panel(page).get_by_role("button", name=f"{style}, strength {strength}, brush size {brush}")


def colour(button) -> np.ndarray:
    """Mean red, green and blue of a small picture."""
    pixels = button.locator("canvas").evaluate(
        "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
    )
    return np.asarray(pixels).reshape(-1, 4)[:, :3].mean(axis=0)


def test_a_small_picture_is_painted_large(open_page, jobs):
    page = open_page()
    compare(page)
    expect(panel(page).locator(".sheet-cell")).to_have_count(6)
    panel(page).get_by_label("2", exact=True).check()
    expect(panel(page).locator(".sheet-cell")).to_have_count(12)
    cell(page, OTHER.name, "75 %", "2").click()
    page.wait_for_url("**/results/*")
    ((options, styles),) = jobs
    assert (options.strength, options.style_scale, styles) == (0.75, 2, 1)
    page.get_by_role("link", name="Make another like this").click()
    expect(page.get_by_role("checkbox", name=OTHER.name, exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name=FLOW.name, exact=True)).not_to_be_checked()
    expect(page.get_by_label("Brush size")).to_have_value("2")


def test_a_painting_of_ones_own_is_painted_large(open_page, files, jobs):
    page = open_page((FLOW,))
    page.get_by_label("Your own painting", exact=True).set_input_files(files[1])
    compare(page)
    cell(page, "painting.png", "50 %").click()
    page.wait_for_url("**/results/*")
    assert [(options.strength, styles) for options, styles in jobs] == [(0.5, 1)]
    expect(page.get_by_text(re.compile("painting")).first).to_be_visible()


def test_each_small_picture_is_its_own(open_page):
    page = open_page()
    compare(page)
    panel(page).get_by_label("25 %").check()
    expect(panel(page).locator(".sheet-cell")).to_have_count(8)
    photo, near, far = (colour(cell(page, FLOW.name, share)) for share in ("25 %", "50 %", "100 %"))
    assert np.abs(near - photo).sum() < np.abs(far - photo).sum()
    assert np.abs(colour(cell(page, OTHER.name, "100 %")) - far).sum() > 3


def test_escape_closes_it_and_the_focus_is_back(open_page):
    page = open_page()
    button = page.get_by_role("button", name="Compare side by side")
    button.focus()
    page.keyboard.press("Enter")
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(button).to_be_focused()


def test_the_keyboard_reaches_a_small_picture(open_page, jobs):
    page = open_page((FLOW,))
    compare(page)
    expect(cell(page, FLOW.name, "50 %")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if cell(page, FLOW.name, "50 %").evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/*")
    assert jobs[0][0].strength == 0.5


def test_what_is_missing_is_said(open_page, new_page):
    expect(new_page().get_by_role("button", name="Compare side by side")).to_be_hidden()
    page = open_page(())
    compare(page)
    expect(panel(page).get_by_role("status")).to_contain_text("Choose the styles to compare first")
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name=FLOW.name, exact=True).check()
    compare(page)
    expect(panel(page).locator(".sheet-cell")).to_have_count(3)
    for share in ("50 %", "75 %", "100 %"):
        panel(page).get_by_label(share).uncheck()
    expect(panel(page).get_by_role("status")).to_contain_text("at least one strength")


def test_a_busy_server_is_asked_again(open_page):
    page = open_page()
    page.route("**/sheet", lambda route: route.fulfill(status=503, body=BUSY, headers={"Retry-After": "1"}), times=1)
    compare(page)
    expect(panel(page).get_by_role("status")).to_contain_text("busy")
    expect(panel(page).locator(".sheet-cell")).to_have_count(6)
    expect(panel(page).get_by_role("status")).to_be_empty()


def test_a_refusal_is_told_in_words(open_page):
    page = open_page()
    page.route("**/api/v1/sheet", lambda route: route.abort())
    compare(page)
    expect(panel(page).get_by_role("status")).to_contain_text("could not be reached")


def test_a_photo_that_the_browser_cannot_show_is_told(new_page, tmp_path):
    unseen = tmp_path / "photo.heic"
    unseen.write_bytes(b"\0\0\0\x18ftypheic, not for this browser")
    page = new_page()
    page.get_by_label("Photo", exact=True).set_input_files(unseen)
    page.get_by_role("checkbox", name=FLOW.name, exact=True).check()
    compare(page)
    expect(panel(page).get_by_role("status")).to_have_text("This browser cannot show one of these files.")


def test_the_same_is_not_asked_for_twice(open_page):
    page, asked = open_page(), []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/sheet") else None)
    for _ in range(2):
        compare(page)
        expect(panel(page).locator(".sheet-cell")).to_have_count(6)
        panel(page).get_by_role("button", name="Close").click()
    assert len(asked) == 1


@pytest.mark.parametrize("settings", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme, settings):
    page = open_page(color_scheme=scheme, reduced_motion="reduce", **settings)
    compare(page)
    expect(panel(page).locator(".sheet-cell")).to_have_count(6)
    expect(panel(page).locator(".sheet-grid")).to_have_attribute("aria-busy", "false")
    assert violations(page) == ""
    assert_fits(page)
