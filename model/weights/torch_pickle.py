"""PyTorch's pickles of state dicts, read without Python's unpickler, which does whatever a file asks for.

A pickle is a program for a stack machine. The one here has only the instructions that state dicts are made of, and only
the names in NAMES; nothing else is ever looked up, called or changed. Python's own machine, even where it may look up
nothing, takes gigabytes for a pickle of ten bytes with a large memo index, and for ever to hash nested tuples.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Iterable
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from model.errors import WeightsBroken

MAX_INSTRUCTIONS = 20_000  # the published networks take two to three thousand
MAX_AXES = 8
NAME_SHOWN = 60  # characters


class TorchStorage(NamedTuple):
    """`size` numbers, which lie elsewhere in the file under `key`."""

    dtype: np.dtype[Any]
    key: str
    size: int


class TorchTensor(NamedTuple):
    """A part of a storage, within it and no larger; offset and strides are in numbers, not bytes."""

    storage: TorchStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load(file: BinaryIO) -> object:
    """Return what one pickle describes, with a TorchTensor for each tensor, and leave `file` behind its end.

    Raises WeightsBroken where it asks for other names, and exceptions of other kinds where it is damaged.
    """
    argument: Any
    stack: list[Any] = []
    outer: list[list[Any]] = []  # the stacks below the marks
    memo: dict[int, Any] = {}
    for instruction, argument, _ in islice(pickletools.genops(file), MAX_INSTRUCTIONS):
        match instruction.name:
            case "PROTO" | "FRAME":
                pass
            case "NONE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(argument)
            case "BINUNICODE" | "SHORT_BINUNICODE" | "SHORT_BINSTRING":
                stack.append(argument)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(instruction.name == "NEWTRUE")
            case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT":
                stack.append({"TUPLE": tuple, "LIST": list, "DICT": dict}[instruction.name[6:]]())
            case "MARK":
                outer.append(stack)
                stack = []
            case "TUPLE":
                items, stack = stack, outer.pop()
                stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                length = int(instruction.name[-1])
                stack[-length:] = [tuple(stack[-length:])]
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items, stack = stack, outer.pop()
                stack[-1].extend(items)
            case "SETITEM":
                items = [stack.pop(), stack.pop()][::-1]
                _set_items(stack[-1], [items])
            case "SETITEMS":
                items, stack = stack, outer.pop()
                _set_items(stack[-1], zip(items[::2], items[1::2], strict=True))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_look_up(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack[-2:] = [_look_up(*stack[-2:])]
            case "BINPERSID":
                stack.append(_refer_to_storage(*stack.pop()))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(stack.pop()(*arguments))
            case "BUILD":
                stack.pop()  # attributes of a state dict, which tell the versions of its layers
            case "STOP":
                return stack.pop()
            case _:
                raise ValueError(f"{instruction.name} belongs to no state dict")
    raise ValueError("too many instructions")


def _set_items(target: object, items: Iterable[Iterable[Any]]) -> None:
    if not isinstance(target, dict):
        raise TypeError("items of what is no dict")
    for name, value in items:
        if not isinstance(name, str):
            raise TypeError("a dict by other things than names")
        target[name] = value


def _look_up(module: object, name: object) -> Any:
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError("a name that is none")
    wanted = f"{module}.{name}"
    if wanted not in NAMES:
        raise WeightsBroken(
            f"This file asks for {wanted[:NAME_SHOWN]!r} while it is read, which weights do not need and which may do "
            "harm: use another.",
            "model_path",
        )
    return NAMES[wanted]


def _ordered_dict(items: Iterable[Iterable[Any]] = ()) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    _set_items(filled, items)
    return filled


def _refer_to_storage(
    kind: object, dtype: object, key: object, _device: object, size: object, view: object = None
) -> TorchStorage:
    """Return the storage that a pickle refers to; views of storages, which old versions wrote, are refused."""
    if kind != "storage" or view is not None or not isinstance(dtype, np.dtype) or not isinstance(key, str):
        raise ValueError("no storage")
    return TorchStorage(dtype, key, _check_count(size))


def _cut_from_storage(storage: object, offset: object, shape: object, strides: object, *_: object) -> TorchTensor:
    """Stand in for PyTorch's functions that make a tensor, and ignore what they take beside: gradients and hooks.

    Raises ValueError for a tensor that is empty, reaches beyond its storage, or is larger than it.
    """
    if not isinstance(storage, TorchStorage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise TypeError("no tensor")
    if len(shape) > MAX_AXES:
        raise ValueError("too many axes")
    sides, steps = tuple(map(_check_count, shape)), tuple(map(_check_count, strides))
    tensor = TorchTensor(storage, _check_count(offset), sides, steps)
    last = tensor.offset + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
    if not 0 < math.prod(sides) <= storage.size or last >= storage.size:
        raise ValueError("a tensor outside its storage")
    return tensor


def _check_count(value: object) -> int:
    if type(value) is not int or value < 0:  # True is no count either
        raise ValueError("no count")
    return value


NAMES: dict[str, Any] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor": _cut_from_storage,
    "torch._utils._rebuild_tensor_v2": _cut_from_storage,
    "torch.HalfStorage": np.dtype("<f2"),
    "torch.FloatStorage": np.dtype("<f4"),
    "torch.DoubleStorage": np.dtype("<f8"),
    "torch.LongStorage": np.dtype("<i8"),
}
