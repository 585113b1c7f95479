"""Create, explore and job pages in a browser that runs no scripts."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.storage import gallery
from model.errors import BrokenImage
from tests.support.browsers import LEFT_OPEN
from tests.support.create_page import KEEP_COLOURS

pytestmark = [pytest.mark.browser, LEFT_OPEN]

FLOW, OTHER, THIRD = (style.name for style in gallery.shipped()[:3])
PHONE = {"viewport": {"width": 375, "height": 720}, "device_scale_factor": 2}


@pytest.fixture
def open_page(new_page):
    def opened(url="/", **settings) -> Page:
        return new_page(url, java_script_enabled=False, **settings)

    return opened


def fill(page: Page, files) -> None:
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()
    page.get_by_label("Long side").select_option("512")


def paint(page: Page) -> None:
    page.get_by_role("button", name="Paint it").click()


def test_photo_and_style_give_a_result(open_page, files, painter):
    painter.steps, painter.pause = 4, 1
    page = open_page()
    fill(page, files)
    paint(page)
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("status")).to_contain_text("Step")  # the page reloads itself
    page.wait_for_url("**/results/*")


def test_a_blend_of_own_and_shipped(open_page, files):
    page = open_page()
    fill(page, files)
    slider = page.get_by_role("slider", name=f"How much of {OTHER}", exact=True)
    expect(slider).to_be_hidden()
    page.get_by_role("checkbox", name=OTHER, exact=True).check()
    expect(slider).to_be_visible()
    expect(page.get_by_role("slider", name=f"How much of {FLOW}", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name=f"How much of {THIRD}", exact=True)).to_be_hidden()
    slider.press("End")
    page.get_by_label("Your own painting", exact=True).set_input_files(files[1])
    paint(page)
    page.wait_for_url("**/results/*")
    for told in (f"{FLOW} 25 %", f"{OTHER} 50 %", "painting 25 %"):
        expect(page.get_by_text(re.compile(told))).to_be_visible()


def test_another_like_this(open_page, files):
    page = open_page()
    fill(page, files)
    paint(page)
    page.wait_for_url("**/results/*")
    page.get_by_role("link", name="Make another like this").click()
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()
    first = page.url
    paint(page)
    page.wait_for_url("**/results/*")
    assert page.url != first


def test_a_print_and_colours(open_page, files):
    page = open_page()
    fill(page, files)
    expect(page.get_by_label("Wide")).to_be_hidden()
    page.get_by_label("Long side").select_option("print")
    page.get_by_label("Wide").fill("4")
    page.get_by_label("High").fill("3")
    page.get_by_label("Dots an inch").fill("200")
    page.locator("#more > summary").click()
    page.get_by_label(KEEP_COLOURS).press("End")
    page.get_by_label("Brush size").select_option("0.5")
    page.get_by_label("Even strength").check()
    paint(page)
    page.wait_for_url("**/results/*")
    expect(page.get_by_text(re.compile("315 \u00d7 "))).to_be_visible()  # 4 cm at 200 dots an inch
    page.get_by_role("link", name="Make another like this").click()
    expect(page.get_by_label(KEEP_COLOURS)).to_have_value("1")
    expect(page.get_by_label("Brush size")).to_have_value("0.5")
    expect(page.get_by_label("Even strength")).to_be_checked()
    expect(page.get_by_label("Wide")).to_have_value("4")


def test_cancel(open_page, files, painter):
    painter.steps, painter.pause = 60, 0.3
    page = open_page()
    fill(page, files)
    paint(page)
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("status")).to_contain_text("Step")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/results/*")


def test_a_failed_job_says_why(open_page, files, painter):
    painter.job_error = BrokenImage("The photo is broken.", "content")
    page = open_page()
    fill(page, files)
    paint(page)
    expect(page.get_by_role("alert")).to_have_text("The photo is broken.")
    page.get_by_role("link", name="Back to the settings").click()
    expect(page.get_by_label("Long side")).to_have_value("512")
    expect(page.locator(".notice:visible")).to_contain_text("once more")


def test_keep_nothing(open_page, files):
    page = open_page()
    fill(page, files)
    page.get_by_label("Keep nothing on the server").check()
    paint(page)
    expect(page.get_by_role("region", name="Your pastiche").get_by_role("img")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).format == "PNG"


def test_a_refusal_is_beside_its_field(open_page, files, tmp_path):
    page = open_page()
    fill(page, files)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_label("Photo", exact=True).set_input_files(broken)
    paint(page)
    expect(page.locator("#content-problem")).to_contain_text("not a picture")
    expect(page.get_by_label("Long side")).to_have_value("512")
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()


def test_the_controls_of_a_preset_and_of_an_encoder(open_page, files):
    page = open_page("/explore")
    page.get_by_role("checkbox", name=FLOW, exact=True).check()
    page.get_by_label("Preset").select_option("stransfer")
    page.get_by_role("button", name="Start from it").click()
    expect(page.get_by_label("Style weight")).to_have_value("1000")
    page.get_by_label("Style weight").fill("500")
    page.get_by_label("Encoder").select_option("densenet121")
    page.get_by_role("button", name="Show its layers").click()
    expect(page.get_by_label("Style at conv2_block3_concat")).to_have_value("1")
    expect(page.get_by_label("Style weight")).to_have_value("500")
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("button", name="Refine it").click()
    page.wait_for_url("**/results/*")


def test_a_control_that_is_refused(open_page, files):
    page = open_page("/explore")
    fill_explore(page, files)
    page.get_by_text("How it descends").click()
    page.get_by_label("Rate").fill("7")
    page.get_by_role("button", name="Refine it").click()
    expect(page.locator("#rate-problem")).to_contain_text("1 or less")
    expect(page.get_by_label("Rate")).to_have_value("7")
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()


def fill_explore(page: Page, files) -> None:
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()


@pytest.mark.parametrize("url", ["/", "/explore"])
def test_the_phone_holds_it(open_page, url):
    page = open_page(url, **PHONE)
    for name in ("Photo", "Your own painting"):
        box = page.get_by_label(name, exact=True).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
