"""Which precision an encoder computes in: the faster one, tried once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from model.hardware import precision


@pytest.mark.usefixtures("fresh_choice")
@pytest.mark.parametrize(("plain", "mixed", "best"), [(4, 1, "mixed_bfloat16"), (1, 1, "float32"), (1, 4, "float32")])
def test_a_trial_decides_the_precision(monkeypatch: pytest.MonkeyPatch, plain: float, mixed: float, best: str):
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    now, tried = [0.0], []
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(precision, "time", clock)  # not the clock of the whole process

    def trial(dtype: str):
        tried.append(dtype)
        return lambda: now.__setitem__(0, now[0] + (plain if dtype == "float32" else mixed))

    assert [precision.choose_policy("x", trial) for _ in range(2)] == [best, best]
    assert tried == ["float32", "mixed_bfloat16"]


@pytest.mark.usefixtures("fresh_choice")
def test_where_it_cannot_pay_nothing_is_tried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: False)
    assert precision.choose_policy("x", lambda dtype: pytest.fail("tried")) == "float32"
