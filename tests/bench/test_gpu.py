"""The measurement of a GPU, on a processor and with a tiny network: what it paints, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import keras
import numpy as np
import pytest

from bench import gpu
from bench._operations import operations
from model.networks.architecture import LITE, V1_256, Architecture
from model.networks.transformer import build_transformer
from tests.support.tiny_weights import TINY, tiny_arrays

SIDE = 64  # pixels


@pytest.fixture(scope="module")
def device() -> gpu.Device:
    return replace(gpu.BACKENDS[keras.backend.backend()](), gpu="")


@pytest.fixture(scope="module")
def tiny() -> gpu.Subject:
    vector = np.random.default_rng(0).random((1, TINY.vector_size), dtype="float32")
    return gpu.Subject("tiny", TINY, tiny_arrays(), vector)


def failing(device: gpu.Device, error: Exception) -> gpu.Device:
    """One that compiles nothing."""

    def compiled(*inputs: Any) -> NoReturn:
        raise error

    def compiler(model: keras.Model) -> Callable[..., NoReturn]:
        return compiled

    return replace(device, compiler=compiler)


def test_every_precision_paints_the_same_picture(device: gpu.Device, tiny: gpu.Subject) -> None:
    found = list(gpu.rows(device, tiny, [SIDE], [1, 2]))
    assert [(row.precision, row.batch) for row in found] == [(p, batch) for p in gpu.POLICIES for batch in (1, 2)]
    assert all(row.images for row in found)
    assert min(row.decibels for row in found) > gpu.WORTH
    assert min(row.decibels for row in found if row.precision == "float32") > 90


def test_precisions_leave_keras_as_it_was(tiny: gpu.Subject) -> None:
    assert gpu.time_transformer(tiny, "float16").get_layer(index=-1).compute_dtype == "float16"
    assert keras.config.dtype_policy().name == "float32"


def test_the_report_has_a_cell_for_each_column(device: gpu.Device, tiny: gpu.Subject) -> None:
    text = gpu.measured(device, [tiny], [SIDE], [1], 32)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert text.startswith(f"{gpu.HEADING}\n\nThe processor, under Keras's ")
    assert len(lines) == 2 + len(gpu.POLICIES)
    assert {line.count("|") for line in lines} == {gpu.HEAD.count("|") + 2}
    assert text.endswith("\n\nEvery row is at 40 dB or more.")


def test_rows_stand_by_side_and_batch_and_compare_with_one_in_float32() -> None:
    rates = dict.fromkeys(gpu.POLICIES, 1e9)
    rows = [
        gpu.Row("tiny", 8, 4, "float32", 20.0, None, 90.0),
        gpu.Row("tiny", 8, 1, "bfloat16", 15.0, 5 * 10**9, 39.0),
    ]
    text = gpu.report([gpu.Row("tiny", 8, 1, "float32", 10.0, None, 90.0), *rows], {"tiny": TINY}, rates)
    cells = [[cell.strip() for cell in line.split("|")[3:7]] for line in text.splitlines()[2:5]]
    assert [cell[:2] for cell in cells] == [["1", "float32"], ["1", "bfloat16"], ["4", "float32"]]
    assert [cell[3] for cell in cells] == ["1.00", "1.50", "2.00"]
    assert "| 5.00 | 39.0 |" in text
    assert text.endswith("Below 40 dB: bfloat16 with tiny.")


@pytest.mark.parametrize("words", gpu.OUT_OF_MEMORY)
def test_too_little_memory_is_a_row(device: gpu.Device, tiny: gpu.Subject, words: str) -> None:
    full = failing(device, RuntimeError(f"{words}: 99 GiB"))
    found = list(gpu.rows(full, tiny, [SIDE], [1]))
    assert [row.images for row in found] == [None] * len(gpu.POLICIES)
    text = gpu.report(found, {"tiny": TINY}, dict.fromkeys(gpu.POLICIES, 1.0))
    assert text.count("| out of memory | - | - | - | - |") == len(gpu.POLICIES)


def test_another_failure_ends_it(device: gpu.Device, tiny: gpu.Subject) -> None:
    with pytest.raises(RuntimeError, match="no such kernel"):
        list(gpu.rows(failing(device, RuntimeError("no such kernel")), tiny, [SIDE], [1]))


def test_without_a_gpu_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, device: gpu.Device) -> None:
    monkeypatch.setattr(gpu, "BACKENDS", {keras.backend.backend(): lambda: device})
    assert gpu.section() == f"{gpu.HEADING}\n\n{gpu.NOBODY}"


@pytest.mark.parametrize("architecture", [TINY, LITE, V1_256], ids=["tiny", "lite", "v1-256"])
@pytest.mark.parametrize("size", [(32, 32), (37, 50)])
def test_operations_are_those_of_the_layers(architecture: Architecture, size: tuple[int, int]) -> None:
    transformer = build_transformer(architecture)
    convolutions = [layer for layer in transformer.layers if isinstance(layer, keras.layers.Conv2D)]
    maps = keras.Model(transformer.inputs, [layer.output for layer in convolutions])(
        [np.zeros((1, *size, 3), "float32"), np.zeros((1, architecture.vector_size), "float32")]
    )
    products = [
        np.prod(layer.kernel.shape) * np.prod(m.shape[1:3]) for layer, m in zip(convolutions, maps, strict=True)
    ]
    assert operations(architecture, *size) == 2 * sum(products)
