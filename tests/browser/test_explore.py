"""The page of all controls in a browser: other presets and encoders as they are chosen, and what is sent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.storage import gallery
from model.options import RefineOptions
from model.refinement.encoder_registry import ENCODERS
from tests.support.browsers import LEFT_OPEN, PHONE, assert_fits

pytestmark = [pytest.mark.browser, LEFT_OPEN]

FLOW, OTHER = (style.name for style in gallery.shipped()[:2])


@pytest.fixture
def explore(new_page):
    return lambda **settings: new_page("/explore", **settings)


def bring(page: Page, files) -> None:
    page.get_by_label("Photo", exact=True).set_input_files(files[0])
    page.get_by_role("checkbox", name=FLOW, exact=True).check()


def choose(page: Page, field: str, value: str) -> None:
    with page.expect_response(re.compile(r"/explore\?")):
        page.locator(f"#{field}").select_option(value)
    expect(page.locator("#controls.is-stale")).to_have_count(0)


def refine(page: Page) -> None:
    page.get_by_role("button", name="Refine it").click()


def weight(page: Page, kind: str, layer: str):
    return page.locator(f"[name='{kind}-layer-{layer}']")


def unfold(page: Page) -> None:
    page.get_by_text("How it descends").click()


def ordered(page: Page) -> dict[str, str]:
    """The fields that are sent, of files their names; the page goes on to the job."""
    page.evaluate(
        """() => {
            const send = window.fetch, told = ([name, value]) => [name, value.name ?? value];
            window.fetch = (url, options = {}) => {
                if (options.body) sessionStorage.sent = JSON.stringify(Object.fromEntries([...options.body].map(told)));
                return send(url, options);
            };
        }"""
    )
    refine(page)
    page.wait_for_url("**/results/*")
    return page.evaluate("JSON.parse(sessionStorage.sent)")


def test_a_refinement_from_photo_to_result(explore, files):
    page = explore()
    bring(page, files)
    choose(page, "encoder", "vgg16")
    weight(page, "style", "block1_conv2").fill("0.3")
    weight(page, "content", "block4_conv2").fill("")
    weight(page, "content", "block5_conv1").fill("0.7")
    unfold(page)
    page.get_by_label("Steps").fill("")
    page.get_by_label("Optimizer").select_option("lbfgs")
    sent = ordered(page)
    assert sent["method"] == "gatys"
    assert (sent["encoder"], sent["optimizer"], sent["steps"]) == ("vgg16", "lbfgs", "")
    assert {name: text for name, text in sent.items() if "-layer-" in name and text} == {
        "content-layer-block5_conv1": "0.7",
        "style-layer-block1_conv2": "0.3",
        **{f"style-layer-{layer}": "1" for layer in ENCODERS["vgg16"].style},
    }


def test_another_encoder_brings_its_layers_and_keeps_all_else(explore, files):
    page = explore()
    bring(page, files)
    unfold(page)
    page.get_by_label("Rate").fill("0.05")
    page.get_by_label("Content weight").fill("0.5")
    choose(page, "encoder", "densenet121")
    expect(weight(page, "style", "conv2_block3_concat")).to_have_value("1")
    expect(weight(page, "style", "block1_conv1")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("These are the layers of densenet121.")
    expect(page.get_by_label("Rate")).to_be_visible()
    expect(page.get_by_label("Rate")).to_have_value("0.05")
    expect(page.get_by_label("Content weight")).to_have_value("0.5")
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(page.get_by_role("checkbox", name=FLOW, exact=True)).to_be_checked()


def test_another_preset_sets_everything(explore):
    page = explore()
    choose(page, "encoder", "resnet50")
    page.get_by_label("Style weight").fill("7")
    choose(page, "preset", "stransfer")
    asked = RefineOptions.parse({"preset": "stransfer"})
    expect(page.locator("#encoder")).to_have_value("vgg16")
    expect(page.get_by_label("Style weight")).to_have_value(f"{asked.style_weight:g}")
    expect(weight(page, "content", "block4_conv2")).to_have_value("1")
    unfold(page)
    expect(page.get_by_label("Optimizer")).to_have_value("lbfgs")


def test_only_the_last_choice_counts(explore):
    page = explore()
    held = []
    page.route("**/explore?*encoder=xception*", lambda route: held.append(route))
    page.locator("#encoder").select_option("xception")
    choose(page, "encoder", "vgg16")
    expect(weight(page, "style", "block1_conv2")).to_have_count(1)
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#controls")).to_have_attribute("data-judge", "vgg16")


def test_controls_that_do_not_come_are_told(explore):
    page = explore()
    page.route("**/explore?*", lambda route: route.abort())
    page.locator("#encoder").select_option("xception")
    expect(page.locator("#encoder-problem")).to_contain_text("could not be reached")
    expect(page.locator("#controls.is-stale")).to_have_count(0)


def test_a_layer_that_is_folded_away_counts_as_well(explore, files):
    page = explore()
    bring(page, files)
    choose(page, "encoder", "densenet121")
    deep = weight(page, "style", "conv4_block12_concat")
    expect(deep).to_be_hidden()
    page.get_by_role("group", name="conv4").get_by_text("24 layers").click()
    deep.fill("0.5")
    assert deep.evaluate("one => one.style.getPropertyValue('--weight')") == "0.5"
    assert ordered(page)["style-layer-conv4_block12_concat"] == "0.5"


def test_a_blend_of_own_and_shipped(explore, files):
    page = explore()
    bring(page, files)
    page.get_by_label("Your own painting", exact=True).set_input_files(files[1])
    page.get_by_role("slider", name="How much of painting.png").press("End")
    assert ordered(page)["weights"] == "50,100"


def test_what_is_missing_is_told_before_it_is_sent(explore, files):
    page = explore()
    refine(page)
    expect(page.locator("#content-problem")).to_have_text("Choose a photo first.")
    expect(page.locator("#style-problem")).to_contain_text("Choose a style")
    expect(page.get_by_label("Photo", exact=True)).to_be_focused()


def test_what_is_folded_away_looks_as_on_the_create_page(explore, new_page):
    mark = """fold => {
        const { backgroundImage, right } = getComputedStyle(fold, "::after");
        return [getComputedStyle(fold).display, backgroundImage.endsWith('/chevron.svg")'), right];
    }"""
    page = explore()
    folds = page.locator(".layer-stage summary, #descent > summary")
    assert {tuple(fold.evaluate(mark)) for fold in folds.all()} == {("flex", True, "0px")}
    assert new_page().locator("#more > summary").evaluate(mark) == ["flex", True, "0px"]


def test_a_refusal_is_told_at_its_field_and_nothing_is_lost(explore, files):
    page = explore()
    bring(page, files)
    unfold(page)
    page.get_by_label("Rate").fill("7")
    unfold(page)
    refine(page)
    expect(page.locator("#rate-problem")).to_contain_text("1 or less")
    expect(page.get_by_label("Rate")).to_be_focused()
    expect(page.get_by_label("Rate")).to_be_in_viewport()
    expect(page.locator(".photo-frame")).to_be_visible()
    page.get_by_label("Rate").fill("0.1")
    refine(page)
    page.wait_for_url("**/results/*")


def test_no_layer_at_all_is_refused_at_the_layers(explore, files):
    page = explore()
    bring(page, files)
    for used in page.locator(".layer-weight").all():
        if used.input_value():
            used.fill("")
    refine(page)
    expect(page.locator("#style_layers-problem")).to_contain_text("more than 0")
    expect(page.locator("#style_layers-problem")).to_be_in_viewport()


def test_from_a_refined_result(explore, files):
    page = explore()
    bring(page, files)
    page.get_by_label("Your own painting", exact=True).set_input_files(files[1])
    choose(page, "preset", "best")
    choose(page, "encoder", "vgg16")
    weight(page, "style", "block1_conv2").fill("0.25")
    unfold(page)
    page.get_by_label("Style scale").fill("1.5")
    refine(page)
    page.wait_for_url("**/results/*")
    page.goto(f"/explore?from={page.url.rpartition('/')[2]}")
    expect(page.locator(".photo-frame")).to_be_visible()
    expect(page.get_by_role("checkbox", name="painting")).to_be_checked()
    expect(page.locator("#preset")).to_have_value("best")
    expect(weight(page, "style", "block1_conv2")).to_have_value("0.25")
    unfold(page)
    expect(page.get_by_label("Style scale")).to_have_value("1.5")
    page.get_by_label("Start").select_option("Your result")
    choose(page, "encoder", "vgg19")
    assert ordered(page)["start"].startswith("result:")


def test_back_the_button_works_again(explore, files):
    page = explore()
    bring(page, files)
    refine(page)
    page.wait_for_url("**/results/*")
    page.go_back()
    expect(page.get_by_role("button", name="Refine it")).to_be_enabled()


@pytest.mark.parametrize("encoder", ["vgg16", "densenet121", "xception"])
def test_on_a_phone(explore, files, encoder):
    page = explore(**PHONE)
    bring(page, files)
    choose(page, "encoder", encoder)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_fits(page)
    cut = page.locator(".layer-name").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    )
    assert cut == []
