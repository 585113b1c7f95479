"""Every option's limits, as a door would hand them in: numbers, or a form's text."""

from __future__ import annotations

import math

import pytest

from model.errors import InvalidOption
from model.options import MAX_STYLES, StylizeOptions


def refusal(**values: object) -> tuple[str | None, str]:
    with pytest.raises(InvalidOption) as caught:
        StylizeOptions.parse(values)
    return caught.value.field, str(caught.value)


def test_defaults():
    assert StylizeOptions.parse({}) == StylizeOptions()
    assert StylizeOptions().model_dump() == {
        "strength": 1.0,
        "size": None,
        "weights": None,
        "format": "png",
        "quality": 92,
    }


def test_every_option_says_what_it_does():
    assert all(field.description for field in StylizeOptions.model_fields.values())


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
        ("strength", 1.01, "'strength' must be 1 or less."),
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
        ("size", 4097, "'size' must be 4096 or less."),
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
        ("format", "gif", "'format' must be 'png', 'jpeg' or 'webp'."),
        ("format", "PNG", "'format' must be 'png', 'jpeg' or 'webp'."),
        ("format", None, "'format' must be 'png', 'jpeg' or 'webp'."),
        ("quality", 0, "'quality' must be 1 or more."),
        ("quality", 101, "'quality' must be 100 or less."),
        ("quality", 92.5, "'quality' must be a whole number."),
        ("quality", True, "'quality' must be a number."),
        ("strenght", 1, "'strenght' must be left out: the options are strength, size, weights, format, quality."),
    ],
)
def test_outside_its_limits(name: str, value: object, sentence: str):
    assert refusal(**{name: value}) == (name, sentence)


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
