"""The page as people use it."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 375, "height": 720}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SLOW = 60_000  # ms, for the first picture, which loads the model


def fill(page: Page, files) -> None:
    photo, painting = files
    page.get_by_label("Photo", exact=True).set_input_files(photo)
    page.get_by_label("Painting", exact=True).set_input_files(painting)
    page.get_by_label("Long side").select_option("512")


def assert_painted(page: Page) -> None:
    result = page.get_by_role("region", name="Your pastiche")
    expect(result).to_be_visible(timeout=SLOW)
    expect(result.locator("#facts")).to_contain_text("weights", timeout=SLOW)
    for picture in result.get_by_role("img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("picture => picture.naturalWidth") > 0


def downloaded(page: Page) -> tuple[str, Image.Image]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    file = download.value
    return file.suggested_filename, Image.open(io.BytesIO(file.path().read_bytes()))


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_photo_and_painting_give_a_pastiche_to_download(new_page, files):
    page = new_page()
    fill(page, files)
    expect(page.locator(".zone img:visible")).to_have_count(2)
    page.get_by_role("button", name="Paint it").click()
    assert_painted(page)
    expect(page.get_by_role("status")).to_have_text("Painted.")
    name, picture = downloaded(page)
    assert name == "photo-pastiche.png"
    assert max(picture.size) == 512
    page.get_by_label("File").select_option("webp")
    page.get_by_role("button", name="Paint it").click()
    expect(page.get_by_role("link", name="Download")).to_have_attribute("download", "photo-pastiche.webp", timeout=SLOW)
    assert downloaded(page)[1].format == "WEBP"


def test_without_javascript(new_page, files):
    page = new_page(java_script_enabled=False)
    fill(page, files)
    page.get_by_role("button", name="Paint it").click()
    assert_painted(page)
    name, picture = downloaded(page)
    assert (name, picture.format) == ("pastiche.png", "PNG")


def test_without_javascript_a_refusal_is_beside_its_field(new_page, files, tmp_path):
    page = new_page(java_script_enabled=False)
    fill(page, files)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_label("Photo", exact=True).set_input_files(broken)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#content-problem")).to_contain_text("not a picture", timeout=SLOW)
    expect(page.get_by_label("Long side")).to_have_value("512")


def test_what_is_missing_is_told_beside_its_field(new_page, files):
    page = new_page()
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#content-problem")).to_have_text("Choose a photo first.")
    expect(page.locator("#style-problem")).to_have_text("Choose a painting first.")
    expect(page.get_by_label("Photo", exact=True)).to_be_focused()
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    expect(page.locator("#content-problem")).to_be_hidden()


def test_a_refusal_of_the_server_is_told_beside_its_field(new_page, files, tmp_path):
    page = new_page()
    fill(page, files)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    page.get_by_label("Painting", exact=True).set_input_files(broken)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#style-problem")).to_contain_text("not a picture", timeout=SLOW)
    expect(page.get_by_label("Painting", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("region", name="Your pastiche")).to_be_hidden()
    page.get_by_label("Painting", exact=True).set_input_files(files[1])
    page.get_by_role("button", name="Paint it").click()
    assert_painted(page)


def test_busy_server_is_told(new_page, files):
    page = new_page()
    body = '{"error": {"code": "busy", "message": "The server is busy."}}'
    page.route("**/api/v1/stylize", lambda route: route.fulfill(status=503, body=body))
    fill(page, files)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#form-problem")).to_have_text("The server is busy.")
    page.unroute("**/api/v1/stylize")
    page.route("**/api/v1/stylize", lambda route: route.abort())
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#form-problem")).to_contain_text("could not be reached")


def test_progress_is_shown_and_can_be_cancelled(new_page, files):
    page = new_page()
    page.route("**/api/v1/stylize", lambda route: None)  # never answered
    fill(page, files)
    page.get_by_role("button", name="Paint it").click()
    expect(page.get_by_role("status")).to_contain_text("Painting…")
    expect(page.get_by_role("button", name="Paint it")).to_be_disabled()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Paint it")).to_be_enabled()
    expect(page.get_by_role("region", name="Your pastiche")).to_be_hidden()


def test_what_is_read_aloud_is_not_held_back(new_page, files):
    page = new_page()
    page.route("**/api/v1/stylize", lambda route: None)  # never answered
    fill(page, files)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("[aria-busy=true]")).to_have_id("result")  # and not the form, which has the status in it
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_the_photo_may_be_taken_away_while_it_is_painted(new_page, files, photo_png):
    page = new_page()
    held = []
    page.route("**/api/v1/stylize", lambda route: held.append(route))
    fill(page, files)
    with page.expect_request("**/api/v1/stylize"):
        page.get_by_role("button", name="Paint it").click()
    page.get_by_label("Photo", exact=True).set_input_files([])
    headers = {"X-Style-Seconds": "1", "X-Style-Weights": "none"}
    held[0].fulfill(body=photo_png, content_type="image/png", headers=headers)
    expect(page.get_by_role("status")).to_have_text("Painted.")
    expect(page.get_by_role("link", name="Download")).to_have_attribute("download", "photo-pastiche.png")


def test_a_fault_of_the_page_is_not_blamed_on_the_network(new_page, files):
    page = new_page()
    page.route("**/api/v1/stylize", lambda route: route.fulfill(body="no picture", content_type="image/png"))
    fill(page, files)
    page.get_by_role("button", name="Paint it").click()
    expect(page.locator("#form-problem")).to_contain_text("This page could not show the picture")


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pictures_are_pasted_and_dropped(new_page, files, photo_png, kind):
    page = new_page()
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            return transfer;
        }""",
        list(photo_png),
    )
    if kind == "paste":
        for _ in range(2):
            page.evaluate(
                "data => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))", transfer
            )
        expect(page.locator(".zone img:visible")).to_have_count(2)  # the first is the photo, the next the painting
    else:
        page.evaluate(
            """data => document.querySelector("#style-zone").dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }))""",
            transfer,
        )
        assert page.url.endswith("/")
    expect(page.locator("#style-hint")).to_contain_text("pasted.png" if kind == "paste" else "browse")


def test_keyboard_alone(new_page, files):
    page = new_page()
    fill(page, files)
    page.get_by_label("Photo", exact=True).focus()
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id"))
    assert order == ["style", "strength", "size", "format", "go"]
    page.get_by_label(re.compile("Strength")).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#strength-value")).to_have_text("95 %")
    page.get_by_role("button", name="Paint it").focus()
    page.keyboard.press("Enter")
    assert_painted(page)
    expect(page.get_by_role("region", name="Your pastiche")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Download")).to_be_focused()


def test_on_a_phone(new_page, files):
    page = new_page(**PHONE)
    assert_fits(page)
    fill(page, files)
    page.get_by_role("button", name="Paint it").tap()
    assert_painted(page)
    assert_fits(page)
    small = page.locator("button:visible, select:visible, a.button:visible").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
    )
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(new_page, scheme):
    page = new_page(color_scheme=scheme)
    luminance = """element => {
        const [r, g, b] = getComputedStyle(document.body)[element].match(/[0-9.]+/g).map(Number);
        return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    }"""
    wall, ink = page.evaluate(luminance, "backgroundColor"), page.evaluate(luminance, "color")
    assert (wall > ink) == (scheme == "light")
    assert abs(wall - ink) > 0.7
