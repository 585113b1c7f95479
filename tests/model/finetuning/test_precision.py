"""The policy that training is done by."""

from __future__ import annotations

import pytest

from model.finetuning.precision import fastest_policy
from model.hardware import precision


@pytest.mark.usefixtures("fresh_choice")
@pytest.mark.parametrize(("seconds", "policy"), [((1.0, 0.4), "mixed_bfloat16"), ((1.0, 0.9), "float32")])
def test_the_faster_one_is_chosen(monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], policy: str):
    times = iter(seconds)
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_best_seconds", lambda run: run() is not None and next(times))
    assert fastest_policy() == policy
