"""The policy that training is done by."""

from __future__ import annotations

import keras
import pytest

from model.finetuning.precision import dtype_policy, fastest_policy
from model.hardware import precision


def test_layers_inside_have_the_policy_and_those_after_do_not():
    with dtype_policy("mixed_bfloat16"):
        inside = keras.layers.Dense(1)
    assert inside.dtype_policy.name == "mixed_bfloat16"
    assert keras.layers.Dense(1).dtype_policy.name == "float32"


def test_an_error_inside_gives_the_policy_back():
    with pytest.raises(ValueError, match="stop"), dtype_policy("mixed_bfloat16"):
        raise ValueError("stop")
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.usefixtures("fresh_choice")
@pytest.mark.parametrize(("seconds", "policy"), [((1.0, 0.4), "mixed_bfloat16"), ((1.0, 0.9), "float32")])
def test_the_faster_one_is_chosen(monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float], policy: str):
    times = iter(seconds)
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_best_seconds", lambda run: run() is not None and next(times))
    assert fastest_policy() == policy
