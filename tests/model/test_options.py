"""Every option's limits, as a door would hand them in: numbers, or a form's text."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from pydantic import BaseModel

from model.errors import InvalidOption
from model.options import (
    MAX_SIDE,
    MAX_STYLES,
    OPTIONS_BY_METHOD,
    PRESETS,
    EncoderName,
    Method,
    Preset,
    RefineOptions,
    SheetOptions,
    StylizeOptions,
    TrainOptions,
    join_words,
)
from model.refinement import encoder_registry

PRINT = "the two sides of a print with their unit, such as 60x40cm, 24x16in or 600x400mm"


def refusal(options: type[StylizeOptions | RefineOptions] = StylizeOptions, **values: object) -> tuple[str | None, str]:
    with pytest.raises(InvalidOption) as caught:
        options.parse(values)
    return caught.value.field, str(caught.value)


def test_every_method_has_its_options():
    assert tuple(OPTIONS_BY_METHOD) == get_args(Method)


def test_defaults():
    assert StylizeOptions.parse({}) == StylizeOptions()
    assert StylizeOptions().model_dump(exclude_none=True) == {
        "strength": 1.0,
        "network": "auto",
        "steady": False,
        "style_scale": 1.0,
        "keep_colours": 0.0,
        "keep_light": 0.0,
        "match_colours": "none",
        "feather": 0.0,
        "paint": "inside",
        "tiles": "auto",
        "format": "png",
        "quality": 92,
    }


@pytest.mark.parametrize("options", [StylizeOptions, RefineOptions, SheetOptions])
def test_every_option_says_what_it_does(options: type[BaseModel]):
    assert all(field.description for field in options.model_fields.values())


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("strength", "0", 0.0),
        ("strength", " 0.5 ", 0.5),
        ("strength", 1, 1.0),
        ("size", 32, 32),
        ("size", "4096", 4096),
        ("size", 640.0, 640),
        ("size", "own", None),
        ("size", MAX_SIDE, MAX_SIDE),
        ("dpi", "own", None),
        ("steady", "yes", True),
        ("steady", "no", False),
        ("print", "60 x 40 CM", "60x40cm"),
        ("print", "8.5\u00d711in", "8.5x11in"),
        ("print", "no", None),
        ("region_styles", "2,0", [2, 0]),
        ("region_strengths", [0, 1], [0.0, 1.0]),
        ("format", "tiff", "tiff"),
        ("weights", "2, 1", [2.0, 1.0]),
        ("weights", "0", [0.0]),
        ("weights", (1, 2), [1.0, 2.0]),
        ("weights", [1] * MAX_STYLES, [1.0] * MAX_STYLES),
        ("format", "webp", "webp"),
        ("quality", "1", 1),
        ("quality", 100, 100),
    ],
)
def test_within_its_limits(name: str, typed: object, value: object):
    assert getattr(StylizeOptions.parse({name: typed}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("strength", -0.01, "'strength' must be 0 or more."),
        ("strength", 1.51, "'strength' must be 1.5 or less."),
        ("strength", True, "'strength' must be a number."),
        ("strength", "0_1", "'strength' must be a number."),
        ("strength", math.nan, "'strength' must be a finite number."),
        ("strength", "nan", "'strength' must be a finite number."),
        ("strength", math.inf, "'strength' must be a finite number."),
        ("strength", "strong", "'strength' must be a number."),
        ("strength", "", "'strength' must be a number."),
        ("strength", None, "'strength' must be a number."),
        ("strength", [1], "'strength' must be a number."),
        ("size", 31, "'size' must be 32 or more."),
        ("size", MAX_SIDE + 1, "'size' must be 32768 or less."),
        ("size", 0, "'size' must be 32 or more."),
        ("size", True, "'size' must be a number."),
        ("size", None, "'size' must be a whole number."),
        ("size", "", "'size' must be a whole number."),
        ("size", "1_00", "'size' must be a number."),
        ("size", 100.5, "'size' must be a whole number."),
        ("size", math.nan, "'size' must be a finite number."),
        ("size", "large", "'size' must be a whole number."),
        ("size", "9" * 5000, "'size' must be a whole number of fewer digits."),
        ("weights", [-1], "'weights' must be 0 or more."),
        ("weights", [1, 1001], "'weights' must be 1000 or less."),
        ("weights", [True], "'weights' must be a number."),
        ("weights", [math.nan], "'weights' must be a finite number."),
        ("weights", "1,inf", "'weights' must be a finite number."),
        ("weights", "1,,2", "'weights' must be a number."),
        ("weights", ["much"], "'weights' must be a number."),
        ("weights", " ", "'weights' must be a number."),
        ("weights", None, "'weights' must be a list of numbers."),
        ("weights", 0.5, "'weights' must be a list of numbers."),
        ("weights", False, "'weights' must be a list of numbers."),
        ("weights", [1] * (MAX_STYLES + 1), "'weights' must be at most 8 numbers."),
        ("format", "gif", "'format' must be 'png', 'jpeg', 'webp' or 'tiff'."),
        ("format", "PNG", "'format' must be 'png', 'jpeg', 'webp' or 'tiff'."),
        ("format", None, "'format' must be 'png', 'jpeg', 'webp' or 'tiff'."),
        ("quality", 0, "'quality' must be 1 or more."),
        ("quality", 101, "'quality' must be 100 or less."),
        ("quality", 92.5, "'quality' must be a whole number."),
        ("quality", True, "'quality' must be a number."),
        ("steady", "perhaps", "'steady' must be yes or no."),
        ("steady", None, "'steady' must be yes or no."),
        ("print", "60", f"'print' must be {PRINT}."),
        ("print", "60x40", f"'print' must be {PRINT}."),
        ("print", "-6x4in", f"'print' must be {PRINT}."),
        ("print", None, f"'print' must be {PRINT}."),
        ("dpi", 29, "'dpi' must be 30 or more."),
        ("dpi", None, "'dpi' must be a whole number."),
        ("region_styles", "9", "'region_styles' must be 8 or less."),
        ("region_styles", [0] * 9, "'region_styles' must be at most 8 numbers."),
        ("region_strengths", "0.5,2", "'region_strengths' must be 1.5 or less."),
        ("network", "mine", "'network' must be 'auto' or 'shared'."),
        ("feather", 21, "'feather' must be 20 or less."),
        ("paint", "around", "'paint' must be 'inside' or 'outside'."),
    ],
)
def test_outside_its_limits(name: str, value: object, sentence: str):
    assert refusal(**{name: value}) == (name, sentence)


def test_an_option_that_there_is_not():
    field, sentence = refusal(seed=1)
    assert field == "seed"
    assert sentence.startswith("There is no option 'seed': the options are ")
    assert all(name in sentence for name in StylizeOptions.model_fields)


@pytest.mark.parametrize(("name", "meant"), [("strenght", "strength"), ("keep_colors", "keep_colours")])
def test_a_misspelled_option_is_told_by_its_name(name: str, meant: str):
    assert refusal(**{name: 1}) == (name, f"There is no option '{name}': did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("styles", "weights", "sentence"),
    [
        (1, [1, 2], "There is 1 style but 2 weights: give one for each."),
        (2, [1], "There are 2 styles but 1 weight: give one for each."),
    ],
)
def test_one_is_not_several(styles: int, weights: list[float], sentence: str):
    with pytest.raises(InvalidOption) as raised:
        StylizeOptions(weights=weights).blend_weights(styles)
    assert str(raised.value) == sentence


def test_one_mask_is_not_several():
    with pytest.raises(InvalidOption, match=r"There is 1 mask but 2 'region_styles'"):
        StylizeOptions(region_styles=[1, 1]).resolve_regions(1, 1)
    with pytest.raises(InvalidOption, match=r"no style 2 for a mask: there is 1 style\."):
        StylizeOptions(region_styles=[2]).resolve_regions(1, 1)


@pytest.mark.parametrize(
    ("options", "photo", "result"),
    [
        ({}, (3000, 1000), (2048, 683)),
        ({}, (30, 10), (30, 10)),
        ({"size": 64}, (10, 40), (16, 64)),
        ({"print": "60x40cm"}, (3000, 2000), (7087, 4724)),
        ({"print": "60x40cm"}, (2000, 3000), (4724, 7087)),  # a print may be turned
        ({"print": "60x40cm"}, (1000, 1000), (4724, 4724)),  # and nothing is cut off
        ({"print": "10x8in", "dpi": 100}, (500, 400), (1000, 800)),
        ({"print": "254x1000mm", "dpi": 100}, (100, 200), (1000, 2000)),
    ],
)
def test_the_size_of_a_result(options: dict[str, object], photo: tuple[int, int], result: tuple[int, int]):
    assert StylizeOptions.parse(options).result_size(*photo) == result


@pytest.mark.parametrize(
    ("options", "field"),
    [({"size": 20_000}, "size"), ({"print": "3x3in", "dpi": 2400}, None), ({"print": "60x60in"}, "print")],
)
def test_a_result_has_no_more_pixels_than_can_be_painted(options: dict[str, object], field: str | None):
    chosen = StylizeOptions.parse(options)
    if field is None:
        assert chosen.result_size(100, 100) == (7200, 7200)
        return
    with pytest.raises(InvalidOption, match="million pixels") as raised:
        chosen.result_size(100, 100)
    assert raised.value.field == field


def test_a_print_too_small_to_paint():
    with pytest.raises(InvalidOption, match="less than 32 pixels"):
        StylizeOptions.parse({"print": "1x1mm"}).result_size(100, 100)


def test_a_size_or_a_print():
    assert refusal(size=100, print="6x4in") == ("print", "Give 'size' or 'print', not both.")


@pytest.mark.parametrize(
    ("options", "masks", "styles", "regions"),
    [
        ({}, 0, 2, []),
        ({}, 1, 2, [(0, 1.0)]),  # one mask: the blend
        ({}, 2, 2, [(1, 1.0), (2, 1.0)]),  # as many as styles: in turn
        ({"strength": 0.5}, 3, 2, [(0, 0.5)] * 3),
        ({"region_styles": "2,0"}, 2, 2, [(2, 1.0), (0, 1.0)]),
        ({"region_strengths": "0.2,0.4"}, 2, 1, [(0, 0.2), (0, 0.4)]),
    ],
)
def test_regions(options: dict[str, object], masks: int, styles: int, regions: list[tuple[int, float]]):
    assert StylizeOptions.parse(options).resolve_regions(masks, styles) == regions


@pytest.mark.parametrize(
    ("options", "masks", "field"),
    [
        ({}, 9, "mask"),
        ({"region_styles": "1"}, 2, "region_styles"),
        ({"region_styles": "3"}, 1, "region_styles"),
        ({"region_strengths": "1,1"}, 1, "region_strengths"),
    ],
)
def test_regions_that_do_not_fit(options: dict[str, object], masks: int, field: str):
    with pytest.raises(InvalidOption) as raised:
        StylizeOptions.parse(options).resolve_regions(masks, 2)
    assert raised.value.field == field


def test_a_sheet_has_so_many_pictures():
    assert SheetOptions.parse({"strengths": "0.5,1", "style_scales": "0.5,1,2"}).count_cells(4) == 24
    with pytest.raises(InvalidOption, match="at most 96 pictures, not 192"):
        SheetOptions(strengths=[0.5] * 8, style_scales=[1.0] * 8).count_cells(3)
    with pytest.raises(InvalidOption, match="between 1 and 8 styles, not 0"):
        SheetOptions().count_cells(0)


def test_options_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        StylizeOptions().strength = 0.5


def weighted(weights: list[float] | None) -> StylizeOptions:
    return StylizeOptions() if weights is None else StylizeOptions(weights=weights)


@pytest.mark.parametrize(
    ("weights", "styles", "shares"),
    [
        (None, 1, [1.0]),
        (None, 4, [0.25] * 4),
        ([3, 1], 2, [0.75, 0.25]),
        ([0, 5], 2, [0.0, 1.0]),
        ([0.2], 1, [1.0]),
    ],
)
def test_weights_become_shares(weights: list[float] | None, styles: int, shares: list[float]):
    assert weighted(weights).blend_weights(styles) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("weights", "styles", "field"),
    [
        (None, 0, "style"),
        (None, MAX_STYLES + 1, "style"),
        ([1], 2, "weights"),
        ([1, 1], 1, "weights"),
        ([], 1, "weights"),
        ([0, 0], 2, "weights"),
    ],
)
def test_weights_that_do_not_fit_the_styles(weights: list[float] | None, styles: int, field: str):
    with pytest.raises(InvalidOption) as caught:
        weighted(weights).blend_weights(styles)
    assert caught.value.field == field


# Refining


def test_encoders_and_presets_are_those_there_are():
    assert {*get_args(EncoderName)} == {"auto", *encoder_registry.ENCODERS}
    assert get_args(Preset) == tuple(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_decides_what_is_left_out(preset: str):
    options = RefineOptions.parse({"preset": preset})
    assert options.preset == preset
    assert {name: getattr(options, name) for name in PRESETS[preset]} == PRESETS[preset]
    assert RefineOptions.parse({"preset": preset, "steps": 7}) == options.model_copy(update={"steps": 7})


@pytest.mark.parametrize("preset", PRESETS)
def test_options_survive_a_journey_as_json(preset: str):
    options = RefineOptions.parse({"preset": preset, "weights": "2,1", "style_layers": "block1_conv1:0.5"})
    assert RefineOptions.parse(options.model_dump(mode="json", exclude_none=True)) == options


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_layers_that_its_encoder_has(preset: str):
    options = RefineOptions.parse({"preset": preset})
    encoder = encoder_registry.get(encoder_registry.SLIM if options.encoder == "auto" else options.encoder)
    encoder.check([*(options.content_layers or {}), *(options.style_layers or {})], "layers")


def test_a_preset_s_layers_go_with_its_encoder():
    assert RefineOptions.parse({"preset": "tutorial"}).content_layers == {"block5_conv2": 1.0}
    assert RefineOptions.parse({"preset": "tutorial", "encoder": "resnet50"}).content_layers is None


def test_no_preset_is_balanced():
    assert RefineOptions() == RefineOptions.parse({"preset": "balanced"})


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("encoder", "vgg16", "vgg16"),
        ("style_layers", "block1_conv1:0.5, block2_conv1", {"block1_conv1": 0.5, "block2_conv1": 1.0}),
        ("style_layers", ["block1_conv1", "block2_conv1:0"], {"block1_conv1": 1.0, "block2_conv1": 0.0}),
        ("content_layers", {"block4_conv2": "0.3"}, {"block4_conv2": 0.3}),
        ("content_weight", "0", 0.0),
        ("seconds", "12.5", 12.5),
        ("seconds", "unlimited", None),
        ("steps", "10000", 10_000),
        ("size", 100, 100),
        ("start", "noise", "noise"),
        ("seed", "999999999", 999_999_999),
        ("weights", "2, 1", [2.0, 1.0]),
    ],
)
def test_a_refinement_within_its_limits(name: str, typed: object, value: object):
    assert getattr(RefineOptions.parse({name: typed}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("preset", "better", "'fast', 'balanced', 'best', 'stransfer', 'tutorial' or 'paper'"),
        ("preset", ["fast"], "'fast', 'balanced', 'best', 'stransfer', 'tutorial' or 'paper'"),
        ("loss", "squared", "'relative' or 'absolute'"),
        ("optimizer", "sgd", "'adam' or 'lbfgs'"),
        ("start", "photo", "'pastiche', 'content' or 'noise'"),
        ("style_layers", "block1_conv1, block1_conv1:0", "layers' names, each once"),
        ("style_layers", None, "layers' names with their weights"),
        ("content_layers", 3, "layers' names with their weights"),
        ("content_weight", -1, "0 or more"),
        ("style_weight", math.inf, "a finite number"),
        ("variation_weight", "nan", "a finite number"),
        ("rate", 0, "more than 0"),
        ("rate", 1.5, "1 or less"),
        ("steps", 0, "1 or more"),
        ("steps", 10_001, "10000 or less"),
        ("steps", 2.5, "a whole number"),
        ("seconds", 0, "more than 0"),
        ("seconds", None, "a number"),
        ("size", 99, "100 or more"),
        ("size", 2049, "2048 or less"),
        ("seed", -1, "0 or more"),
        ("seed", 10**9, "999999999 or less"),
        ("style_scale", 0.2, "0.25 or more"),
        ("scales", 9, "8 or less"),
        ("average", 1, "0.999 or less"),
        ("patience", -1, "0 or more"),
        ("strength", 2, "1 or less"),
    ],
)
def test_a_refinement_outside_its_limits(name: str, value: object, reason: str):
    assert refusal(RefineOptions, **{name: value}) == (name, f"'{name}' must be {reason}.")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("block1_conv1:2", "block1_conv1 must be 1 or less"),
        ("block1_conv1:much", "block1_conv1 must be a number"),
        ({"block1_conv1": math.nan}, "block1_conv1 must be a finite number"),
        ({"x" * 99: -1}, f"{'x' * 40} must be 0 or more"),
    ],
)
def test_a_layer_outside_its_limits_is_named(value: object, reason: str):
    assert refusal(RefineOptions, style_layers=value) == ("style_layers", f"'style_layers': {reason}.")


@pytest.mark.parametrize("none", [{}, "block1_conv1:0"])
def test_without_any_layer_nothing_counts(none: object):
    sentence = "'style_layers' must have a weight that is more than 0."
    assert refusal(RefineOptions, style_layers=none, content_weight=0) == ("style_layers", sentence)
    assert RefineOptions.parse({"style_layers": none}).content_weight


def test_something_must_count():
    sentence = "'style_weight' must be more than 0 where 'content_weight' is 0."
    assert refusal(RefineOptions, content_weight=0, style_weight=0) == ("style_weight", sentence)
    assert RefineOptions.parse({"content_weight": 0}).content_weight == 0


def test_an_unknown_option_is_answered_with_the_right_ones():
    field, sentence = refusal(RefineOptions, momentum=3)
    assert field == "momentum"
    assert all(name in sentence for name in RefineOptions.model_fields)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"style_layers": "block1_conv1:0", "content_weight": 0}, "style_layers"),
        ({"style_layers": {"block1_conv1": 0}, "content_layers": "block4_conv2:0"}, "style_layers"),
        ({"content_layers": "block4_conv2:0", "style_weight": 0}, "content_layers"),
    ],
)
def test_some_layer_must_count(values: dict[str, object], field: str):
    assert refusal(RefineOptions, **values)[0] == field


@pytest.mark.parametrize(
    ("words", "joined"), [(["PNG"], "PNG"), (["PNG", "JPEG"], "PNG or JPEG"), (["a", "b", "c"], "a, b or c")]
)
def test_words_are_joined_as_a_sentence_lists_them(words, joined):
    assert join_words(words, "or") == joined


def test_the_preset_johnson_is_that_of_the_paper():
    options = TrainOptions.parse({"preset": "johnson", "style_weight": 5e9})
    assert (options.judge, options.loss, options.content_weight, options.batch) == ("vgg16", "absolute", 1e5, 4)
    assert (options.style_weight, options.flat_weight, options.noise_weight) == (5e9, 0, 0)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"preset": "gatys"}, "preset"),
        ({"loss": "absolute"}, "judge"),
        ({"preset": "johnson", "judge": "auto"}, "judge"),
    ],
)
def test_presets_and_losses_that_cannot_be(values: dict[str, str], field: str):
    with pytest.raises(InvalidOption) as caught:
        TrainOptions.parse(values)
    assert caught.value.field == field
