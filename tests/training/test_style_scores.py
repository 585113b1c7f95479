"""The table of the gallery's scores."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from training.scores import Score
from training.style_scores import PAINTERS, named_rows


def score(style: float) -> dict[str, float]:
    return asdict(Score(style, 0.5, 0.02, 0.3, 0.6, 0.4))


def test_each_style_has_a_row_for_each_painter_and_then_come_the_means():
    known = {
        name: {"sha256": name, PAINTERS[0]: [score(0.4), score(0.6)], PAINTERS[1]: [score(0.2), score(0.2)]}
        for name in ("waves", "flow")
    }
    rows = named_rows(known)
    assert list(rows) == [
        *("flow, shared network", "flow, own network", "waves, shared network", "waves, own network"),
        *("mean, shared network", "mean, own network"),
    ]
    assert sum(s.style for s in rows["mean, shared network"]) / 4 == pytest.approx(0.5)
    assert [s.style for s in rows["flow, own network"]] == [0.2, 0.2]
