"""The table of how alike pictures of all sizes look, and the way that they are compared with."""

from __future__ import annotations

from model.pipelines import coarse_to_fine
from training.sizes import SIDES, WAYS, at_once, table


def test_at_once_every_size_is_painted_by_one_pass():
    assert len(coarse_to_fine.level_sizes(2048, 2048)) > 1
    with at_once():
        assert coarse_to_fine.level_sizes(2048, 2048) == [(2048, 2048)]
    assert len(coarse_to_fine.level_sizes(2048, 2048)) > 1


def test_rows_are_means():
    one, other = ([(style, 0.9)] * len(SIDES) for style in (0.1, 0.3))
    text = table({WAYS[0]: [one, other], WAYS[1]: [[(0.5, 0.4)] * len(SIDES)]})
    assert "| coarse to fine, style error | 0.200 |" in text
    assert "| at once, SSIM to the smallest | 0.400 |" in text
