"""Files as torch.save writes them, by Python's own pickler, with stand-ins for PyTorch's functions and storages."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from model.networks.johnson_architecture import JohnsonArchitecture, johnson_shapes, torch_name
from model.pipelines.style_import import ARCHITECTURE
from model.style_file import StyleFile
from model.weights import johnson_files
from model.weights.torch_files import MAGIC_NUMBER, PROTOCOL_VERSION

TINY_JOHNSON = JohnsonArchitecture((3, 4, 5), 2)
STORAGES = {"float16": "HalfStorage", "float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage"}
MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class Storage:
    """What a tensor lies in; `size`: what the file says, in numbers, if that is not the truth."""

    def __init__(self, numbers: np.ndarray, key: str, size: int | None = None) -> None:
        self.numbers, self.key = numbers.ravel(), key
        self.size = numbers.size if size is None else size


class Tensor:
    """A part of a storage, as the pickle tells it."""

    def __init__(self, storage: Storage, offset: Any, shape: Any, strides: Any) -> None:
        self.arguments = storage, offset, shape, strides


class Call:
    """Pickled as a call of `function`, which whoever unpickles it would make."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.reduced


def tensor(array: np.ndarray, key: str) -> Tensor:
    """Return a tensor that fills its storage, whatever the strides of `array`."""
    array = np.asarray(array)
    strides = tuple(step // array.itemsize for step in np.empty(array.shape, array.dtype).strides)
    return Tensor(Storage(np.ascontiguousarray(array), key), 0, array.shape, strides)


def state_dict(arrays: Mapping[str, np.ndarray]) -> OrderedDict[str, Any]:
    """Return a module's state dict, with versions in its attribute as PyTorch has them."""
    state = OrderedDict((name, tensor(array, str(94_000 + 16 * n))) for n, (name, array) in enumerate(arrays.items()))
    state._metadata = OrderedDict([("", {"version": 1}), ("conv1", {"version": 1})])
    return state


def johnson_state(architecture: JohnsonArchitecture = TINY_JOHNSON, seed: int = 0) -> dict[str, np.ndarray]:
    """Return a network's arrays under PyTorch's names, such that pastiches are of all colours."""
    rng = np.random.default_rng(seed)
    state = {}
    for name, shape in johnson_shapes(architecture).items():
        array = rng.normal(0, 0.1 if len(shape) == 4 else 1, shape).astype("float32")
        state[torch_name(name)] = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
    kernel, bias = state["deconv3.conv2d.weight"] * 25, state["deconv3.conv2d.bias"] + 128
    return state | {"deconv3.conv2d.weight": kernel, "deconv3.conv2d.bias": bias}


def johnson_arrays(
    state: Mapping[str, np.ndarray], architecture: JohnsonArchitecture = TINY_JOHNSON
) -> dict[str, np.ndarray]:
    """Return a network's arrays under our names, with kernels as (height, width, input, output)."""
    arrays = {name: state[torch_name(name)] for name in johnson_shapes(architecture)}
    return {name: array.transpose(2, 3, 1, 0) if array.ndim == 4 else array for name, array in arrays.items()}


def imported_style(seed: int = 0, **texts: str) -> StyleFile:
    """Return the style file of a tiny network, as if it had been imported."""
    network = johnson_files.encode("tiny", TINY_JOHNSON, johnson_arrays(johnson_state(seed=seed)))
    return StyleFile.with_imported(network, ARCHITECTURE, **{"name": "Candy"} | texts)


def pickles(state: Any, **options: Any) -> bytes:
    """Return a file of the kind from before PyTorch 1.6."""
    data, storages = pickle_tensors(state, views=True, **options)
    plain = [pickle.dumps(value, 2) for value in (MAGIC_NUMBER, PROTOCOL_VERSION, MACHINE)]
    keys = sorted(storages)
    raw = [storages[key].size.to_bytes(8, "little") + storages[key].numbers.tobytes() for key in keys]
    return b"".join([*plain, data, pickle.dumps(keys, 2), *raw])


def archive(state: Any, *, byte_order: bytes | None = b"little", compression: int = 0, **options: Any) -> bytes:
    """Return a file of the kind since PyTorch 1.6."""
    data, storages = pickle_tensors(state, **options)
    entries = {"data.pkl": data, "version": b"3\n"} | ({"byteorder": byte_order} if byte_order else {})
    entries |= {f"data/{key}": storage.numbers.tobytes() for key, storage in storages.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        for name, content in entries.items():
            written.writestr(f"candy/{name}", content)
    return file.getvalue()


def pickle_tensors(
    state: Any, *, protocol: int = 2, views: bool = False, rebuild: str = "_rebuild_tensor_v2"
) -> tuple[bytes, dict[str, Storage]]:
    """Return the pickle of anything with tensors in it, and their storages by key."""
    storages: dict[str, Storage] = {}
    file = io.BytesIO()
    with torch_modules() as (torch, utils):

        class Pickler(pickle.Pickler):
            def persistent_id(self, value: Any) -> Any:
                if not isinstance(value, Storage):
                    return None
                storages[value.key] = value
                kind = getattr(torch, STORAGES[value.numbers.dtype.name])
                return ("storage", kind, value.key, "cpu", value.size, *([None] * views))

            def reducer_override(self, value: Any) -> Any:
                if not isinstance(value, Tensor):
                    return NotImplemented
                more = (False, OrderedDict()) if rebuild.endswith("v2") else ()
                return getattr(utils, rebuild), (*value.arguments, *more)

        Pickler(file, protocol).dump(state)
    return file.getvalue(), storages


@contextmanager
def torch_modules() -> Iterator[tuple[ModuleType, ModuleType]]:
    """Let the pickler find PyTorch's functions and storages, for as long as it writes their names."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
        setattr(utils, name, stand_in("torch._utils", name))
    with patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        yield torch, utils


def stand_in(module: str, name: str) -> FunctionType:
    def function(*_: Any) -> None:
        raise AssertionError("it is only for its name")

    function.__module__, function.__name__, function.__qualname__ = module, name, name
    return function
