"""Looks at the machine for whatever would keep a pastiche from being made, and says how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from model import memory, settings, weights
from model.device import pick
from model.errors import DeviceUnavailable

OLDEST_PYTHON = (3, 11)
ENOUGH_MEMORY = 4_000_000_000  # bytes; a pastiche of 2,048 x 2,048 pixels, and TensorFlow itself
ENOUGH_DISK = 500_000_000  # bytes; the official archive, twice while it is being stored, and room to spare
INSTALL = "pip install -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """`fix` is what to do: always there for a fault, which stops the work, and sometimes for a note, which does not."""

    subject: str
    state: Literal["ok", "note", "fault"]
    text: str
    fix: str | None = None


def examine() -> list[Finding]:
    """Everything, in the order in which to mend it. Imports TensorFlow."""
    machine = [_memory(memory.total_bytes(), memory.free_bytes()), _disk(settings.cache_dir())]
    return [_python(sys.version_info[:3]), *_tensorflow(), *machine, *_folder(settings.model_dir()), *_weights()]


def _python(version: tuple[int, int, int]) -> Finding:
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding("Python", "fault", f"{text} is too old", "install Python 3.11 or newer and make a venv with it")
    return Finding("Python", "ok", text)


def _tensorflow() -> Iterator[Finding]:
    try:
        version, gpus = _loaded_tensorflow()
    except Exception as error:  # a broken installation raises whatever it likes
        yield Finding("TensorFlow", "fault", f"cannot be imported: {error}", INSTALL)
        return
    yield Finding("TensorFlow", "ok", version)
    yield _device(settings.device(), gpus)
    yield _numba()


def _loaded_tensorflow() -> tuple[str, int]:
    """TensorFlow's version, and how many GPUs it sees."""
    import tensorflow as tf

    return str(tf.__version__), len(tf.config.list_physical_devices("GPU"))


def _numba() -> Finding:
    try:
        from model import tower  # noqa: F401 - loads it, and compiles nothing yet
    except Exception as error:
        text = f"cannot be used: {error}; pictures take two to four times as long"
        return Finding("Numba", "note", text, INSTALL)
    return Finding("Numba", "ok", version("numba"))


def _device(wish: str, gpus: int) -> Finding:
    seen = f"TensorFlow sees {gpus} GPU{'' if gpus == 1 else 's'}"
    try:
        return Finding("GPU", "ok", f"{seen}; STYLE_DEVICE={wish} picks {pick(wish, gpus)}")
    except DeviceUnavailable as error:
        fix = "set STYLE_DEVICE=auto, or for a GPU: pip install 'tensorflow[and-cuda]'"
        return Finding("GPU", "fault", f"{seen}; {error}", fix)


def _memory(total: int, free: int | None) -> Finding:
    if free is None:
        return Finding("Memory", "ok", f"{_gb(total)} in all")
    text = f"{_gb(free)} free of {_gb(total)}"
    if free < ENOUGH_MEMORY:
        return Finding("Memory", "note", text, "close other programs, or ask for smaller pictures with the option size")
    return Finding("Memory", "ok", text)


def _disk(cache: Path) -> Finding:
    """The folder may not exist yet: what counts is the nearest one above it that does."""
    there = next(folder for folder in (cache.absolute(), *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    text = f"{_gb(free)} free for the cache, {cache}"
    if not (there.is_dir() and os.access(there, os.W_OK)):
        return Finding("Disk", "fault", f"{cache} cannot be written", "name another folder with STYLE_CACHE_DIR")
    if free < ENOUGH_DISK:
        return Finding("Disk", "note", text, "make room, or name another folder with STYLE_CACHE_DIR")
    return Finding("Disk", "ok", text)


def _folder(local: Path | None) -> Iterator[Finding]:
    if local and not local.is_dir():
        fix = f"run: mkdir -p '{local}' and put weights into it, or unset STYLE_MODEL_DIR"
        yield Finding("STYLE_MODEL_DIR", "fault", f"{local} is not a folder", fix)


def _weights() -> Iterator[Finding]:
    for status in weights.statuses():
        subject, fix = f"Weights {status.name}", weights.fix(status)
        if status.ok:
            digest = f", sha256 {status.sha256}" if status.sha256 else ""  # folders have none
            yield Finding(subject, "ok", f"{status.where}: {status.path}{digest}")
        elif status.path:
            yield Finding(subject, "fault", f"{status.where}: {status.path}: {status.problem}", fix)
        else:
            optional = bool(weights.TABLE[status.name].sources)
            yield Finding(subject, "note" if optional else "fault", str(status.problem), fix)


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
