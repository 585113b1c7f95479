"""Borders of one colour around paintings."""

from __future__ import annotations

import numpy as np
import pytest

from model.imaging.borders import has_border
from tests.support.arrays import noise


def framed(width: int, colour: float = 0.9) -> np.ndarray:
    picture = noise(100, 140, 3)
    picture[:width] = picture[-width:] = picture[:, :width] = picture[:, -width:] = colour
    return picture


@pytest.mark.parametrize("width", [3, 8, 20])
def test_a_mount_of_one_colour(width: int):
    assert has_border(framed(width))


def test_a_little_grain_makes_no_difference():
    assert has_border((framed(8) + np.random.default_rng(1).normal(0, 0.01, (100, 140, 3))).clip(0, 1))


def test_no_border():
    assert not has_border(noise(100, 140, 3))


def test_a_sky_is_no_border():
    picture = noise(100, 140, 3)
    picture[:40] = 0.7
    assert not has_border(picture)


def test_one_colour_all_over_is_no_border():
    assert not has_border(np.full((50, 50, 3), 0.5))
