"""Averages of weights."""

from __future__ import annotations

import keras
import pytest

from model.finetuning.weight_average import WeightAverage

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_an_average_forgets_the_beginning_and_is_put_in_place_for_a_while():
    number = keras.Variable(100.0)
    average = WeightAverage([number], 0.999)
    number.assign(1.0)
    for step in range(1, 200):
        average.update(step)
    assert average.arrays[0] == pytest.approx(1.0, abs=0.01)
    number.assign(5.0)
    with average.in_place():
        assert float(number.value) == pytest.approx(1.0, abs=0.01)
    assert float(number.value) == 5.0
