"""Strength as what one sees of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model import StylizeOptions, stylize
from model.imaging import image_files
from model.pipelines import compositing

STYLES = Path(__file__).resolve().parents[3] / "static" / "styles"
CAT = STYLES / "cat.jpg"
PAINTINGS = ["aurora", "cubes", "engraving", "flow", "vase", "waves"]  # from bold to shy


def tint(photo: np.ndarray, share: float) -> np.ndarray:
    """A stand-in for a network: the more of the style, the darker."""
    return photo * np.float32(1 - 0.5 * share)


def test_the_share_shows_what_was_asked_for(photo: np.ndarray):
    for strength in (0.1, 0.4, 0.8):
        share = compositing.solve_share(strength, photo, lambda share: tint(photo, share))
        assert compositing.colour_difference(tint(photo, share), photo) == pytest.approx(
            strength * compositing.FULL_STRENGTH_DIFFERENCE, abs=2e-3
        )


def test_no_strength_is_no_share(photo: np.ndarray):
    assert compositing.solve_share(0.0, photo, lambda share: tint(photo, share)) == 0


def test_a_style_too_shy_gets_all_it_can(photo: np.ndarray):
    assert compositing.solve_share(1.0, photo, lambda share: photo) == pytest.approx(compositing.MAX_SHARE, abs=0.01)


def test_black_and_white_are_one_apart():
    assert compositing.colour_difference(
        np.zeros((2, 2, 3), "float32"), np.ones((2, 2, 3), "float32")
    ) == pytest.approx(1, abs=1e-4)


def effects(is_steady: bool) -> np.ndarray:
    """How much each painting shows on the cat, at half strength."""
    options = StylizeOptions(size=160, strength=0.5, steady=is_steady)
    cat = image_files.read(CAT, long_side=160).rgb
    painted = [stylize(CAT, [STYLES / f"{name}.jpg"], options).picture.rgb for name in PAINTINGS]
    return np.array([compositing.colour_difference(rgb, cat) for rgb in painted])


def test_the_same_strength_shows_as_much_with_every_painting():
    plain, even = effects(False), effects(True)
    assert np.ptp(even) < 0.25 * np.ptp(plain)


def test_the_recipe_says_what_was_solved():
    recipe = stylize(CAT, [STYLES / "aurora.jpg"], StylizeOptions(size=64, strength=0.5, steady=True)).recipe
    assert 0 < recipe["mix"][0] < 1
    assert "mix" not in stylize(CAT, [STYLES / "aurora.jpg"], StylizeOptions(size=64)).recipe
