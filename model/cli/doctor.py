"""python -m model doctor: check this machine and say how to mend what is wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from model import settings
from model.cli.console import print_checklist
from model.cli.runtime import silenced_stderr
from model.errors import DeviceUnavailable
from model.hardware import memory
from model.hardware.device import choose_device
from model.weights import registry

MIN_PYTHON = (3, 11)
RECOMMENDED_MEMORY = 4_000_000_000  # bytes, for a pastiche of 2,048 x 2,048 pixels and TensorFlow itself
RECOMMENDED_DISK = 500_000_000  # bytes, for the official archive, twice while it is being stored, and some room
INSTALL_COMMAND = "pip install -r requirements.txt"


@dataclass(frozen=True)
class Finding:
    """The result of one check. `fix`: what to do, always given for a fault, which stops the work, unlike a note."""

    subject: str
    state: Literal["ok", "note", "fault"]
    text: str
    fix: str | None = None


def examine() -> list[Finding]:
    """Run all checks, in the order in which to mend what they find; this imports TensorFlow."""
    machine = [_check_memory(memory.total_bytes(), memory.free_bytes()), _check_disk(settings.cache_dir())]
    return [
        _check_python(sys.version_info[:3]),
        *_check_tensorflow(),
        *machine,
        *_check_model_dir(settings.model_dir()),
        *_check_weights(),
    ]


def _check_python(version: tuple[int, int, int]) -> Finding:
    text = ".".join(map(str, version))
    if version < MIN_PYTHON:
        return Finding("Python", "fault", f"{text} is too old", "install Python 3.11 or newer and make a venv with it")
    return Finding("Python", "ok", text)


def _check_tensorflow() -> Iterator[Finding]:
    try:
        version, gpus = _import_tensorflow()
    except Exception as error:  # a broken installation may raise anything
        yield Finding("TensorFlow", "fault", f"cannot be imported: {error}", INSTALL_COMMAND)
        return
    yield Finding("TensorFlow", "ok", version)
    yield _check_device(settings.device(), gpus)
    yield _check_numba()


def _import_tensorflow() -> tuple[str, int]:
    """Return TensorFlow's version, and how many GPUs it sees."""
    import tensorflow as tf

    return str(tf.__version__), len(tf.config.list_physical_devices("GPU"))


def _check_numba() -> Finding:
    try:
        from model.inference.winograd import blocks  # noqa: F401 - loads Numba, and compiles nothing yet
    except Exception as error:
        text = f"cannot be used: {error}; pictures take two to four times as long"
        return Finding("Numba", "note", text, INSTALL_COMMAND)
    return Finding("Numba", "ok", version("numba"))


def _check_device(wish: str, gpus: int) -> Finding:
    seen = f"TensorFlow sees {gpus} GPU{'' if gpus == 1 else 's'}"
    try:
        return Finding("GPU", "ok", f"{seen}; STYLE_DEVICE={wish} picks {choose_device(wish, gpus)}")
    except DeviceUnavailable as error:
        fix = "set STYLE_DEVICE=auto, or for a GPU: pip install 'tensorflow[and-cuda]'"
        return Finding("GPU", "fault", f"{seen}; {error}", fix)


def _check_memory(total: int, free: int | None) -> Finding:
    if free is None:
        return Finding("Memory", "ok", f"{_format_gigabytes(total)} in all")
    text = f"{_format_gigabytes(free)} free of {_format_gigabytes(total)}"
    if free < RECOMMENDED_MEMORY:
        return Finding("Memory", "note", text, "close other programs, or ask for smaller pictures with the option size")
    return Finding("Memory", "ok", text)


def _check_disk(cache: Path) -> Finding:
    """Check the nearest existing folder above the cache, which may not exist yet."""
    existing = next(folder for folder in (cache.absolute(), *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    text = f"{_format_gigabytes(free)} free for the cache, {cache}"
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        return Finding("Disk", "fault", f"{cache} cannot be written", "name another folder with STYLE_CACHE_DIR")
    if free < RECOMMENDED_DISK:
        return Finding("Disk", "note", text, "make room, or name another folder with STYLE_CACHE_DIR")
    return Finding("Disk", "ok", text)


def _check_model_dir(local: Path | None) -> Iterator[Finding]:
    if local and not local.is_dir():
        fix = f"run: mkdir -p '{local}' and put weights into it, or unset STYLE_MODEL_DIR"
        yield Finding("STYLE_MODEL_DIR", "fault", f"{local} is not a folder", fix)


def _check_weights() -> Iterator[Finding]:
    for status in registry.statuses():
        subject, fix = f"Weights {status.name}", registry.remedy(status)
        if status.ok:
            digest = f", sha256 {status.sha256}" if status.sha256 else ""  # folders have none
            yield Finding(subject, "ok", f"{status.where}: {status.path}{digest}")
        elif status.path:
            yield Finding(subject, "fault", f"{status.where}: {status.path}: {status.problem}", fix)
        else:
            optional = bool(registry.ENTRIES[status.name].sources)
            yield Finding(subject, "note" if optional else "fault", str(status.problem), fix)


def _format_gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def add(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with silenced_stderr():
        findings = examine()
    return print_checklist((one.state != "fault", f"{one.subject}: {one.text}", one.fix) for one in findings)
