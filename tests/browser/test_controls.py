"""What the create page asks for besides pictures, strength, size and file."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from model.imaging import color, image_files
from model.imaging.formats import OUTPUT_FORMATS
from tests.support.browsers import LEFT_OPEN, assert_fits
from tests.support.create_page import (
    FLOW,
    KEEP_COLOURS,
    KEEP_LIGHT,
    MATCH,
    Sent,
    colour,
    expect_previewed,
    move,
    paint,
    photo,
    style,
)

pytestmark = [pytest.mark.browser, LEFT_OPEN]
SMALL = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def page(new_page, files) -> Page:
    """With a photo and a style, and all that is folded away."""
    page = new_page()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.get_by_text("More", exact=False).first.click()
    expect_previewed(page)
    return page


def choose_print(page: Page, width: str, height: str) -> None:
    page.get_by_label("Long side").select_option("print")
    page.get_by_label("Wide").fill(width)
    page.get_by_label("High").fill(height)  # and stay there: nothing waits until they leave the field


def shown(page: Page) -> np.ndarray:
    """The preview, small."""
    width, height, data = page.locator("#preview").evaluate(
        """async picture => {
            await picture.decode();
            const [width, height] = [48, 36];
            const context = new OffscreenCanvas(width, height).getContext("2d");
            context.drawImage(picture, 0, 0, width, height);
            return [width, height, [...context.getImageData(0, 0, width, height).data]];
        }"""
    )
    return np.array(data, "uint8").reshape(height, width, 4)[..., :3]


def test_everything_is_asked_for(page):
    move(page.get_by_label(KEEP_COLOURS), 0.75)
    move(page.get_by_label(KEEP_LIGHT), 0.25)
    page.get_by_label(MATCH).select_option("covariance")
    page.get_by_label("Brush size").select_option("2")
    page.get_by_label("Even strength").check()
    page.get_by_label("File", exact=True).select_option("webp")
    move(page.get_by_label("Quality"), 80)
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    wanted = {"keep_colours": "0.75", "keep_light": "0.25", "match_colours": "covariance", "style_scale": "2"}
    wanted |= {"steady": "yes", "format": "webp", "quality": "80"}
    assert {name: sent.job[name] for name in wanted} == {name: [value] for name, value in wanted.items()}


def test_what_nobody_touched_is_not_in_the_way(new_page, files):
    page = new_page()
    expect(page.get_by_label("Brush size")).to_be_hidden()
    expect(page.get_by_label("Wide")).to_be_hidden()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert sent.job.keys() & {"print", "dpi", "steady", "quality"} == set()


def test_the_colour_dials_are_turned_without_a_request(page):
    painted, sent = colour(page), Sent(page)
    for dial in (KEEP_COLOURS, KEEP_LIGHT):
        before = page.locator("#preview").get_attribute("src")
        move(page.get_by_label(dial), 1)
        expect(page.locator("#preview")).not_to_have_attribute("src", before)
        assert np.abs(np.subtract(colour(page), painted)).max() > 2
    own = page.locator("#photo").evaluate(
        """picture => {
            const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
            context.drawImage(picture, 0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    assert np.abs(np.subtract(colour(page), own)).max() < 12  # all of both is the photo, as a small JPEG
    move(page.get_by_label(KEEP_COLOURS), 0)
    move(page.get_by_label(KEEP_LIGHT), 0)
    page.wait_for_timeout(300)
    assert colour(page) == painted
    assert sent.previews == []


def chroma(pixels: np.ndarray) -> np.ndarray:
    """The mean of green to red and of blue to yellow."""
    return color.srgb_to_oklab(pixels.astype("float32") / 255).mean((0, 1))[1:]


def test_a_new_preview_keeps_to_the_dials(page, photo_png):
    move(page.get_by_label(KEEP_COLOURS), 1)
    page.wait_for_timeout(300)
    before, sent = page.locator("#preview").get_attribute("src"), Sent(page)
    move(page.get_by_label(re.compile("^Strength")), 0.9)
    expect(page.locator("#preview")).not_to_have_attribute("src", before)
    expect_previewed(page)
    assert {"keep_colours", "keep_light"}.isdisjoint(sent.previews[0])
    own = np.asarray(Image.open(io.BytesIO(photo_png)).convert("RGB"))
    assert np.abs(chroma(shown(page)) - chroma(own)).max() < 0.02


def test_colours_are_mixed_as_on_the_server(new_page):
    page = new_page()
    generator = np.random.default_rng(5)
    painted, own = (generator.integers(0, 256, (24, 24, 3), dtype=np.uint8) for _ in range(2))
    for colours, light in ((0.3, 0), (1, 0), (0, 1), (0.5, 0.8)):
        mixed = page.evaluate(
            """async ([painted, own, dials]) => {
                const { oklab, blend } = await import("/static/js/create/color.js");
                const rgba = (rgb) => rgb.flatMap((pixel) => [...pixel, 255]);
                return [...blend(oklab(rgba(painted)), oklab(rgba(own)), dials)];
            }""",
            [painted.reshape(-1, 3).tolist(), own.reshape(-1, 3).tolist(), {"colours": colours, "light": light}],
        )
        here = np.array(mixed).reshape(24, 24, 4)[..., :3]
        there = 255 * color.preserve_colours(np.float32(painted / 255), np.float32(own / 255), colours, light)
        assert np.abs(here - there).max() < 1.5


@pytest.mark.parametrize(
    ("label", "value", "name"),
    [("Brush size", "4", "style_scale"), (MATCH, "histogram", "match_colours")],
)
def test_the_preview_follows_what_takes_painting(page, label, value, name):
    before, sent = page.locator("#preview").get_attribute("src"), Sent(page)
    page.get_by_label(label).select_option(value)
    expect(page.locator("#preview")).not_to_have_attribute("src", before)
    expect_previewed(page)
    assert [preview[name] for preview in sent.previews] == [[value]]


def test_a_print_is_asked_for_by_its_size(page):
    choose_print(page, "29.7", "21")
    page.get_by_label("Dots an inch").fill("150")
    page.get_by_label("File", exact=True).select_option("tiff")
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert (sent.job["print"], sent.job["dpi"], sent.job["format"]) == (["29.7x21cm"], ["150"], ["tiff"])
    assert "size" not in sent.job


def test_a_print_without_a_size_is_told_beside_it(page):
    choose_print(page, "30", "")
    paint(page)
    expect(page.locator("#print-problem")).to_have_text("Say how wide and how high the print is to be.")
    expect(page.get_by_label("Wide")).to_be_focused()


def foretelling(page: Page, **answer) -> list[str]:
    """The questions that the page asks from now on."""
    asked = []
    told = {"width": 3000, "height": 2000, "seconds": None, "memory": 1, "disk": 0, "tiled": False} | answer

    def fulfil(route):
        asked.append(route.request.url.partition("?")[2])
        route.fulfill(json=told)

    page.route("**/api/v1/forecast?*", fulfil)
    return asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"seconds": 12.3}, "About 10 s · 3000 \u00d7 2000 pixels"),
        ({"seconds": 0.4}, "About a second · 3000 \u00d7 2000 pixels"),
        ({"seconds": 230, "tiled": True}, "About 4 min, painted in pieces · 3000 \u00d7 2000 pixels"),
        ({}, "3000 \u00d7 2000 pixels"),
    ],
)
def test_how_long_it_takes_is_told_before(new_page, files, answer, words):
    page = new_page()
    foretelling(page, **answer)
    photo(page).set_input_files(files[0])
    expect(page.locator("#forecast")).to_have_text(words)


def test_the_server_foretells(new_page, new_site, files):
    page = new_page(new_site(warm_up=True))
    photo(page).set_input_files(files[0])
    page.get_by_label("Long side").select_option("4096")
    expect(page.locator("#forecast")).to_have_text("About 2 min, painted in pieces · 4096 \u00d7 3072 pixels")


def test_a_server_that_has_just_begun_is_asked_again(new_page, files):
    page, answers = new_page(), [None, 12.3]

    def fulfil(route) -> None:
        body = {"width": 30, "height": 20, "seconds": answers.pop(0), "memory": None, "disk": None, "tiled": None}
        route.fulfill(json=body)

    page.route("**/api/v1/forecast?*", fulfil)
    photo(page).set_input_files(files[0])
    expect(page.locator("#forecast")).to_have_text("30 \u00d7 20 pixels")
    expect(page.locator("#forecast")).to_have_text("About 10 s · 30 \u00d7 20 pixels")
    assert not answers


def test_it_is_foretold_anew_when_the_size_changes(page):
    asked = foretelling(page, width=7087, height=4724)
    page.get_by_label("Long side").select_option("1024")
    expect(page.locator("#forecast")).to_contain_text("7087")
    choose_print(page, "60", "40")
    expect(page.locator("#print-pixels")).to_have_text("7087 \u00d7 4724 pixels")
    page.wait_for_timeout(500)
    assert "size=1024" in asked[0]
    assert "print=60x40cm" in asked[-1]
    count = len(asked)
    move(page.get_by_label(KEEP_COLOURS), 1)
    page.wait_for_timeout(500)
    assert len(asked) == count


def test_a_size_beyond_what_the_server_makes_is_told_beside_it(page):
    body = json.dumps({"error": {"code": "too_large", "message": "Too many pixels.", "field": "print"}})
    page.route("**/api/v1/forecast?*", lambda route: route.fulfill(status=422, body=body))
    choose_print(page, "900", "900")
    expect(page.locator("#print-problem")).to_have_text("Too many pixels.")
    expect(page.locator("#forecast")).to_have_text("Too many pixels.")  # the other may be out of sight
    page.unroute("**/api/v1/forecast?*")
    foretelling(page)
    choose_print(page, "30", "20")
    expect(page.locator("#print-problem")).to_be_hidden()
    expect(page.locator("#forecast")).to_have_text("3000 \u00d7 2000 pixels")
    page.get_by_label("High").fill("")
    expect(page.locator("#forecast")).to_be_empty()  # of a print whose size is not yet known


def test_another_like_this_has_all_of_it_again(page):
    move(page.get_by_label(KEEP_COLOURS), 0.5)
    page.get_by_label("Brush size").select_option("0.5")
    page.get_by_label("Even strength").check()
    choose_print(page, "10", "15")
    page.get_by_label("Dots an inch").fill("72")
    paint(page)
    page.wait_for_url("**/results/*")
    page.get_by_role("link", name="Make another like this").click()
    expect(page.locator("#more")).to_have_attribute("open", "")
    expect(page.get_by_label(KEEP_COLOURS)).to_have_value("0.5")
    expect(page.locator("#keep_colours-value")).to_have_text("50 %")
    expect(page.get_by_label("Brush size")).to_have_value("0.5")
    expect(page.get_by_label("Even strength")).to_be_checked()
    for label, value in (("Long side", "print"), ("Wide", "10"), ("High", "15"), ("Dots an inch", "72")):
        expect(page.get_by_label(label)).to_have_value(value)


def test_the_photo_that_the_server_kept_is_foretold_as_large_as_it_is(new_page, photo_png, tmp_path):
    (tmp_path / "large.png").write_bytes(image_files.encode(image_files.read(photo_png, long_side=1500)))
    page = new_page()
    photo(page).set_input_files(tmp_path / "large.png")
    style(page, FLOW).check()
    paint(page)
    page.wait_for_url("**/results/*")
    page.get_by_role("link", name="Make another like this").click()
    expect(page.locator("#forecast")).to_contain_text("1500 \u00d7 1125 pixels")


@pytest.mark.parametrize("kind", OUTPUT_FORMATS)
def test_quality_is_there_where_it_counts(page, kind):
    page.get_by_label("File", exact=True).select_option(kind)
    expect(page.get_by_label("Quality")).to_be_visible(visible=OUTPUT_FORMATS[kind].lossy)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("png", "PNG loses nothing."), ("jpeg", "JPEG is"), ("webp", "WebP is"), ("tiff", "TIFF loses nothing")],
)
def test_what_is_said_of_a_file_is_of_its_kind(page, kind, words):
    page.get_by_label("File", exact=True).select_option(kind)
    said = page.locator("#format-hint").inner_text()
    assert said.startswith(words)
    assert said.count(".") == 1
    expect(page.get_by_label("File", exact=True)).to_have_accessible_description(said)


def test_by_keys_alone(page):
    summary = page.locator("#more > summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Brush size")).to_be_hidden()
    page.keyboard.press("Enter")
    for label in (KEEP_COLOURS, KEEP_LIGHT, MATCH, "Brush size"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(label)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Brush size")).to_have_value("2")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Paint taught styles")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("Even strength")).to_be_checked()


@pytest.mark.parametrize("window", [SMALL, {"viewport": {"width": 880, "height": 700}}], ids=["phone", "narrow"])
def test_what_is_folded_away_is_named_in_full(new_page, files, window):
    page = new_page(**window)
    for fold in page.locator(".settings > details > summary").all():
        words = fold.evaluate(
            """fold => {
                const title = new Range();
                title.selectNode(fold.firstChild);
                const { scrollWidth, clientWidth } = fold.querySelector(".hint");
                return [title.getClientRects().length, scrollWidth <= clientWidth];
            }"""
        )
        assert words == [1, True], fold.inner_text()  # a title in one line, and nothing cut off beside it
    photo(page).set_input_files(files[0])
    page.locator("#regions > summary").click()
    expect(page.locator("#regions-summary")).to_contain_text("nothing is brushed yet")
    assert_fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_small_phone(new_page, files, scheme):
    page = new_page(**SMALL, color_scheme=scheme)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.locator("#more > summary").tap()
    choose_print(page, "60", "40")
    page.get_by_label("File", exact=True).select_option("jpeg")
    expect(page.get_by_label("Quality")).to_be_visible()
    assert_fits(page)
