"""Pickles of state dicts, and those that want something else: nothing that they ask for happens."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import WeightsBroken
from model.networks.johnson_architecture import JOHNSON
from model.weights.torch_pickle import MAX_INSTRUCTIONS, TorchStorage, TorchTensor, load
from tests.support.torch_files import Call, Storage, Tensor, johnson_state, pickle_tensors, state_dict

STORAGE = TorchStorage(np.dtype("<f4"), "7", 12)
ORDERED_DICT = b"ccollections\nOrderedDict\n"


def read(data: bytes) -> Any:
    return load(io.BytesIO(data))


NUMBERS = (0, 255, 70_000, -1, 2**79, None, True, False)
TEXTS = ("", "name", "é" * 300)
TUPLES = ((), (1,), (1, (2, 3)), (1, 2, 3, 4))
LISTS_AND_DICTS = ([], [1], [1, "a"], {}, {"a": 1}, {"a": [{}], "b": ()}, OrderedDict(a=1, b=OrderedDict()))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", [*NUMBERS, *TEXTS, *TUPLES, *LISTS_AND_DICTS], ids=lambda value: f"{value!r:.20}")
def test_plain_values(value: object, protocol: int):
    assert read(pickle.dumps(value, protocol)) == value


def test_a_row_of_pickles_is_read_one_by_one():
    file = io.BytesIO(pickle.dumps("one", 2) + pickle.dumps([2], 2) + b"rest")
    assert (load(file), load(file), file.read()) == ("one", [2], b"rest")


@pytest.mark.parametrize("rebuild", ["_rebuild_tensor", "_rebuild_tensor_v2"])
@pytest.mark.parametrize("views", [True, False])
def test_a_tensor_says_where_it_lies(rebuild: str, views: bool):
    tensor = Tensor(Storage(np.zeros(12, "float32"), "7"), 1, (2, 3), (1, 4))
    data, _ = pickle_tensors({"a": tensor}, rebuild=rebuild, views=views)
    assert read(data) == {"a": TorchTensor(STORAGE, 1, (2, 3), (1, 4))}


def test_the_versions_of_a_state_dict_are_left_out():
    data, _ = pickle_tensors(state_dict({"a": np.zeros(3), "b": np.zeros(())}))
    assert b"_metadata" in data
    assert list(read(data)) == ["a", "b"]


def test_a_state_dict_of_python_2_comes_with_its_pairs_and_byte_strings():
    pairs = b"](](U\x01aK\x01e](U\x01bK\x02ee"  # [["a", 1], ["b", 2]]
    assert read(b"\x80\x02" + ORDERED_DICT + pairs + b"\x85R.") == {"a": 1, "b": 2}


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """What a pickle would leave behind if it were run."""
    return tmp_path / "trace"


CALLS: dict[str, Callable[[Path], Any]] = {
    "posix.system": lambda trace: Call(os.system, f"touch {trace}"),
    "builtins.eval": lambda trace: Call(eval, f"open({str(trace)!r}, 'w').close()"),
    "builtins.open": lambda trace: Call(open, str(trace), "w"),
    "builtins.getattr": lambda trace: Call(getattr, Call(open, str(trace), "w"), "read"),
    "pathlib.PosixPath": lambda trace: trace,
    "collections.deque": lambda trace: deque([str(trace)]),
    "numpy.dtype": lambda trace: np.dtype("float32"),
}
SURROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "alone": lambda call: call,
    "nested": lambda call: {"conv1.conv2d.weight": [1, (call,)]},
    "in a state dict": lambda call: OrderedDict(a=1, b=OrderedDict(c=call)),
    "as an argument": lambda call: Call(OrderedDict, [["a", call]]),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("surroundings", SURROUNDINGS)
@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_made(name: str, surroundings: str, protocol: int, trace: Path):
    data = pickle.dumps(SURROUNDINGS[surroundings](CALLS[name](trace)), protocol)
    with pytest.raises(WeightsBroken, match=rf"asks for '\w+\.{name.partition('.')[2]}' while it is read") as caught:
        read(data)
    assert caught.value.field == "model_path"
    assert not trace.exists()


@pytest.mark.parametrize("name", ["posix.system", "builtins.eval", "builtins.open"])
def test_python_itself_would_have_made_them(name: str, trace: Path):
    value = pickle.loads(pickle.dumps(CALLS[name](trace)))
    getattr(value, "close", int)()
    assert trace.exists()


@pytest.mark.parametrize(
    "name",
    [
        b"os\nsystem",
        b"torch\nload",
        b"torch\nUntypedStorage",
        b"torch._utils\n_rebuild_parameter",
        b"torch._utils\n_rebuild_tensor_v2.__globals__",
        b"collections\nOrderedDict.fromkeys",
        b"\n",
        b"os\n" + b"a" * 9999,
    ],
)
def test_a_name_that_is_not_listed_is_refused(name: bytes):
    with pytest.raises(WeightsBroken, match="asks for") as caught:
        read(b"\x80\x02c" + name + b"\n)R.")
    assert len(str(caught.value)) < 200


INSTRUCTIONS = {  # of state dicts none, each on a stack where it would work
    "call by INST": b"(ios\nsystem\n.",
    "call by OBJ": b"(" + ORDERED_DICT + b"o.",
    "object by NEWOBJ": ORDERED_DICT + b")\x81.",
    "object by NEWOBJ_EX": ORDERED_DICT + b")}\x92.",
    "extension": b"\x82\x01.",
    "bytearray of four exabytes": b"\x96" + struct.pack("<Q", 2**62) + b".",
    "buffer from elsewhere": b"\x97.",
    "set": b"\x8f(K\x01\x90.",
    "object in text": b"P0\n.",
    "number in text": b"I1\n.",
    "duplicate": b"K\x012\x86.",
}


@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_instructions_that_no_state_dict_needs(instruction: str):
    with pytest.raises((ValueError, KeyError)):
        read(b"\x80\x04" + INSTRUCTIONS[instruction])


DAMAGES = {
    "nothing": b"",
    "no end": b"N",
    "an empty stack": b".",
    "a tuple of nothing": b"t.",
    "items of nothing": b"K\x01s.",
    "items of a number": b"K\x01U\x01aK\x02s.",
    "an odd number of items": b"}(U\x01au.",
    "a number as a key": b"}K\x01K\x02s.",
    "a tuple as a key": b"})K\x02s.",
    "an addition to a number": b"K\x01K\x02a.",
    "an addition to a dict": b"}(K\x02e.",
    "a call of a number": b"K\x01)R.",
    "a call of a dict": b"})R.",
    "a call of a kind of storage": b"ctorch\nFloatStorage\n)R.",
    "a call with a number": ORDERED_DICT + b"K\x01R.",
    "a call with too much": ORDERED_DICT + b"K\x01K\x02\x86R.",
    "a storage without its facts": b"(U\x07storageK\x01tQ.",
    "a storage that is a number": b"K\x01Q.",
    "a tensor without its facts": b"ctorch._utils\n_rebuild_tensor\n)R.",
    "a name that is a number": b"K\x01K\x02\x93.",
    "a memo that is empty": b"h\x07.",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damages_are_told(damage: str):
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError)):
        read(DAMAGES[damage])


def test_the_memo_takes_no_more_than_its_entries():
    """Python's unpickler makes a table as long as the largest index: here of 32 gigabytes."""
    assert read(b"\x80\x02Nr\xff\xff\xff\x7fj\xff\xff\xff\x7f.") is None


BOMB = b")" + b"q\x00h\x00\x86" * 200  # pairs of pairs, 2 to the power of 200


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"}" + BOMB + b"K\x01s.", id="key"),
        pytest.param(BOMB + b"U\x01a\x93.", id="name"),
        pytest.param(BOMB + b"Q.", id="storage"),
        pytest.param(BOMB + b"b.", id="state"),
        pytest.param(ORDERED_DICT + BOMB + b"R.", id="argument"),
        pytest.param(b"ctorch._utils\n_rebuild_tensor\n(" + BOMB + b"K\x01h\x00h\x00tR.", id="tensor"),
    ],
)
def test_nested_tuples_are_never_hashed_or_printed(data: bytes):
    start = time.monotonic()
    with pytest.raises((ValueError, LookupError, TypeError)):
        read(data)
    assert time.monotonic() - start < 1


def test_a_pickle_has_an_end():
    published = {name: np.zeros(1) for name in johnson_state(JOHNSON)}
    published |= {f"in{n}.running_mean": np.zeros(1) for n in range(30)}
    data, _ = pickle_tensors(state_dict(published))
    assert len(list(pickletools.genops(data))) < MAX_INSTRUCTIONS / 4
    read(b"Nq\x00" * (MAX_INSTRUCTIONS // 2 - 1) + b".")
    with pytest.raises(ValueError, match="too many"):
        read(b"Nq\x00" * (MAX_INSTRUCTIONS // 2) + b".")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (12, (1,), (1,)),
        (0, (3, 4), (5, 1)),
        (0, (2, 2), (11, 2)),
        (0, (0,), (1,)),
        (0, (13,), (0,)),
        (0, (2**40,), (0,)),
        (0, (2**62, 4), (0, 0)),
        (0, (1,) * 9, (1,) * 9),
        (0, (2,), (2**62,)),
        (0, (2, 2), (1,)),
        (0, 3, 1),
        (0, [3], [1]),
        (0, (-3,), (1,)),
        (5, (3,), (-1,)),
        (-1, (3,), (1,)),
        (0, (True,), (1,)),
        (None, (3,), (1,)),
        (0, ("3",), (1,)),
        (0, ((3,),), (1,)),
        (0, (1,) * 9_000, (1,) * 9_000),
    ],
)
def test_a_tensor_lies_in_its_storage(offset: Any, shape: Any, strides: Any):
    data, _ = pickle_tensors({"a": Tensor(Storage(np.zeros(12, "float32"), "7"), offset, shape, strides)})
    with pytest.raises((ValueError, TypeError)):
        read(data)


@pytest.mark.parametrize("size", [-1, 2.0, "12", (12,), True])
def test_a_storage_has_a_size(size: Any):
    data, _ = pickle_tensors({"a": Tensor(Storage(np.zeros(12, "float32"), "7", size), 0, (1,), (1,))})
    with pytest.raises((ValueError, TypeError)):
        read(data)


def test_a_view_of_a_storage_is_refused():
    data, _ = pickle_tensors({"a": Tensor(Storage(np.zeros(12, "float32"), "7"), 0, (1,), (1,))}, views=True)
    with pytest.raises(ValueError, match="no storage"):
        read(data.replace(b"N", b"U\x01v", 1))
