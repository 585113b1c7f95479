"""Atomic writes: a file is there whole or not at all, whenever the process is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from pathlib import Path

_TEMPORARY_PREFIX = ".unfinished-"
_NO_TMPFILE_ERRORS = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)


def write(folder: Path, name: str, data: bytes) -> None:
    """Write a file. One of that name is left as it is, as a name stands for its content here."""
    if not _write_nameless(folder, name, data):
        replace(folder, name, data)


def replace(folder: Path, name: str, data: bytes) -> None:
    """Write a file in place of one of that name; whoever reads it finds the old content or the new one."""
    file, path = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=folder)
    try:
        try:
            _write_and_sync(file, data)
        finally:
            os.close(file)
        os.replace(path, folder / name)
        _sync_folder(folder)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def sweep(folder: Path, older_than: float) -> int:
    """Remove what killed writers left more than `older_than` seconds ago; return how many files that were."""
    return sum(_remove_old(path, time.time() - older_than) for path in folder.glob(f"{_TEMPORARY_PREFIX}*"))


def _write_nameless(folder: Path, name: str, data: bytes) -> bool:
    """Write with O_TMPFILE of Linux: a killed writer leaves nothing. Return False where it is not available."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        if error.errno in _NO_TMPFILE_ERRORS and folder.is_dir():  # the file system has no O_TMPFILE
            return False
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        _write_and_sync(file, data)
        with contextlib.suppress(FileExistsError):
            # With dst_dir_fd Python calls linkat(), which follows the link; without it link(), which does not.
            os.link(f"/proc/self/fd/{file}", name, dst_dir_fd=directory)
        os.fsync(directory)
    finally:
        os.close(file)
        os.close(directory)
    return True


def _write_and_sync(file: int, data: bytes) -> None:
    with open(file, "wb", closefd=False) as stream:
        stream.write(data)
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    """Make the folder's new entry outlast a power cut."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _remove_old(path: Path, before: float) -> bool:
    with contextlib.suppress(FileNotFoundError):  # its writer has finished
        if path.stat().st_mtime < before:
            path.unlink()
            return True
    return False
