"""Files by key, in a folder or in a bucket, which fsspec opens by its URL."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from app.storage import atomic_files

_KEY_PATTERN = re.compile("[0-9a-f]{64}")  # the sha256 of what is kept under it
_CHECK_BYTES = 32
_OPTIONS = {"s3": {"use_listings_cache": False}}  # other processes write there too


class BlobStore:
    """url: a folder's path, or s3://bucket/prefix with credentials and endpoint in AWS's own variables."""

    def __init__(self, url: str) -> None:
        protocol = url.partition("://")[0] if "://" in url else "file"
        try:
            kind = fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise ValueError(_failure_message(url, protocol, error)) from error
        self._url, self._options = url, _OPTIONS.get(protocol, {})
        self._folder = Path(self._filesystem_and_root[1]) if kind is LocalFileSystem else None
        if self._folder:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @cached_property
    def _filesystem_and_root(self) -> tuple[AbstractFileSystem, str]:
        """Open the file system at its first use: a bucket's connections do not survive a fork of the process."""
        return fsspec.core.url_to_fs(self._url, **self._options)  # type: ignore[no-any-return]

    def put(self, key: str, data: bytes) -> None:
        """Store a file, all of it or nothing. The content of a key never changes."""
        filesystem, path = self._locate(key)
        if self._folder:
            atomic_files.write(self._folder, key, data)
        else:
            filesystem.pipe_file(path, data)

    def get(self, key: str) -> bytes:
        """Return a file; raise FileNotFoundError when there is none."""
        filesystem, path = self._locate(key)
        data: bytes = filesystem.cat_file(path)
        return data

    def head(self, key: str, count: int) -> bytes:
        """Return the first `count` bytes; raise FileNotFoundError when there is no such file."""
        filesystem, path = self._locate(key)
        data: bytes = filesystem.cat_file(path, start=0, end=count)
        return data

    def delete(self, key: str) -> None:
        filesystem, path = self._locate(key)
        with suppress(FileNotFoundError):
            filesystem.rm_file(path)

    def check(self) -> None:
        """Store a file, read it and delete it; raise OSError where that is not possible."""
        data = secrets.token_bytes(_CHECK_BYTES)
        key = hashlib.sha256(data).hexdigest()
        self.put(key, data)
        try:
            if self.get(key) != data:
                raise OSError(f"a file in {self._url} is not what was written into it")
        finally:
            self.delete(key)

    def keys(self) -> Iterator[str]:
        """Yield the keys of all files; files with other names are skipped."""
        filesystem, root = self._filesystem_and_root
        try:
            names = filesystem.ls(root, detail=False)
        except FileNotFoundError:  # a bucket has no empty folders
            return
        for name in names:
            if _KEY_PATTERN.fullmatch(key := name.rpartition("/")[2]):
                yield key

    def sweep(self, older_than: float) -> int:
        """Remove writes that began more than `older_than` seconds ago and never ended; return how many."""
        return atomic_files.sweep(self._folder, older_than) if self._folder else 0

    def _locate(self, key: str) -> tuple[AbstractFileSystem, str]:
        if not _KEY_PATTERN.fullmatch(key):
            raise FileNotFoundError(key)
        filesystem, root = self._filesystem_and_root
        return filesystem, f"{root}/{key}"


def _failure_message(url: str, protocol: str, error: Exception) -> str:
    if protocol == "s3" and isinstance(error, ImportError):
        return f"Pictures can be kept in {url} once s3fs is installed: pip install s3fs."
    return f"Pictures cannot be kept in {url}: {error}. Give a folder, or s3://bucket/prefix."
