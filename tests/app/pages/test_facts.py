"""How a picture was made, as its page says it."""

from __future__ import annotations

from typing import get_args

import pytest

from app.jobs.order import OrderStyle
from app.pages.facts import _OPTIMIZER_TEXTS
from model.options import OptimizerName
from tests.support.pages import facts, words


@pytest.mark.parametrize(
    ("option", "value", "name", "words"),
    [
        ("keep_colours", 1, "Colours", "All from the photo"),
        ("keep_light", 0.25, "Light and shade", "25 % from the photo"),
        ("match_colours", "histogram", "Colours of the painting", "Made like those of the photo, shade by shade"),
        ("style_scale", 2, "Brush size", "2 times as broad as in the painting"),
        ("network", "shared", "Network", "The one for any painting"),
        ("steady", True, "Steady strength", "Yes: it shows as much as with any painting"),
        ("print", "60x40.5cm", "For print", "60 × 40.5 cm, 300 pixels an inch"),  # noqa: RUF001
        ("dpi", 150, "In print", "150 pixels an inch"),
        ("tiles", "always", "Pieces", "Painted piece by piece"),
    ],
)
def test_every_wish_is_told_in_plain_words(ann, painted, option, value, name, words):
    assert facts(ann.get(painted(**{option: value})).text)[name] == words
    assert name not in facts(ann.get(painted()).text)


def test_regions_are_told_with_their_styles(ann, painted):
    styles = [OrderStyle(name="Flow", id="flow", shipped="flow"), OrderStyle(name="Ink", id="ink", shipped="ink")]
    asked = {"region_styles": [0, 2, 1], "region_strengths": [0.5, 1, 1], "feather": 2.5, "paint": "outside"}
    told = facts(ann.get(painted(styles=styles, masks=["everywhere", "a" * 64, "b" * 64], **asked)).text)
    assert told["Painted where"] == "All of the photo: the blend, 50 %; region 1: Ink; region 2: Flow"
    assert told["Regions"] == "They stay the photo, and the rest is painted"
    assert told["Edges of regions"] == "Soft over 2.5 % of the picture"
    assert facts(ann.get(painted(masks=["alpha"])).text)["Painted where"].endswith("not clear: Flow")


def test_a_refinement_tells_its_colours_and_regions(ann, painted):
    page = ann.get(painted(method="gatys", encoder="vgg19-slim", keep_colours=0.5, masks=["c" * 64])).text
    told = facts(page)
    assert (told["Colours"], told["Painted where"]) == ("50 % from the photo", "One region")
    assert "Keep colours" not in told


LOSSES = [[1, 0.4, 0.1, 0.398, 0.05], [2, 0.1, 0.2, 0.0961, 0.05]]


def test_how_a_refinement_was_made_is_told(ann, painted):
    options = {
        "preset": "fast",
        "style_layers": {"block1_conv1": 0.5, "block2_conv1": 1},
        "style_scale": 2,
        "size": 200,
    }
    page = ann.get(
        painted(method="gatys", losses=LOSSES, notes=["It ended <early>."], encoder="vgg19-slim", **options)
    ).text
    told = facts(page)
    assert (told["Refined"], told["Began with"], told["Encoder"]) == (
        "Fast, 50 steps",
        "A quick pastiche",
        "vgg19-slim",
    )
    assert told["Style seen at"] == "block1_conv1 × 0.5, block2_conv1"  # noqa: RUF001
    assert told["Balance"] == "content 0.05, style 1, smoothness 0.1"
    assert (told["Steps by"], told["Style scale"]) == ("Adam, in steps of 0.02", "2")
    assert not {"Preset", "Average", "Weights"} & told.keys()
    assert '<p class="notice">It ended &lt;early&gt;.</p>' in page
    assert "Style loss 0.4 → 0.096" in words(page)
    assert 'data-losses="[{&#34;content&#34;: 0.1, ' in page
    assert "Refine it further" in page


def test_layers_that_none_were_chosen_of_are_told_as_none(ann, painted):
    told = facts(ann.get(painted(method="gatys", encoder="vgg19-slim", style_layers={})).text)
    assert (told["Style seen at"], told["Content seen at"]) == ("–", "block4_conv2")  # noqa: RUF001


def test_every_optimizer_has_its_words():
    assert _OPTIMIZER_TEXTS.keys() == set(get_args(OptimizerName))
