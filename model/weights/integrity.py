"""Whether a file of weights is whole: by its sha256 where one is known, else by what such a file must hold.

A problem is half a sentence about the file, such as "it is damaged"; None for a good file.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from model.weights.checksums import file_sha256, file_version

CHUNK_BYTES = 1 << 16  # read at a time


def find_problem_cached(path: Path, sha256: str | None) -> str | None:
    """Find a problem without reading a file again that has not changed."""
    return _find_problem_of_version(path, sha256, file_version(path))


@lru_cache
def _find_problem_of_version(path: Path, sha256: str | None, version: tuple[int, ...]) -> str | None:
    return find_problem(path, sha256)


def find_problem(path: Path, sha256: str | None) -> str | None:
    """Read a file or a SavedModel folder, and return its problem; `sha256` is the one that the file should have."""
    try:
        if path.is_dir():
            parts = [path / "saved_model.pb", *path.glob("variables/*")]
            return _find_missing_part({part.relative_to(path).as_posix() for part in parts if part.is_file()})
        if sha256:
            is_same = file_sha256(path) == sha256
            return None if is_same else "its sha256 is not the recorded one: it was changed or decayed"
        return _find_npz_problem(path) if path.suffix == ".npz" else _find_archive_problem(path)
    except (EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error):
        return "it is damaged, cut short, or another kind of file"
    except OSError as error:  # gzip's own complaint has no strerror
        return f"it cannot be read ({error.strerror or 'damaged'})"


def _find_npz_problem(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        return "it is damaged" if archive.testzip() else None


def _find_archive_problem(path: Path) -> str | None:
    with tarfile.open(path) as archive:
        names = {member.name.removeprefix("./") for member in archive if member.isfile()}
        while archive.fileobj and archive.fileobj.read(CHUNK_BYTES):
            pass  # gzip's checksum stands at the very end of the file
    graph = min((name for name in names if f"/{name}".endswith("/saved_model.pb")), key=len, default="")
    top = graph.removesuffix("saved_model.pb")
    return _find_missing_part({name.removeprefix(top) for name in names if name.startswith(top)})


def _find_missing_part(names: set[str]) -> str | None:
    """Name what a SavedModel lacks; `names` are its files, relative to its top."""
    for part in ("saved_model.pb", "variables/variables.index", "variables/variables.data-"):
        if not any(name == part or (part.endswith("-") and name.startswith(part)) for name in names):
            return f"it is no whole SavedModel, {part.removesuffix('.data-')} is not in it"
    return None
