"""What pages and scripts know of the options is what model.options says, and they say none of it themselves."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from app.pages import page_options
from model.errors import InvalidOption
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.masking import MASK_WORDS, PROPORTION_TOLERANCE
from model.options import DEFAULT_DPI, MAX_MASKS, MAX_STYLES, SheetOptions, StylizeOptions

ROOT = Path(__file__).parents[3]
READ_FROM_OPTIONS = [
    *("static/js/create/controls.js", "static/js/create/contact-sheet.js"),
    *("static/js/regions/regions.js", "static/js/shared/canvas.js"),
    *("templates/partials/form_fields.html", "templates/create/print_size.html", "templates/create/more_options.html"),
]
LIMITS = ("default", "minimum", "maximum")
ARITHMETIC = {0, 1, 2, 4, 100}  # numbers that scripts have of their own: halves, pixels of four bytes, percents


@pytest.fixture(params=["/", "/explore"])
def script_options(client, request) -> dict:
    """What a page gives its scripts."""
    attribute = re.search(r"data-options='([^']*)'", client.get(request.param).text)
    return json.loads(html.unescape(attribute[1]))


def test_the_page_tells_its_scripts_the_options_as_the_model_has_them(script_options):
    schema = StylizeOptions.model_json_schema()["properties"]
    assert script_options["limits"].keys() == schema.keys()
    for name, limits in script_options["limits"].items():
        known = {**schema[name].get("anyOf", [{}])[0], **schema[name]}
        assert limits["default"] == StylizeOptions.model_fields[name].default
        assert limits.get("minimum") == known.get("minimum", known.get("ge"))
        assert limits.get("maximum") == known.get("maximum", known.get("le"))
        assert limits.get("choices") == known.get("enum")
    assert set(script_options["controls"]) <= schema.keys()
    assert script_options["limits"]["feather"] == {"default": 0, "minimum": 0, "maximum": 20}


def test_the_page_tells_its_scripts_the_other_limits(script_options, app):
    masks = script_options["masks"]
    assert (masks["most"], masks["words"], masks["tolerance"]) == (MAX_MASKS, list(MASK_WORDS), PROPORTION_TOLERANCE)
    assert script_options["blend"]["maxStyles"] == MAX_STYLES
    assert script_options["files"] == {"maxBytes": app.extensions["settings"].upload_bytes}
    formats = {format["name"]: format for format in script_options["formats"]}
    assert formats.keys() == OUTPUT_FORMATS.keys()
    assert {name for name, format in formats.items() if format["lossy"]} == {"jpeg", "webp"}
    assert {name for name, format in formats.items() if not format["inBrowsers"]} == {"tiff"}
    assert script_options["sheet"]["size"] == SheetOptions.model_fields["size"].default
    assert script_options["sheet"]["controls"] == ["steady", "network", "keep_colours", "keep_light", "match_colours"]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("format", page_options.FORMAT_CHOICES),
        ("match_colours", page_options.MATCH_CHOICES),
        ("network", page_options.NETWORK_CHOICES),
        ("paint", page_options.PAINT_CHOICES),
    ],
)
def test_every_choice_has_its_words(name, choices):
    assert {value for value, *_ in choices} == set(page_options.option_limits()[name]["choices"])


def test_the_style_sheet_names_no_format_and_has_room_for_the_hint_of_each():
    styles = (ROOT / "static/css/create-options.css").read_text()
    assert not set(OUTPUT_FORMATS) & set(re.findall(r"\w+", styles.lower()))
    for place in range(1, len(page_options.FORMAT_CHOICES) + 1):
        assert f"#format option:nth-child({place}):checked) .format-hint:nth-child({place})" in styles


@pytest.mark.parametrize("side", ["minimum", "maximum"])
def test_the_sides_of_a_print_go_as_far_as_the_option(side):
    number = page_options.template_options()["print_limits"][side]
    assert StylizeOptions.parse({"print": f"{number}x{number}cm"}).print
    with pytest.raises(InvalidOption):
        StylizeOptions.parse({"print": "10000x40cm"})


@pytest.mark.parametrize("path", READ_FROM_OPTIONS)
def test_scripts_and_templates_repeat_no_default_or_limit(path):
    text = re.sub(r"//.*", "", (ROOT / path).read_text())
    values = {limit[key] for limit in page_options.option_limits().values() for key in LIMITS if key in limit}
    numbers = {value for value in values if isinstance(value, int | float)}
    numbers |= {MAX_MASKS, page_options.MASK_SIDE, PROPORTION_TOLERANCE, DEFAULT_DPI, SheetOptions().size}
    assert numbers & {float(number) for number in re.findall(r"(?<![\w.#-])\d+(?:\.\d+)?\b", text)} <= ARITHMETIC
    assert not {value for value in values if isinstance(value, str)} & set(re.findall(r"[\"'`](\w+)[\"'`]", text))
