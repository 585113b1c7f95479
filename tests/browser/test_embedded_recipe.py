"""A picture that was painted here is brought back, and gives its settings."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from model.pipelines import recipes
from tests.support.browsers import LEFT_OPEN
from tests.support.create_page import (
    FLOW,
    KEEP_COLOURS,
    KEEP_LIGHT,
    MATCH,
    OTHER,
    Sent,
    data_transfer,
    drop,
    expect_previewed,
    move,
    own,
    paint,
    photo,
    style,
    weight,
)

pytestmark = [pytest.mark.browser, LEFT_OPEN]
SLOW = 60_000  # ms, for the first picture of the model that ships
OFFER = "This picture carries its recipe."


def download(page: Page, kind: str) -> bytes:
    with page.expect_download() as downloaded:
        page.get_by_role("link", name=kind).click()
    return downloaded.value.path().read_bytes()


def offer(page: Page):
    return page.locator("#recipe")


@pytest.fixture
def pastiche(new_page, files):
    """Paints one with much that is set, and gives its file."""

    def made(kind: str = "PNG") -> bytes:
        page = new_page()
        photo(page).set_input_files(files[0])
        for name in (FLOW, OTHER):
            style(page, name).check()
        move(weight(page, FLOW), 20)
        move(weight(page, OTHER), 80)
        move(page.locator("#strength"), 0.6)
        page.locator("#more > summary").click()
        move(page.get_by_label(KEEP_COLOURS), 0.35)
        move(page.get_by_label(KEEP_LIGHT), 0.1)
        page.get_by_label(MATCH).select_option("histogram")
        page.get_by_label("Brush size").select_option("2")
        page.get_by_label("Even strength").check()
        page.get_by_label("Long side").select_option("print")
        page.get_by_label("Wide").fill("5")
        page.get_by_label("High").fill("4")
        page.get_by_label("Dots an inch").fill("150")
        page.get_by_label("File", exact=True).select_option("jpeg")
        move(page.get_by_label("Quality"), 77)
        paint(page)
        page.wait_for_url("**/results/*")
        return download(page, kind)

    return made


def expect_restored(page: Page) -> None:
    for name, share in ((FLOW, "25"), (OTHER, "100")):
        expect(style(page, name)).to_be_checked()
        expect(weight(page, name)).to_have_value(share)
    expect(page.locator(".pick-box:checked")).to_have_count(2)
    expect(page.locator("#more")).to_have_attribute("open", "")
    for name, value in {
        "strength": "0.6",
        "keep_colours": "0.35",
        "keep_light": "0.1",
        "match_colours": "histogram",
        "style_scale": "2",
        "size": "print",
        "print_width": "5",
        "print_height": "4",
        "print_unit": "cm",
        "dpi": "150",
        "format": "jpeg",
        "quality": "77",
    }.items():
        expect(page.locator(f"#paint [name={name}]")).to_have_value(value)
    expect(page.get_by_label("Even strength")).to_be_checked()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WebP"])
def test_a_pastiche_that_is_dropped_gives_its_controls_back(new_page, pastiche, files, kind):
    data = pastiche(kind)
    assert recipes.extract(data).method == "magenta"
    page = new_page()
    drop(page, "#content-zone", data_transfer(page, data))
    expect(offer(page)).to_contain_text(OFFER)
    expect(page.locator(".photo-frame")).to_be_hidden()
    page.get_by_role("button", name="Use its settings").click()
    expect(offer(page)).to_contain_text("Its settings are in place. Now choose the photo")
    expect_restored(page)
    photo(page).set_input_files(files[0])
    expect_previewed(page)
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert (sent.job["print"], sent.job["dpi"], sent.job["quality"]) == (["5x4cm"], ["150"], ["77"])


def test_same_recipe_same_photo_same_pixels(new_page, pastiche, files):
    first = pastiche()
    page = new_page()
    photo(page).set_input_files(files[0])
    drop(page, "footer", data_transfer(page, first))
    page.get_by_role("button", name="Use its settings").click()
    expect(offer(page)).not_to_contain_text("Now choose")
    paint(page)
    page.wait_for_url("**/results/*")
    again = download(page, "PNG")
    assert Image.open(io.BytesIO(again)).tobytes() == Image.open(io.BytesIO(first)).tobytes()


def test_same_pixels_by_the_model_that_ships(new_page, real_site, files):
    page = new_page(real_site)
    photo(page).set_input_files(files[0])
    for name in (FLOW, OTHER):
        style(page, name).check()
    page.locator("#more > summary").click()
    page.get_by_label("Brush size").select_option("2")
    page.get_by_label("Even strength").check()
    move(page.locator("#strength"), 0.5)
    move(page.get_by_label(KEEP_COLOURS), 0.4)
    paint(page)
    page.wait_for_url("**/results/*", timeout=SLOW)
    first = download(page, "PNG")
    page.goto(real_site)
    photo(page).set_input_files(files[0])
    drop(page, "#content-zone", data_transfer(page, first))
    page.get_by_role("button", name="Use its settings").click(timeout=SLOW)
    page.get_by_label("File", exact=True).select_option("webp")  # another order, so that it is painted anew
    paint(page)
    page.wait_for_url("**/results/*", timeout=SLOW)
    again = download(page, "PNG")
    assert Image.open(io.BytesIO(again)).tobytes() == Image.open(io.BytesIO(first)).tobytes()


def test_a_painting_that_was_brought_comes_back_as_numbers(new_page, files):
    page = new_page()
    photo(page).set_input_files(files[0])
    own(page).set_input_files(files[1])
    paint(page)
    page.wait_for_url("**/results/*")
    data = download(page, "PNG")
    page = new_page()
    photo(page).set_input_files(files[0])
    drop(page, "#content-zone", data_transfer(page, data))
    page.get_by_role("button", name="Use its settings").click()
    brought = page.locator(".pick.is-vector")
    expect(brought).to_have_count(1)
    expect(brought.get_by_role("checkbox")).to_be_checked()
    expect_previewed(page)
    sent = Sent(page)
    paint(page)
    page.wait_for_url("**/results/*")
    assert len(sent.job["style"]) == 1


def test_it_can_be_painted_over_as_a_photo(new_page, pastiche):
    page = new_page()
    drop(page, "#content-zone", data_transfer(page, pastiche()))
    page.get_by_role("button", name="Paint over it as a photo").click()
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(offer(page)).to_be_hidden()
    expect(page.locator(".pick-box:checked")).to_have_count(0)


def test_of_a_large_pastiche_only_the_recipe_is_sent(new_page, new_site, pastiche):
    data = pastiche() + bytes(300_000)
    page = new_page(new_site(upload_megabytes=0.2))
    sent = Sent(page)
    drop(page, "#content-zone", data_transfer(page, data))
    page.get_by_role("button", name="Use its settings").click()
    expect_restored(page)
    (form,) = sent.all("/api/v1/recipe")
    assert int(form["picture"][0].split()[-1]) < 20_000


def test_by_keys_alone(new_page, pastiche, tmp_path):
    file = tmp_path / "pastiche.png"
    file.write_bytes(pastiche())
    page = new_page()
    photo(page).set_input_files(file)
    expect(offer(page)).to_be_visible()
    photo(page).focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.get_by_role("button", name="Use its settings").evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(offer(page)).to_be_focused()
    expect_restored(page)


def test_a_picture_without_a_recipe_is_simply_a_photo(new_page, photo_png):
    page = new_page()
    asked = []
    page.route("**/api/v1/recipe", lambda route: asked.append(route.request.url))
    drop(page, "#content-zone", data_transfer(page, photo_png))
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(offer(page)).to_be_hidden()
    assert asked == []


def test_a_broken_recipe_is_simply_a_photo(new_page, photo_png):
    page = new_page()
    drop(page, "#content-zone", data_transfer(page, photo_png + b'pastiche-recipe{"recipe": nothing'))
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(offer(page)).to_be_hidden()


def test_what_cannot_be_restored_is_told(new_page, pastiche):
    page = new_page()
    answer = {"recipe": {}, "options": {"strength": 0.5}, "masks": [], "notes": ["Its masks are lost."]}
    answer["styles"] = [{"id": "", "name": "Harbour", "file": "", "weight": 1}]
    page.route("**/api/v1/recipe", lambda route: route.fulfill(json=answer))
    drop(page, "#content-zone", data_transfer(page, pastiche()))
    page.get_by_role("button", name="Use its settings").click()
    expect(offer(page)).to_contain_text("Its masks are lost.")
    expect(offer(page)).to_contain_text("The style \u201cHarbour\u201d is not here")
