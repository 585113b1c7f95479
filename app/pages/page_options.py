"""The options as pages have them: the model's defaults, limits and choices, with their words.

The templates are rendered with them, and the scripts read them as JSON from the form's `data-options`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from app.inputs.bodies import JsonObject
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.masking import DEVIATIONS_PER_EDGE, MASK_WORDS, PROPORTION_TOLERANCE
from model.options import (
    DEFAULT_DPI,
    DEFAULT_SIDE,
    MAX_MASKS,
    MAX_STYLES,
    UNITS_PER_INCH,
    RefineOptions,
    SheetOptions,
    StylizeOptions,
    join_words,
)

SLIDER_MAX, SLIDER_DEFAULT = 100, 50  # of a style's weight slider; only ratios count
CONTROLS = (  # options with a control of their own on the create page, in the order in which a script sets them
    *("strength", "steady", "style_scale", "size", "print", "dpi"),
    *("network", "keep_colours", "keep_light", "match_colours", "format", "quality"),
)
FOLDED_CONTROLS = ("keep_colours", "keep_light", "match_colours", "style_scale", "network", "steady", "quality")
SIZE_CONTROLS = ("size", "print", "dpi")
REGION_FIELDS = ("mask", "feather", "paint", "region_styles", "region_strengths")
CREATE_FIELDS = ("content", "style", "weights", *CONTROLS, *REGION_FIELDS)  # those with a place for a problem
MASK_SIDE = DEFAULT_SIDE  # pixels, long side of a brushed mask at most
_MIN_PRINT_SIDE, _MAX_PRINT_SIDE = 0.1, 9999  # in any unit; an option takes four digits

FORMAT_NAMES: dict[str, str] = {value: format.name for value, format in OUTPUT_FORMATS.items()}
LOSSY_FORMATS = tuple(value for value, format in OUTPUT_FORMATS.items() if format.lossy)
_LOSSY_NAMES = join_words([FORMAT_NAMES[value] for value in LOSSY_FORMATS])
FORMAT_CHOICES = (  # value, words, hint
    ("png", "PNG", "PNG loses nothing."),
    ("jpeg", "JPEG", "JPEG is a smaller file, and loses a little."),
    ("webp", "WebP", "WebP is the smallest file, and loses a little."),
    ("tiff", "TIFF, for print shops", "TIFF loses nothing, but few browsers show it."),
)
MATCH_CHOICES = (("none", "No, as it is"), ("covariance", "Roughly"), ("histogram", "Exactly, shade by shade"))
NETWORK_CHOICES = (("auto", "With their own networks"), ("shared", "With the one for any painting"))
MATCH_NAMES = {"histogram": "Shade by shade", "covariance": "On the whole"}  # of colours that were matched
PAINT_CHOICES = (
    ("inside", "is painted, the rest stays the photo"),
    ("outside", "stays the photo, the rest is painted"),
)
STYLE_SCALE_NAMES = {
    "0.25": "¼ · very fine",
    "0.5": "½ · fine",
    "1": "As in the painting",
    "2": "2 × · broad",  # noqa: RUF001
    "4": "4 × · very broad",  # noqa: RUF001
}
SHEET_SCALE_CHOICES = (("0.5", "½"), ("1", "1"), ("2", "2"))  # of STYLE_SCALE_NAMES, on a contact sheet
START_NAMES = {"pastiche": "A quick pastiche", "content": "The photo", "noise": "Noise"}

PICTURE_KINDS = "JPEG, PNG, WebP or GIF"  # that people have; others may be read as well
INCOMPLETE_PRINT = "Say how wide and how high the print is to be."
TOO_LONG = "This is too large to be painted while you wait. Choose a smaller one, or let the server keep it."
_SENTENCES = {
    "incomplete_print": INCOMPLETE_PRINT,
    "too_long": TOO_LONG,
    "not_a_picture": f"This is not a picture that can be read. Use {PICTURE_KINDS}.",
    "no_styles_to_compare": "Choose the styles to compare first: close this, and pick up to eight in the gallery.",
}


@cache
def option_schemas(options: type[BaseModel]) -> dict[str, JsonObject]:
    """Return each option's JSON schema; one that may be null has the limits of what else it may be."""
    properties = options.model_json_schema()["properties"]
    return {name: _with_limits({**schema.get("anyOf", [{}])[0], **schema}) for name, schema in properties.items()}


def _with_limits(schema: JsonObject) -> JsonObject:
    """Name a number's limits as JSON Schema does; pydantic leaves its own names where a validator comes first."""
    return {{"ge": "minimum", "le": "maximum"}.get(key, key): value for key, value in schema.items()}


@cache
def option_limits() -> dict[str, JsonObject]:
    """Return each option's default, and where it has them its minimum, maximum and choices."""
    keys = {"default": "default", "minimum": "minimum", "maximum": "maximum", "enum": "choices"}
    return {
        name: {key: schema[known] for known, key in keys.items() if known in schema}
        for name, schema in option_schemas(StylizeOptions).items()
    }


@cache
def layer_limits() -> JsonObject:
    """Return the minimum and the maximum of a layer's weight."""
    return _with_limits(option_schemas(RefineOptions)["style_layers"]["additionalProperties"])


def template_options() -> JsonObject:
    """Return what the templates of controls are rendered with."""
    return {
        "limits": option_limits(),
        "default_side": DEFAULT_SIDE,
        "default_dpi": DEFAULT_DPI,
        "print_units": sorted(UNITS_PER_INCH),
        "print_limits": {"minimum": _MIN_PRINT_SIDE, "maximum": _MAX_PRINT_SIDE},
        "slider_max": SLIDER_MAX,
        "slider_default": SLIDER_DEFAULT,
        "max_styles": MAX_STYLES,
        "formats": FORMAT_CHOICES,
        "lossy_formats": LOSSY_FORMATS,
        "lossy_names": _LOSSY_NAMES,
        "matches": MATCH_CHOICES,
        "networks": NETWORK_CHOICES,
        "paints": PAINT_CHOICES,
        "scale_names": STYLE_SCALE_NAMES,
        "sheet_scales": SHEET_SCALE_CHOICES,
        "folded_controls": FOLDED_CONTROLS,
        "region_fields": REGION_FIELDS,
        "create_fields": CREATE_FIELDS,
        "picture_kinds": PICTURE_KINDS,
    }


def script_options(max_bytes: int) -> JsonObject:
    """Return what static/js/shared/options.js reads. `max_bytes`: of what is sent."""
    return {
        "limits": option_limits(),
        "controls": CONTROLS,
        "folded": FOLDED_CONTROLS,
        "sizes": SIZE_CONTROLS,
        "formats": [
            {"name": name, "mediaType": format.media_type, "lossy": format.lossy, "inBrowsers": format.in_browsers}
            for name, format in OUTPUT_FORMATS.items()
        ],
        "files": {"maxBytes": max_bytes},
        "blend": {"maxStyles": MAX_STYLES, "sliderMax": SLIDER_MAX, "sliderDefault": SLIDER_DEFAULT},
        "masks": {
            "most": MAX_MASKS,
            "words": MASK_WORDS,
            "side": MASK_SIDE,
            "tolerance": PROPORTION_TOLERANCE,
            "deviationsPerEdge": DEVIATIONS_PER_EDGE,
        },
        "sheet": {"size": SheetOptions.model_fields["size"].default, "controls": _sheet_controls()},
        "sentences": _SENTENCES,
    }


def _sheet_controls() -> list[str]:
    """Return the controls that every small picture of a contact sheet follows."""
    own = ("size", "format", "quality")
    return [name for name in SheetOptions.model_fields if name in CONTROLS and name not in own]


def control_text(value: Any) -> str:
    """Return a value as a control has it, as short as it reads back the same: 0.02, 10000, 1; empty for None."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
