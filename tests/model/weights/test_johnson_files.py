"""Files of networks after Johnson: from PyTorch's, written, read and refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import WeightsBroken
from model.networks.johnson_architecture import JOHNSON, JohnsonArchitecture
from model.weights.checksums import file_sha256
from model.weights.johnson_files import MAX_JOHNSON_BYTES, decode, encode, import_torch
from tests.support.torch_files import TINY_JOHNSON, Call, archive, johnson_arrays, johnson_state, pickles, state_dict

KERNEL, BIAS = "res1.conv1.conv2d.weight", "res1.conv1.conv2d.bias"
ABOUT = {"name": "candy", "architecture": "johnson", "channels": [3, 4, 5], "residual_blocks": 2}


@pytest.fixture
def state() -> dict[str, np.ndarray]:
    return johnson_state()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "candy.pth"


def import_state(path: Path, state: dict[str, np.ndarray], write: Callable[[Any], bytes] = pickles) -> bytes:
    path.write_bytes(write(state_dict(state)))
    return import_torch(path, architecture=TINY_JOHNSON)


def refuse_state(path: Path, state: dict[str, np.ndarray], match: str) -> None:
    with pytest.raises(WeightsBroken, match=match) as caught:
        import_state(path, state)
    assert caught.value.field == "model_path"


@pytest.mark.parametrize("write", [archive, pickles])
def test_a_network_of_pytorch_s_becomes_ours(path: Path, state: dict[str, np.ndarray], write: Callable[[Any], bytes]):
    data = import_state(path, state, write)
    network = decode(data)
    assert (network.name, network.architecture) == ("candy", TINY_JOHNSON)
    path.write_bytes(data)
    assert network.sha256 == file_sha256(path)
    theirs = johnson_arrays(state)
    assert network.arrays.keys() == theirs.keys()
    for name, array in network.arrays.items():
        assert array.dtype == np.float32
        assert np.abs(array - theirs[name]).max() <= np.abs(theirs[name]).max() / 127


def test_a_published_network_is_the_default_and_takes_a_byte_a_number(path: Path):
    path.write_bytes(pickles(state_dict(johnson_state(JOHNSON))))
    data = import_torch(path, "Candy")
    assert len(data) < 1_700_000
    assert (decode(data).name, decode(data).architecture) == ("Candy", JOHNSON)


def test_a_file_says_what_it_is(path: Path, state: dict[str, np.ndarray]):
    with np.load(io.BytesIO(import_state(path, state))) as file:
        assert json.loads(str(file["about"])) == ABOUT
        assert {file[name].dtype.name for name in file.files if name != "about"} == {"int8", "float16", "float32"}


def test_the_same_state_dict_gives_the_same_bytes(path: Path, state: dict[str, np.ndarray]):
    assert import_state(path, state, archive) == import_state(path, state, pickles)


def test_averages_that_older_files_carry_are_left_out(path: Path, state: dict[str, np.ndarray]):
    plain = import_state(path, state)
    for name in ("in1", "in5", "res1.in1", "res2.in2"):
        state |= {f"{name}.running_mean": np.zeros(3), f"{name}.running_var": np.ones(3)}
        state[f"{name}.num_batches_tracked"] = np.int64(7)
    assert import_state(path, state) == plain


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_other_precisions(path: Path, state: dict[str, np.ndarray], kind: str):
    assert decode(import_state(path, {name: array.astype(kind) for name, array in state.items()})).arrays


def test_a_name_is_cut_to_its_length(path: Path, state: dict[str, np.ndarray]):
    import_state(path, state)
    assert len(decode(import_torch(path, "x" * 500, TINY_JOHNSON)).name) == 80


def test_an_array_that_is_missing(path: Path, state: dict[str, np.ndarray]):
    del state[KERNEL]
    refuse_state(path, state, rf"'candy\.pth' is no network of PyTorch's .*: '{KERNEL}' is missing")


def test_whole_numbers_are_no_kernel(path: Path, state: dict[str, np.ndarray]):
    state[KERNEL] = state[KERNEL].astype("int64")
    refuse_state(path, state, f"'{KERNEL}' is missing")


@pytest.mark.parametrize("name", ["res3.conv1.conv2d.weight", "in6.weight", "in1.running_averages", "in1xrunning_mean"])
def test_an_array_too_many(path: Path, state: dict[str, np.ndarray], name: str):
    refuse_state(path, state | {name: np.zeros(3)}, f"'{name}' is one array too many")


@pytest.mark.parametrize("shape", [(), (5,), (5, 5, 3), (5, 4, 3, 3), (5, 5, 3, 3, 1)])
def test_a_kernel_of_another_shape(path: Path, state: dict[str, np.ndarray], shape: tuple[int, ...]):
    refuse_state(path, state | {KERNEL: np.zeros(shape)}, f"'{KERNEL}' has the shape")


def test_a_network_of_other_widths(path: Path):
    refuse_state(path, johnson_state(JohnsonArchitecture((3, 4, 6), 2)), r"'conv3\.conv2d\.weight' has the shape")


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("name", [KERNEL, BIAS])
def test_numbers_that_are_none_or_too_large(path: Path, state: dict[str, np.ndarray], name: str, number: float):
    refuse_state(path, state | {name: np.full(state[name].shape, number)}, "too large, or not finite")


def test_a_file_that_wants_to_run_something(path: Path, state: dict[str, Any]):
    written = state_dict(state)
    written["in1.weight"] = Call(os.system, f"touch {path.with_name('trace')}")
    path.write_bytes(pickles(written))
    with pytest.raises(WeightsBroken, match=r"asks for 'posix\.system'"):
        import_torch(path)
    assert not path.with_name("trace").exists()


@pytest.fixture
def entries(path: Path, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(import_state(path, state))) as file:
        return {name: file[name] for name in file.files}


def npz(entries: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **entries)
    return file.getvalue()


def refuse(data: bytes) -> None:
    with pytest.raises(WeightsBroken, match="is no network of a style") as caught:
        decode(data)
    assert caught.value.field == "style"


def test_entries_as_they_were_are_read(entries: dict[str, np.ndarray]):
    assert decode(npz(entries)).name == "candy"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": 7},
        {"architecture": "magenta"},
        {"channels": [3, 4]},
        {"channels": [3, 4, 0]},
        {"channels": [3, 4, 6]},
        {"residual_blocks": 1},
        {"residual_blocks": 10**9},
        {"residual_blocks": None},
        {"more": 1},
    ],
)
def test_a_file_that_says_something_else(entries: dict[str, np.ndarray], change: dict[str, object]):
    refuse(npz(entries | {"about": np.array(json.dumps(ABOUT | change))}))


@pytest.mark.parametrize("about", ["", "[]", "{}", "no json"])
def test_a_file_that_says_nothing(entries: dict[str, np.ndarray], about: str):
    refuse(npz(entries | {"about": np.array(about)}))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shape": lambda array: array[..., None],
    "length": lambda array: array[:-1],
    "text": lambda array: np.full(array.shape, "1"),
    "objects": lambda array: np.full(array.shape, print),
    "complex": lambda array: array.astype("complex64"),
    "no number": lambda array: np.full(array.shape, np.nan, "float32"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["conv1/conv2d/weights", "conv1/conv2d/weights/scale", "in1/gamma"])
def test_an_entry_of_another_kind(entries: dict[str, np.ndarray], name: str, change: str):
    refuse(npz(entries | {name: CHANGES[change](entries[name])}))


@pytest.mark.parametrize("name", ["about", "conv1/conv2d/weights", "conv1/conv2d/weights/scale", "in1/gamma"])
def test_an_entry_that_is_missing(entries: dict[str, np.ndarray], name: str):
    del entries[name]
    refuse(npz(entries))


def test_an_entry_too_many(entries: dict[str, np.ndarray]):
    refuse(npz(entries | {"more": np.zeros(3)}))


def test_a_file_that_unpacks_to_too_much(entries: dict[str, np.ndarray]):
    data = npz(entries | {"in1/gamma": np.zeros(MAX_JOHNSON_BYTES, "int8")})
    assert len(data) < MAX_JOHNSON_BYTES / 100
    refuse(data)


@pytest.mark.parametrize(
    "header", [b"{'descr': '|i1', 'fortran_order': False, 'shape': (%d,)}" % 10**15, b"(", b"[" * 9000]
)
def test_an_array_with_a_header_of_nonsense(entries: dict[str, np.ndarray], header: bytes):
    data = io.BytesIO(npz({name: entry for name, entry in entries.items() if name != "in1/gamma"}))
    with zipfile.ZipFile(data, "a") as file:
        file.writestr("in1/gamma.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)
    refuse(data.getvalue())


@pytest.mark.parametrize("data", [b"", b"no file", b"PK\5\6" + bytes(18)])
def test_a_file_of_another_kind(data: bytes):
    refuse(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short(entries: dict[str, np.ndarray], share: float):
    data = npz(entries)
    refuse(data[: int(share * len(data))])


def test_a_name_too_long_is_not_written():
    with pytest.raises(ValueError, match="name"):
        encode("x" * 81, TINY_JOHNSON, {})
