"""The levels of an optimisation: their sizes, steps and work."""

from __future__ import annotations

import numpy as np
import pytest

from model.refinement.pyramid import PyramidLevel, build_pyramid, remaining_levels, resize_style
from tests.support.encoders import quick_options


def test_what_is_left_of_scales():
    whole = build_pyramid((96, 128), quick_options(steps=30, scales=2))
    assert remaining_levels(whole, 0) == whole
    rest = remaining_levels(whole, whole[0].steps + 2)
    assert [scale.size for scale in rest] == [(96, 128)]
    assert (rest[0].steps, rest[0].steps_before) == (whole[1].steps - 2, whole[0].steps + 2)
    assert rest[0].work_before + rest[0].work == pytest.approx(1)
    assert remaining_levels(whole, 30) == []


def test_scales_go_from_coarse_to_fine():
    found = build_pyramid((384, 512), quick_options(steps=100, scales=3))
    assert [scale.size for scale in found] == [(192, 256), (272, 362), (384, 512)]
    assert sum(scale.steps for scale in found) == 100
    assert [scale.steps_before for scale in found] == [0, found[0].steps, 100 - found[2].steps]
    assert found[0].steps > found[1].steps > found[2].steps
    assert sum(scale.work for scale in found) == pytest.approx(1)
    assert found[2].work_before == pytest.approx(found[0].work + found[1].work)


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (2, 2), (3, 3), (7, 3)])
def test_no_scale_is_without_steps(steps: int, expected: int):
    found = build_pyramid((384, 512), quick_options(steps=steps, scales=3))
    assert len(found) == expected
    assert all(scale.steps > 0 for scale in found)
    assert sum(scale.steps for scale in found) == steps
    assert found[-1].size == (384, 512)


def test_no_scale_is_too_small_to_see_anything():
    assert [scale.size for scale in build_pyramid((75, 100), quick_options(scales=8))] == [(53, 71), (75, 100)]
    assert [scale.size for scale in build_pyramid((75, 100), quick_options(scales=8, encoder="inception_v3"))] == [
        (75, 100)
    ]


@pytest.mark.parametrize(("style_scale", "size"), [(1, (50, 100)), (0.5, (64, 64)), (2, (100, 200))])
def test_strokes_are_as_large_as_asked_for(style_scale: float, size: tuple[int, int]):
    style, scale = np.zeros((300, 600, 3), "float32"), PyramidLevel((100, 80), 1, 0, 1, 0)
    expected = (max(64, size[0]), max(64, size[1]))
    assert resize_style(style, scale, quick_options(style_scale=style_scale)).shape[:2] == expected
