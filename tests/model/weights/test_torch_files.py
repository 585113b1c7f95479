"""PyTorch's files of both kinds, read and refused."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import WeightsBroken
from model.weights import torch_files
from model.weights.torch_files import looks_like_torch, read_state_dict
from tests.support.torch_files import Call, Storage, Tensor, archive, pickles, state_dict

RNG = np.random.default_rng(0)
ARRAYS = {
    "conv1.conv2d.weight": RNG.normal(size=(4, 3, 5, 5)).astype("float32"),
    "conv1.conv2d.bias": RNG.normal(size=4).astype("float64"),
    "in1.weight": RNG.normal(size=4).astype("float16"),
    "in1.bias": np.float32(7).reshape(()),
}
KINDS: dict[str, Callable[..., bytes]] = {"archive": archive, "pickles": pickles}


@pytest.fixture(params=KINDS)
def write(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    """Writes files of one kind, then of the other."""
    return KINDS[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "candy.pth"


def read(path: Path, data: bytes) -> dict[str, np.ndarray]:
    path.write_bytes(data)
    return read_state_dict(path)


def refuse(path: Path, data: bytes, match: str = r"'candy\.pth' is no state dict saved by PyTorch") -> None:
    with pytest.raises(WeightsBroken, match=match) as caught:
        read(path, data)
    assert caught.value.field == "model_path"


@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_are_read_as_they_were(path: Path, write: Callable[..., bytes], protocol: int):
    arrays = read(path, write(state_dict(ARRAYS), protocol=protocol))
    assert list(arrays) == list(ARRAYS)
    for name, array in arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        assert np.array_equal(array, ARRAYS[name])
        assert not array.flags.writeable


def test_whole_numbers_are_left_out(path: Path, write: Callable[..., bytes]):
    counted = {"in1.num_batches_tracked": np.int64(3), **ARRAYS, "steps": np.arange(3)}
    assert list(read(path, write(state_dict(counted)))) == list(ARRAYS)


def test_strides_and_offsets_are_followed(path: Path, write: Callable[..., bytes]):
    storage = Storage(np.arange(24, dtype="float32"), "1")
    state = {
        "turned": Tensor(storage, 0, (4, 6), (1, 4)),
        "part": Tensor(storage, 5, (2, 3), (6, 1)),
        "repeated": Tensor(storage, 23, (2, 3), (0, 0)),
    }
    arrays = read(path, write(state))
    numbers = np.arange(24).reshape(4, 6)
    assert np.array_equal(arrays["turned"], np.arange(24).reshape(6, 4).T)
    assert np.array_equal(arrays["part"], [[5, 6, 7], [11, 12, 13]])
    assert np.array_equal(arrays["repeated"], np.full((2, 3), numbers[-1, -1]))


def test_an_archive_without_its_byte_order_is_little_endian(path: Path):
    assert list(read(path, archive(state_dict(ARRAYS), byte_order=None))) == list(ARRAYS)


@pytest.mark.parametrize("byte_order", [b"big", b"middle"])
def test_other_byte_orders_are_refused(path: Path, byte_order: bytes):
    refuse(path, archive(state_dict(ARRAYS), byte_order=byte_order))


def test_a_compressed_archive_is_refused(path: Path):
    refuse(path, archive(state_dict(ARRAYS), compression=zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"not weights",
        b"PK\3\4",
        b"PK\5\6" + bytes(18),
        b"\x89HDF\r\n",
        bytes(1000),
        b"\x80\x02K\x01." * 9,
    ],
    ids=["empty", "byte", "text", "zip", "empty zip", "hdf", "zeros", "numbers"],
)
def test_a_file_of_another_kind(path: Path, data: bytes):
    refuse(path, data)


def test_no_file_and_no_readable_one(path: Path):
    for missing in (path, path.parent, Path("\0")):
        with pytest.raises(WeightsBroken, match="is no state dict"):
            read_state_dict(missing)


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        [],
        [("a", 1)],
        {"a": 1},
        {"a": {"b": 1}},
        {"epoch": 3, "a": Tensor(Storage(np.zeros(1), "1"), 0, (1,), (1,))},
    ],
    ids=lambda state: type(state).__name__,
)
def test_something_else_than_tensors(path: Path, write: Callable[..., bytes], state: Any):
    refuse(path, write(state))


def test_a_call_in_a_file_is_not_made(path: Path, write: Callable[..., bytes]):
    trace = path.with_name("trace")
    state = state_dict(ARRAYS)
    state["in2.weight"] = Call(os.system, f"touch {trace}")
    refuse(path, write(state), match=r"asks for 'posix\.system'")
    assert not trace.exists()


@pytest.mark.parametrize("size", [0, 1, 11, 13, 2**31, 2**60, 2**63])
def test_a_storage_of_another_size_than_it_says(path: Path, write: Callable[..., bytes], size: int):
    refuse(path, write({"a": Tensor(Storage(np.zeros(12), "1", size), 0, (1,), (1,))}))


def test_a_tensor_that_reaches_outside(path: Path, write: Callable[..., bytes]):
    refuse(path, write({"a": Tensor(Storage(np.zeros(12), "1"), 1, (12,), (1,))}))


def test_storages_that_are_not_there(path: Path):
    state = {"a": Tensor(Storage(np.zeros(12), "1"), 0, (1,), (1,))}
    refuse(path, archive(state).replace(b"candy/data/1", b"candy/data/2"))
    file = pickles(state)
    refuse(path, file.replace(pickle.dumps(["1"], 2), pickle.dumps(["2"], 2)))
    refuse(path, file.replace(pickle.dumps(["1"], 2), pickle.dumps("1", 2)))


@pytest.mark.parametrize("key", ["../data.pkl", "/etc/passwd", "../../../etc/passwd", ""])
def test_a_storage_lies_in_its_archive_alone(path: Path, key: str):
    state = {"a": Tensor(Storage(np.zeros(12), "1"), 0, (1,), (1,))}
    refuse(path, archive(state).replace(b"X\x01\0\0\x001", b"U" + bytes([len(key)]) + key.encode()))


def test_two_state_dicts_are_one_too_many(path: Path):
    path.write_bytes(archive(state_dict(ARRAYS)))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other/data.pkl", b"N.")
    refuse(path, path.read_bytes())


def test_a_file_cut_short(path: Path, write: Callable[..., bytes]):
    data = write(state_dict(ARRAYS))
    for size in (*range(0, len(data) - 1, 23), len(data) - 1):
        refuse(path, data[:size])


def test_a_file_changed_anywhere_is_read_or_refused(path: Path, write: Callable[..., bytes]):
    data = write(state_dict(ARRAYS))
    for at in range(0, len(data), 7):
        with suppress(WeightsBroken):
            arrays = read(path, data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
            assert len(arrays) <= len(ARRAYS)


def test_a_file_has_a_limit(path: Path, write: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch):
    data = write(state_dict(ARRAYS))
    monkeypatch.setattr(torch_files, "MAX_TORCH_BYTES", len(data))
    assert read(path, data)
    refuse(path, data + b"\0", match=rf"has more than {len(data):,} bytes")


def test_an_entry_that_says_it_is_large(path: Path):
    data = archive(state_dict(ARRAYS))
    central = data.rindex(b"PK\1\2")
    refuse(path, data[: central + 24] + b"\xff\xff\xff\x7f" + data[central + 28 :])


@pytest.mark.parametrize("kind", KINDS)
def test_its_files_are_known_by_their_content(tmp_path: Path, kind: str):
    path = tmp_path / "network"
    path.write_bytes(KINDS[kind](state_dict(ARRAYS)))
    assert looks_like_torch(path)


def test_its_files_are_known_by_their_names_even_if_damaged(tmp_path: Path):
    for name in ("a.pth", "a.PT", "a.model"):
        (tmp_path / name).write_bytes(b"nonsense")
        assert looks_like_torch(tmp_path / name)


def test_other_weights_and_folders_are_not_pytorch_s(tmp_path: Path):
    np.savez(tmp_path / "weights.npz", a=np.zeros(3))
    (tmp_path / "weights.tar.gz").write_bytes(b"nonsense")
    (tmp_path / "folder.pth").mkdir()
    for name in ("weights.npz", "weights.tar.gz", "folder.pth", "none.pth"):
        assert not looks_like_torch(tmp_path / name)
