"""The create page as people use it."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.storage import gallery
from model.errors import UnsupportedImage
from model.imaging import image_files
from model.pipelines.coarse_to_fine import BRUSH_SIDE
from tests.support.browsers import LEFT_OPEN, is_seen
from tests.support.create_page import (
    FLOW,
    OTHER,
    Sent,
    colour,
    data_transfer,
    drop,
    expect_previewed,
    move,
    own,
    paint,
    photo,
    result,
    style,
    weight,
)

pytestmark = [pytest.mark.browser, LEFT_OPEN]

PHONE = {"viewport": {"width": 375, "height": 720}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
WINDOWS = [
    pytest.param({"viewport": {"width": 1280, "height": 900}}, id="desktop"),
    pytest.param(PHONE | {"viewport": {"width": 390, "height": 844}}, id="phone"),
]
NO_PICTURE = "This is not a picture that can be read. Use JPEG, PNG, WebP or GIF."
SLOW = 60_000  # ms, for the first picture of the model that ships


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_with_the_model_that_ships(new_page, real_site, files):
    page = new_page(real_site)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    expect(page.locator("#preview")).to_be_visible(timeout=SLOW)
    page.get_by_label("Long side").select_option("512")
    paint(page)
    page.wait_for_url("**/results/*", timeout=SLOW)


def test_photo_and_style_give_a_result(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    paint(page)
    page.wait_for_url("**/results/*")
    expect(page.get_by_text(FLOW).first).to_be_visible()


def test_own_painting_is_added_used_and_left_out(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    own(page).set_input_files([files[1], files[1]])
    expect(page.locator(".pick:has-text('painting.png') :checked")).to_have_count(2)
    expect(page.get_by_role("group", name="How much of each")).to_be_visible()
    page.get_by_role("checkbox", name="painting.png").first.uncheck()
    expect(page.get_by_role("group", name="How much of each")).to_be_hidden()
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert [name.split()[0] for name in sent.job["style"]] == ["painting.png"]


def test_styles_are_blended_by_their_weights(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    own(page).set_input_files(files[1])
    style(page, FLOW).check()
    style(page, OTHER).check()
    move(weight(page, FLOW), 100)
    expect(page.locator("#mix")).to_contain_text("50 %")
    expect(weight(page, OTHER)).to_have_attribute("aria-valuetext", "25 %")
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert sent.job["weights"] == ["100,50,50"]
    assert [name.split()[0] for name in sent.job["style"]] == [
        *(one.id for one in gallery.shipped()[:2]),
        "painting.png",
    ]


@pytest.mark.parametrize("window", WINDOWS)
def test_up_to_eight_styles(new_page, window):
    page = new_page(**window)
    boxes = page.locator(".pick-box")
    for number in range(8):
        boxes.nth(number).check()
    boxes.nth(8).click()
    expect(boxes.nth(8)).not_to_be_checked()
    expect(page.locator("#style-problem")).to_contain_text("Up to 8 styles")
    assert is_seen(page.locator("#style-problem"))
    boxes.nth(0).uncheck()
    boxes.nth(8).check()
    expect(page.locator("#style-problem")).to_be_hidden()
    expect(page.locator("#mix .weight")).to_have_count(8)


def test_the_preview_follows_the_sliders(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    sent = Sent(page)
    style(page, FLOW).check()
    expect_previewed(page)
    assert sent.previews[0] | {"size": [str(BRUSH_SIDE)], "format": ["jpeg"], "strength": ["1"]} == sent.previews[0]
    assert int(sent.previews[0]["content"][0].split()[1]) < 50_000
    seen, before = [colour(page)], page.locator("#preview").get_attribute("src")
    move(page.get_by_label(re.compile("Strength")), 0)
    expect(page.locator("#preview")).not_to_have_attribute("src", before)
    seen.append(colour(page))
    style(page, FLOW).uncheck()
    expect(page.locator("#preview")).to_be_hidden()
    assert seen[0] != seen[1]


def test_the_preview_follows_the_weights_of_a_blend(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    for name in (FLOW, OTHER):
        style(page, name).check()
    expect_previewed(page)
    sent, seen = Sent(page), []
    for weights in ((100, 0), (0, 100)):
        before = page.locator("#preview").get_attribute("src")
        for name, value in zip((FLOW, OTHER), weights, strict=True):
            move(weight(page, name), value)
        expect(page.locator("#preview")).not_to_have_attribute("src", before)
        expect_previewed(page)
        assert sent.previews[-1]["weights"] == [f"{weights[0]},{weights[1]}"]
        seen.append(colour(page))
    assert seen[0] != seen[1]


def test_one_preview_at_a_time_and_the_newest_wins(new_page, files):
    page = new_page()
    held = []
    page.route("**/api/v1/stylize", lambda route: held.append(route))
    sent = Sent(page)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    strength = page.get_by_label(re.compile("Strength"))
    for value in (0.9, 0.8, 0.5, 0.25):
        move(strength, value)
    page.wait_for_timeout(200)
    assert len(held) == 1
    expect(page.locator("#preview-status")).to_contain_text("on its way")
    held[0].continue_()
    page.wait_for_timeout(500)
    assert [form["strength"] for form in sent.previews] == [["1"], ["0.25"]]


def test_a_stale_preview_is_dropped(new_page, files):
    page = new_page()
    held = []
    page.route("**/api/v1/stylize", lambda route: held.append(route))
    sent = Sent(page)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.wait_for_timeout(200)
    style(page, FLOW).uncheck()
    style(page, OTHER).check()
    held[0].continue_()
    page.wait_for_timeout(500)
    assert [form["style"] for form in sent.previews] == [[one.id] for one in gallery.shipped()[:2]]
    expect(page.locator("#preview")).to_be_hidden()  # the first was of the other style
    held[1].continue_()
    expect(page.locator("#preview")).to_be_visible()
    style(page, OTHER).uncheck()
    expect(page.locator("#preview")).to_be_hidden()


def test_a_busy_server_previews_later(new_page, files):
    page = new_page()
    body = json.dumps({"error": {"code": "busy", "message": "Busy."}})
    page.route("**/stylize", lambda route: route.fulfill(status=503, body=body, headers={"Retry-After": "1"}), times=1)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    expect(page.locator("#preview-status")).to_have_text("The server is busy. The preview will follow.")
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator("#preview-status")).to_be_empty()


def test_a_file_that_the_browser_cannot_show_is_told(new_page, tmp_path):
    page = new_page()
    broken = tmp_path / "photo.jpg"
    broken.write_bytes(b"\xff\xd8\xff but no picture")
    photo(page).set_input_files(broken)
    style(page, FLOW).check()
    expect(page.locator("#preview-status")).to_contain_text("cannot show")
    paint(page)
    expect(page.locator("#content-problem")).to_contain_text("not a picture")
    expect(photo(page)).to_have_attribute("aria-invalid", "true")
    expect(photo(page)).to_be_focused()
    expect(page.locator("#preview-status")).to_be_empty()  # the server could not read it either
    move(page.get_by_label(re.compile("Strength")), 0.5)
    page.wait_for_timeout(300)
    expect(page.locator("#preview-status")).to_be_empty()


def test_what_is_no_picture_is_told_when_it_is_chosen(new_page, files, tmp_path):
    page, notes = new_page(), tmp_path / "notes.jpg"
    notes.write_text("No picture, but words.")
    photo(page).set_input_files(notes)
    expect(page.locator("#content-problem")).to_have_text(NO_PICTURE)
    own(page).set_input_files([files[1], notes])
    expect(page.locator("#style-problem")).to_have_text(NO_PICTURE)
    expect(style(page, "painting.png")).to_be_checked()
    expect(style(page, "notes.jpg")).to_have_count(0)
    photo(page).set_input_files(files[0])
    expect(page.locator("#content-problem")).to_be_hidden()
    expect_previewed(page)
    photo(page).set_input_files(notes)
    expect(page.locator("#content-problem")).to_have_text(NO_PICTURE)
    expect(page.locator("#content-hint")).to_contain_text("photo.png")  # which stays


def test_words_that_are_dropped_are_no_photo(new_page):
    page = new_page()
    drop(page, "#content-zone", data_transfer(page, b"No picture.", "notes.txt", "text/plain"))
    expect(page.locator("#content-problem")).to_have_text(NO_PICTURE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP", "PDF"])
def test_the_page_takes_the_kinds_that_the_server_reads(new_page, tmp_path, kind):
    path = tmp_path / "photo"
    try:
        Image.new("RGB", (64, 48), "teal").save(path, kind)
    except KeyError:
        pytest.skip(f"Pillow writes no {kind} here.")
    page = new_page()
    photo(page).set_input_files(path)
    try:
        image_files.peek_size(path)
        expect(page.locator("#content-hint")).to_contain_text("browse for another")
        expect(page.locator("#content-problem")).to_be_hidden()
    except UnsupportedImage:
        expect(page.locator("#content-problem")).to_have_text(NO_PICTURE)


def test_a_film_that_is_dropped_leaves_the_photo_there(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    expect(page.locator("#content-hint")).to_contain_text("photo.png")
    drop(page, "#content-zone", data_transfer(page, b"\0\0\0\x18ftypisom\0\0\2\0", "clip.mp4", "video/mp4"))
    expect(page.locator("#content-problem")).to_have_text(NO_PICTURE)
    expect(page.locator("#content-hint")).to_contain_text("photo.png")


def test_a_style_file_and_a_painting_dropped_together(new_page, painting_png):
    page = new_page()
    both = data_transfer(page, b'{"vector": []}', "kept.json", "application/json")
    both.evaluate(
        "(all, bytes) => all.items.add(new File([new Uint8Array(bytes)], 'harbour.png', { type: 'image/png' }))",
        list(painting_png),
    )
    drop(page, "#styles", both)
    expect(style(page, "harbour.png")).to_be_checked()
    expect(style(page, "kept.json")).to_be_checked()


def test_a_style_file_is_taken_where_a_painting_is(new_page, tmp_path):
    page, kept = new_page(), tmp_path / "kept.json"
    kept.write_text('{"vector": []}')
    own(page).set_input_files(kept)
    expect(style(page, "kept.json")).to_be_checked()
    expect(page.locator("#style-problem")).to_be_hidden()


def test_what_is_missing_is_told_beside_its_field(new_page, files):
    page = new_page()
    paint(page)
    expect(page.locator("#content-problem")).to_have_text("Choose a photo first.")
    expect(page.locator("#style-problem")).to_contain_text("Choose a style")
    expect(photo(page)).to_be_focused()
    photo(page).set_input_files(files[0])
    expect(page.locator("#content-problem")).to_be_hidden()
    style(page, FLOW).check()
    expect(page.locator("#style-problem")).to_be_hidden()


@pytest.mark.parametrize("window", WINDOWS)
def test_what_is_missing_is_seen(new_page, files, window):
    page = new_page(**window)
    paint(page)
    assert is_seen(page.locator("#content-problem"))
    photo(page).set_input_files(files[0])
    expect(page.locator(".photo-frame")).to_be_visible()
    for place in (0, 9999):
        page.evaluate("place => scrollTo(0, place)", place)
        paint(page)
        assert is_seen(page.locator("#style-problem"))
        assert is_seen(page.locator("#style-zone"))


def test_a_full_queue_is_told_and_everything_stays(new_page, files):
    page = new_page()
    body = json.dumps({"error": {"code": "busy", "message": "Too many pictures wait."}})
    page.route("**/api/v1/jobs", lambda route: route.fulfill(status=503, body=body))
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    paint(page)
    expect(page.locator("#form-problem")).to_have_text("Too many pictures wait.")
    assert is_seen(page.locator("#form-problem"))
    page.unroute("**/api/v1/jobs")
    page.route("**/api/v1/jobs", lambda route: route.abort())
    paint(page)
    expect(page.locator("#form-problem")).to_contain_text("could not be reached")
    page.unroute("**/api/v1/jobs")
    paint(page)
    page.wait_for_url("**/results/*")


def test_an_order_sent_twice_is_one_job(new_page, files):
    page = new_page()
    keys = []

    def lost(route):
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/api/v1/jobs", lost)
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    for strength in (1, 1, 0.5):
        if strength < 1:
            move(page.get_by_label(re.compile("Strength")), strength)
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/jobs")):
            paint(page)
        expect(page.locator("#form-problem")).to_be_visible()
        expect(page.locator("#form-problem")).to_contain_text("could not be reached")
    assert keys[0] == keys[1] != keys[2]


def test_keep_nothing_shows_the_result_here(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.get_by_label("File", exact=True).select_option("webp")
    page.get_by_label("Keep nothing on the server").check()
    paint(page)
    expect(result(page)).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Painted.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "photo-pastiche.webp"
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).format == "WEBP"
    page.goto("/history")
    expect(page.locator("main img")).to_have_count(0)


def test_keep_nothing_gives_also_what_the_browser_cannot_show(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.get_by_label("File", exact=True).select_option("tiff")
    page.get_by_label("Keep nothing on the server").check()
    paint(page)
    expect(result(page)).to_be_focused()
    expect(result(page)).to_contain_text("This browser cannot show this kind of file")
    expect(page.get_by_alt_text("Your photo in the style that you chose")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "photo-pastiche.tiff"
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).format == "TIFF"


def test_the_same_file_is_made_as_small_as_each_place_asks(new_page, photo_png):
    page = new_page()
    sides = page.evaluate(
        """async bytes => {
            const { downscale } = await import("/static/js/create/downscale.js");
            const blob = new Blob([new Uint8Array(bytes)]);
            const sideOf = ({ width, height }) => Math.max(width, height);
            const made = async side => sideOf(await createImageBitmap(await downscale(blob, side)));
            return Promise.all([32, 16, 32].map(made));
        }""",
        list(photo_png),
    )
    assert sides == [32, 16, 32]


def test_keep_nothing_can_be_cancelled(new_page, files):
    page = new_page()
    page.get_by_label("Keep nothing on the server").check()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    expect_previewed(page)
    page.route("**/api/v1/stylize", lambda route: None)  # never answered
    paint(page)
    expect(page.get_by_role("status")).to_contain_text("Painting…")
    expect(page.get_by_role("button", name="Paint it")).to_be_disabled()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Paint it")).to_be_enabled()
    expect(result(page)).to_be_hidden()


def test_too_large_to_wait_for_is_told_beside_the_size(new_page, new_site, files):
    page = new_page(new_site(sync_pixels=200_000))
    page.get_by_label("Keep nothing on the server").check()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    page.get_by_label("Long side").select_option("1024")
    paint(page)
    expect(page.locator("#size-problem")).to_contain_text("let the server keep it")
    expect(page.get_by_label("Long side")).to_be_focused()


def test_a_fault_of_the_page_is_not_blamed_on_the_network(new_page, files):
    page = new_page()
    page.route("**/api/v1/stylize", lambda route: route.fulfill(body="no picture", content_type="image/png"))
    page.get_by_label("Keep nothing on the server").check()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    paint(page)
    expect(page.locator("#form-problem")).to_contain_text("This page could not show the picture")


def test_pictures_are_pasted(new_page, photo_png):
    page = new_page()
    transfer = data_transfer(page, photo_png)
    for _ in range(2):
        page.evaluate("data => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))", transfer)
    expect(page.locator("#content-hint")).to_contain_text("brought.png")  # the first is the photo, the next a painting
    expect(style(page, "brought.png")).to_be_checked()


def test_pictures_are_dropped(new_page, photo_png):
    page = new_page()
    transfer = data_transfer(page, photo_png)
    drop(page, "footer", transfer)
    assert page.url.endswith("/")
    expect(page.locator(".photo-frame")).to_be_hidden()
    drop(page, "#content-zone", transfer)
    expect(page.locator("#content-hint")).to_contain_text("brought.png")
    drop(page, "#gallery", transfer)
    expect(style(page, "brought.png")).to_be_checked()
    expect_previewed(page)


def test_the_cat_is_there_to_try(new_page):
    page = new_page()
    page.get_by_role("button", name="cat").click()
    style(page, FLOW).check()
    expect_previewed(page)


def test_another_like_this_restores_everything(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    own(page).set_input_files(files[1])
    style(page, FLOW).check()
    move(weight(page, FLOW), 20)
    move(weight(page, "painting.png"), 80)
    move(page.get_by_label(re.compile("Strength")), 0.4)
    page.get_by_label("Long side").select_option("512")
    page.get_by_label("File", exact=True).select_option("jpeg")
    paint(page)
    page.wait_for_url("**/results/*")
    page.get_by_role("link", name="Make another like this").click()
    expect(page.locator("#content-hint")).to_contain_text("photo")
    expect(style(page, FLOW)).to_be_checked()
    expect(style(page, "painting")).to_be_checked()
    expect(weight(page, FLOW)).to_have_value("20")
    expect(weight(page, "painting")).to_have_value("80")
    expect(page.get_by_label(re.compile("Strength"))).to_have_value("0.4")
    expect(page.get_by_label("Long side")).to_have_value("512")
    expect(page.get_by_label("File", exact=True)).to_have_value("jpeg")
    expect_previewed(page)
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert sent.job["content"][0].startswith("result:")


def test_another_like_this_with_another_photo(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    style(page, FLOW).check()
    paint(page)
    page.wait_for_url("**/results/*")
    page.get_by_role("link", name="Make another like this").click()
    expect(page.locator(".photo-frame")).to_be_visible()
    photo(page).set_input_files(files[1])
    expect(page.locator("#content-hint")).to_contain_text("painting.png")
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert sent.job["content"][0].startswith("painting.png")


def test_what_is_lost_on_the_way_is_told_and_the_rest_restored(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    own(page).set_input_files(files[1])
    style(page, FLOW).check()
    paint(page)
    page.wait_for_url("**/results/*")
    again = page.get_by_role("link", name="Make another like this").get_attribute("href")
    page.route("**/before", lambda route: route.abort())
    page.goto(again)
    expect(page.locator("#content-problem")).to_contain_text("could not be fetched")
    expect(style(page, "painting")).to_be_checked()
    page.unroute("**/before")
    page.route("**/paintings/*", lambda route: route.abort())
    page.goto(again)
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(page.locator("#style-problem")).to_contain_text("could not be fetched")
    expect(page.locator("#brought").get_by_role("link", name="painting")).to_be_visible()
    expect(style(page, FLOW)).to_be_checked()


def test_a_style_of_the_address_is_chosen(new_page):
    page = new_page(f"/?style={gallery.shipped()[1].id}")
    expect(style(page, OTHER)).to_be_checked()


def tab_to(page: Page, control, most: int = 12) -> None:
    """As somebody without a mouse gets there; `most`: how often they may have to press the key."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if control.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{control} was not reached in {most} steps.")


def test_keyboard_alone(new_page, files):
    page = new_page()
    tab_to(page, page.get_by_role("link", name="Skip to the page"), 1)
    page.keyboard.press("Enter")
    tab_to(page, photo(page), 1)
    photo(page).set_input_files(files[0])  # the dialog that a key opens is the browser's own
    expect(page.locator(".photo-frame")).to_be_visible()
    skip = page.get_by_role("link", name="Skip the gallery")
    tab_to(page, skip, 2)  # after "Compare side by side"
    tab_to(page, own(page), 1)
    own(page).set_input_files(files[1])
    expect(style(page, "painting.png")).to_be_visible()
    tab_to(page, style(page, "painting.png"), 1)
    expect(style(page, "painting.png")).to_be_checked()
    for name in (FLOW, OTHER):
        tab_to(page, style(page, name), 1)
        page.keyboard.press("Space")
        expect(style(page, name)).to_be_checked()
    page.keyboard.press("Space")
    expect(style(page, OTHER)).not_to_be_checked()
    while not skip.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    for name, key, share in ((FLOW, "End", "67 %"), ("painting.png", "Home", "0 %")):
        tab_to(page, weight(page, name), 1)
        page.keyboard.press(key)
        expect(weight(page, name)).to_have_attribute("aria-valuetext", share)
    tab_to(page, page.get_by_label(re.compile("Strength")), 1)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#strength-value")).to_have_text("95 %")
    tab_to(page, page.get_by_label("Long side"), 1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Long side")).to_have_value("512")
    tab_to(page, page.get_by_label("File", exact=True), 1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("File", exact=True)).to_have_value("jpeg")
    tab_to(page, page.locator("#more > summary"), 1)
    tab_to(page, page.get_by_label("Keep nothing"), 3)
    tab_to(page, page.get_by_role("button", name="Paint it"), 1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/*")
    uncovered = page.get_by_role("slider", name="How much of the photo")
    tab_to(page, uncovered)
    page.keyboard.press("ArrowRight")
    expect(uncovered).to_have_value("51")
    tab_to(page, page.get_by_role("link", name="Download JPEG"), 1)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert max(Image.open(io.BytesIO(download.value.path().read_bytes())).size) == 512


def test_on_a_phone(new_page, files):
    page = new_page(**PHONE)
    assert_fits(page)
    photo(page).set_input_files(files[0])
    for number in range(3):
        page.locator(".pick-label").nth(number).tap()
    expect_previewed(page)
    assert_fits(page)
    page.get_by_label("Keep nothing").scroll_into_view_if_needed()
    expect(page.locator("#preview")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Paint it")).to_be_in_viewport()
    assert page.locator(".photo-frame").bounding_box()["height"] < 260
    page.get_by_role("button", name="Paint it").tap()
    page.wait_for_url("**/results/*")


@pytest.mark.parametrize("settings", [{}, PHONE], ids=["desktop", "phone"])
def test_tall_and_wide_photos_and_long_names_fit(new_page, tmp_path, settings):
    page = new_page(**settings)
    for size in ((200, 2000), (2000, 200)):
        path = tmp_path / f"{'a-very-long-name' * 8}-{size[0]}.png"
        Image.new("RGB", size, "teal").save(path)
        photo(page).set_input_files(path)
        own(page).set_input_files(path)
        expect_previewed(page)
        assert_fits(page)
        easel, height = page.locator("#photo").bounding_box(), page.viewport_size["height"]
        assert easel["height"] < 0.7 * height
        assert 0 <= easel["x"] <= page.viewport_size["width"] - easel["width"]
        expect(page.locator("#content-hint")).to_contain_text("browse for another")
        assert page.locator(".photo-hint").bounding_box()["x"] < page.viewport_size["width"] - 200
        assert abs(easel["width"] / easel["height"] - size[0] / size[1]) < 0.25 * size[0] / size[1]


def test_what_is_pressed_is_large_enough_for_a_finger(new_page):
    page = new_page(**PHONE)
    small = page.locator("button:visible, select:visible, nav a, .pick-label, .check-field label").evaluate_all(
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
