"""Weights files of this project: written, read, refused, and quantised to eight bits."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.errors import WeightsBroken
from model.networks.architecture import SMALL, V1_256, Architecture
from model.weights.npz import dequantise, quantise, read_npz, write_npz

ARRAYS = {"transformer/contract/conv1/weights": np.full((2, 3), 0.5), "texture/vector/biases": np.arange(4.0)}


@pytest.mark.parametrize("architecture", [SMALL, V1_256], ids=["small", "v1-256"])
def test_what_is_written_is_read(tmp_path: Path, architecture: Architecture):
    write_npz(tmp_path / "weights.npz", architecture, ARRAYS)
    read, arrays = read_npz(tmp_path / "weights.npz")
    assert read == architecture
    assert arrays.keys() == ARRAYS.keys()
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert {array.dtype for array in arrays.values()} == {np.dtype("float16")}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("number", [1e6, np.inf, np.nan])
def test_numbers_that_halves_cannot_hold(tmp_path: Path, number: float):
    with pytest.raises(ValueError, match="float16"):
        write_npz(tmp_path / "weights.npz", SMALL, {"weights": np.array([number])})
    assert not (tmp_path / "weights.npz").exists()


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(WeightsBroken, match=r"'weights\.npz' is not a weights file"):
        read_npz(tmp_path / "weights.npz")


@pytest.fixture
def good(tmp_path: Path) -> bytes:
    path = tmp_path / "good.npz"
    write_npz(path, SMALL, {"weights": np.random.default_rng(0).integers(0, 9, 20_000)})
    return path.read_bytes()


def broken(path: Path, data: bytes) -> WeightsBroken:
    path.write_bytes(data)
    with pytest.raises(WeightsBroken) as caught:
        read_npz(path)
    assert caught.value.field == "model_path"
    return caught.value


@pytest.mark.parametrize("data", [b"", b"not weights", b"PK\5\6" + bytes(18)], ids=["empty", "text", "empty archive"])
def test_a_file_of_another_kind(tmp_path: Path, data: bytes):
    broken(tmp_path / "weights.npz", data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_short(tmp_path: Path, good: bytes, share: float):
    broken(tmp_path / "weights.npz", good[: int(share * len(good))])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("length", [1, 2, 50])
def test_a_file_changed_inside(tmp_path: Path, good: bytes, share: float, length: int):
    at = int(share * len(good))
    broken(tmp_path / "weights.npz", good[:at] + bytes(255 - b for b in good[at : at + length]) + good[at + length :])


def npz(**entries: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(entry) for name, entry in entries.items()})
    return file.getvalue()


SIZES = {"predictor": "texture", "vector_size": 8, "channels": [1, 2, 3], "residual_blocks": 1}


@pytest.mark.parametrize(
    "architecture",
    [
        "no json",
        "[]",
        "7",
        "{}",
        json.dumps(SIZES | {"channels": 3}),
        json.dumps(SIZES | {"depth": 3}),
        json.dumps({name: value for name, value in SIZES.items() if name != "vector_size"}),
    ],
)
def test_sizes_that_make_no_sense(tmp_path: Path, architecture: str):
    broken(tmp_path / "weights.npz", npz(architecture=architecture))


def test_arrays_of_somebody_else(tmp_path: Path):
    broken(tmp_path / "weights.npz", npz(weights=[1.0, 2.0]))
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    broken(tmp_path / "weights.npz", file.getvalue())


def test_no_code_is_run(tmp_path: Path):
    path = tmp_path / "weights.npz"
    np.savez(path, architecture=np.array(json.dumps(SIZES)), weights=np.array([print], dtype=object))
    with zipfile.ZipFile(path) as archive:
        assert b"print" in archive.read("weights.npy")
    broken(path, path.read_bytes())


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
