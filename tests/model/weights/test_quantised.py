"""Weights in eight bits."""

from __future__ import annotations

import numpy as np
import pytest

from model.weights.npz import dequantise, quantise


def test_they_are_nearly_what_they_were():
    rng = np.random.default_rng(0)
    arrays = {"kernel": rng.normal(size=(3, 3, 5, 7)) * 10.0 ** np.arange(-3, 4), "biases": rng.normal(size=7)}
    again = dequantise(quantise(arrays))
    assert again.keys() == arrays.keys()
    assert again["kernel"].dtype == np.float32
    steps = np.abs(arrays["kernel"]).max((0, 1, 2)) / 127
    assert np.all(np.abs(again["kernel"] - arrays["kernel"]) < 0.51 * steps)
    assert np.allclose(again["biases"], arrays["biases"], atol=2e-3)


def test_a_kernel_takes_a_byte_a_number():
    entries = quantise({"kernel": np.ones((3, 3, 5, 7)), "biases": np.ones(7)})
    assert {name: entry.dtype.name for name, entry in entries.items()} == {
        "kernel": "int8",
        "kernel/scale": "float32",
        "biases": "float16",
    }


def test_a_channel_of_zeros_stays_so():
    assert not dequantise(quantise({"kernel": np.zeros((3, 3, 2, 2))}))["kernel"].any()


def test_what_was_not_packed_is_left_alone():
    arrays = {"kernel": np.ones((1, 1, 2, 2), "float16")}
    assert dequantise(arrays)["kernel"] is arrays["kernel"]


@pytest.mark.parametrize(
    ("name", "value"), [("kernel", np.nan), ("kernel", np.inf), ("biases", np.nan), ("biases", 1e9)]
)
def test_what_is_no_number_is_refused(name: str, value: float):
    array = np.full((1, 1, 2, 2) if name == "kernel" else (2,), value)
    with pytest.raises(ValueError, match="not finite"):
        quantise({name: array})
