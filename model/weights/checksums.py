"""The sha256 of files, those written down beside them, and a cheap version that tells whether a file has changed.

The sha256 of a file stands in `<file>.sha256` or in SHA256SUMS beside it, both as `sha256sum` writes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_sha256(path: Path) -> str | None:
    """Return the sha256 written down beside the file, if there is one."""
    for table in (checksum_path(path), path.with_name("SHA256SUMS")):
        if table.is_file():
            for line in table.read_text(errors="replace").splitlines():
                digest, _, name = line.partition(" ")
                if name.strip().lstrip("*") == path.name:
                    return digest.lower()
    return None


def checksum_path(path: Path) -> Path:
    """Return where the sha256 of this file is written down."""
    return path.with_name(f"{path.name}.sha256")


def file_version(path: Path) -> tuple[int, ...]:
    """Return numbers that change with the file, or the files of a SavedModel folder; none where there is no file."""
    files = [path / "saved_model.pb", *sorted(path.glob("variables/*"))] if path.is_dir() else [path]
    stats = [file.stat() for file in files if file.exists()]
    return tuple(number for stat in stats for number in (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
