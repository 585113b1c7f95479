"""Scratch space on disk: arrays too large for memory, temporary folders, and files that are replaced as a whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import numpy as np

_PREFIX, _LOCK = "style-transfer-", "lock"


class DiskArray:
    """An array (H, W, C) on disk: array[a:b] reads rows, array[a:b] = rows writes them. Closing deletes its file.

    It is read and written, not memory-mapped: mapped pages would count as the program's own memory.
    """

    def __init__(self, folder: Path | str, shape: tuple[int, int, int], dtype: type[np.generic] | str) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.row_bytes = shape[1] * shape[2] * self.dtype.itemsize
        self._file, path = tempfile.mkstemp(dir=folder)
        self.path = Path(path)
        os.truncate(self._file, shape[0] * self.row_bytes)

    def __getitem__(self, rows: slice) -> np.ndarray:
        first, last = self._bounds(rows)
        array = np.empty((last - first, *self.shape[1:]), self.dtype)
        self.read_into(array, first)
        return array

    def __setitem__(self, rows: slice, array: np.ndarray) -> None:
        first, last = self._bounds(rows)
        if array.shape != (last - first, *self.shape[1:]):
            raise ValueError(f"rows of shape {array.shape} do not fit rows {first} to {last} of {self.shape}")
        data, offset = _byte_view(np.ascontiguousarray(array, self.dtype)), first * self.row_bytes
        while data:
            written = os.pwrite(self._file, data, offset)
            data, offset = data[written:], offset + written

    def read_into(self, array: np.ndarray, first: int) -> None:
        """Fill `array`, contiguous and of this dtype, with the rows from `first` on."""
        data, offset = _byte_view(array), first * self.row_bytes
        while data:
            count = os.preadv(self._file, [data], offset)
            if not count:
                raise EOFError(f"{self.path} ends within row {offset // self.row_bytes}")
            data, offset = data[count:], offset + count

    def close(self) -> None:
        """Delete the file; closing again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> DiskArray:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bounds(self, rows: slice) -> tuple[int, int]:
        first, last, step = rows.indices(self.shape[0])
        if step != 1:
            raise ValueError("a plane is read and written row by row, without leaving any out")
        return first, max(first, last)


def _byte_view(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder that is deleted at the end; if the process is killed, by a later `remove_stale_folders`.

    It is in TMPDIR, or else in /var/tmp, since /tmp is in memory on many systems.
    """
    remove_stale_folders()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_base_folder()) as folder, _locked(Path(folder)):
        yield Path(folder)


def remove_stale_folders() -> None:
    """Remove the folders of processes that were killed: pictures are private."""
    for folder in _base_folder().glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / f"new-{_LOCK}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.rename(file.name, folder / _LOCK)  # locked before anybody can see it
        yield


def _base_folder() -> Path:
    chosen, disk = Path(tempfile.gettempdir()), Path("/var/tmp")
    return disk if chosen == Path("/tmp") and os.access(disk, os.W_OK) else chosen


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to: it replaces `path` at the end of the block, or is removed on an error."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
