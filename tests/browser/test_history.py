"""The history as people use it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.jobs.order import OrderStyle
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits, standing
from tests.support.stored_results import add_result

pytestmark = [pytest.mark.browser, LEFT_OPEN]


@pytest.fixture
def stand(painter, tmp_path):
    with standing(tmp_path / "data", painter, jobs=1000) as stand:
        yield stand


def test_empty(visit):
    page = visit("/history", None, **PHONE)
    expect(page.get_by_role("heading", name="Nothing hangs here yet")).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="Paint a picture").click()
    page.wait_for_url("**/")


def test_results_are_found_again(visit, stand, photo_png):
    for number, name in enumerate(["Oldest", "Older", "Newest"]):
        styles = [OrderStyle(name=name, shipped="flow")]
        add_result(stand.app, "ann", photo_png, name=name, styles=styles, age=100 * (3 - number))
    page = visit("/history")
    names = page.locator(".results .card-name").all_text_contents()
    assert names == ["Newest", "Older", "Oldest"]
    expect(page.locator(".results").get_by_text("2 days, 23 hours left")).to_have_count(3)
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("heading", name="Painted in Newest")).to_be_visible()


def test_two_hundred_results_with_long_names_on_a_phone(visit, stand, photo_png):
    styles = [OrderStyle(name="W" * 80, shipped="flow"), OrderStyle(name="word " * 15, shipped="ink")]
    for number in range(200):
        add_result(stand.app, "ann", photo_png, name=f"n{number}", styles=styles, age=number)
    page = visit("/history", **PHONE)
    assert_fits(page)
    expect(page.locator(".results li")).to_have_count(200)
    loaded = "all => all.filter(one => one.complete && one.naturalWidth).length"
    assert page.locator(".results img").evaluate_all(loaded) < 200  # those far below wait until they are near


@pytest.mark.parametrize("scripts", [True, False])
def test_everything_is_deleted_when_asked_twice(visit, stand, photo_png, scripts):
    add_result(stand.app, "ann", photo_png)
    page = visit("/history", java_script_enabled=scripts)
    sure = page.get_by_role("button", name="Yes, delete everything")
    expect(sure).to_be_hidden()
    page.locator("summary", has_text="Delete everything now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 picture and the photos")).to_be_visible()
    page.keyboard.press("Tab")
    expect(sure).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Everything is deleted.")
    expect(page.get_by_role("heading", name="Nothing hangs here yet")).to_be_visible()


def test_what_is_kept_is_told(visit):
    page = visit("/history")
    kept = page.get_by_role("region", name="What this site keeps, and for how long")
    for words in ("3 days", "Until you delete them", "One random number", "never reaches a result"):
        expect(kept.get_by_text(words).first).to_be_visible()
