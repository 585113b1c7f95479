"""Which weights there are, where they lie on this machine, and how they get here.

They are looked for in this order: the folder named by STYLE_MODEL_DIR, the cache, what ships with the project, and
TensorFlow Hub's own cache. A file whose sha256 is not the recorded one, or which is cut short, counts as missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from model import settings
from model.errors import WeightsBroken, WeightsError, WeightsMissing
from model.weights.checksums import checksum_path, file_sha256, recorded_sha256
from model.weights.integrity import CHUNK_BYTES, find_problem, find_problem_cached

WeightsLocation = Literal["local folder", "shipped", "cache", "hub cache"]

SHIPPED_MAGENTA = Path(__file__).with_name("magenta-small.npz")
OFFICIAL = "v1-256"
HUB_HANDLE = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
SAVED_MODEL_FOLDERS = (
    "magenta-v1-256",
    "magenta_arbitrary-image-stylization-v1-256_2",
)  # names under which people unpack it
TIMEOUTS = (10, 60)  # seconds to connect, seconds between two chunks


@dataclass(frozen=True)
class WeightsEntry:
    """Named weights. Without sources they ship with the project; `sha256` and `size` in bytes are given where known."""

    name: str
    filename: str
    sources: tuple[str, ...]
    sha256: str | None
    size: int | None
    licence: str
    about: str


@dataclass(frozen=True)
class WeightsStatus:
    """The outcome of looking for weights: `problem` is half a sentence about the file, None for a good one.

    Folders have no sha256.
    """

    name: str
    path: Path | None
    sha256: str | None
    ok: bool
    problem: str | None
    where: WeightsLocation | None


ENTRIES: dict[str, WeightsEntry] = {
    entry.name: entry
    for entry in (
        WeightsEntry(
            "magenta-small",
            SHIPPED_MAGENTA.name,
            (),
            None,
            None,
            "Apache-2.0",
            "This project's own: small, quick, and always here.",
        ),
        WeightsEntry(
            OFFICIAL,
            "magenta-v1-256.tar.gz",
            (
                f"{HUB_HANDLE}?tf-hub-format=compressed",
                "https://storage.googleapis.com/tfhub-modules/google/magenta/arbitrary-image-stylization-v1-256/2.tar.gz",
                "https://www.kaggle.com/api/v1/models/google/arbitrary-image-stylization-v1/tensorFlow1/256/2/download",
            ),
            None,
            None,
            "Apache-2.0",
            "Magenta's published arbitrary-image-stylization-v1-256, of 92 MB.",
        ),
    )
}


def choose(model_path: str | os.PathLike[str] | None) -> Path | str:
    """Choose what to load: `model_path`, else the official model where it is on this machine, else what ships.

    `model_path`: a .npz, a SavedModel as folder or .tar.gz, a name in ENTRIES, or a TensorFlow Hub handle, which alone
    is returned as a str. Raises WeightsMissing or WeightsBroken.
    """
    if model_path is None:
        return find(OFFICIAL) or _find_or_raise("magenta-small")
    given = os.fspath(model_path)
    if given in ENTRIES:
        return _find_or_raise(given)
    return given if given.startswith("https://") else _check_path(given)


def find(name: str) -> Path | None:
    """Return the first good file (or SavedModel folder) of these weights on this machine."""
    entry = _get_entry(name)
    return next(
        (path for _, path in _existing_paths(entry) if not find_problem_cached(path, _expected_sha256(path, entry))),
        None,
    )


def verify(name: str) -> WeightsStatus:
    """Read the first file of these weights anew: the one that `find` returns, unless it is broken."""
    entry = _get_entry(name)
    for where, path in _existing_paths(entry):
        problem = find_problem(path, _expected_sha256(path, entry))
        return WeightsStatus(name, path, None if path.is_dir() else file_sha256(path), problem is None, problem, where)
    return WeightsStatus(name, None, None, False, "it is not on this machine", None)


def statuses() -> list[WeightsStatus]:
    return [verify(name) for name in ENTRIES]


def remedy(status: WeightsStatus) -> str | None:
    """Return what to do about weights that are missing or broken, as half a sentence."""
    entry = ENTRIES[status.name]
    if status.ok:
        return None
    if status.where in ("local folder", "hub cache"):
        return f"replace or delete {status.path}"
    if status.where == "cache":
        return f"delete {status.path}, then fetch or import it again with: python -m model weights"
    if not entry.sources:
        return f"restore {_shipped_path(entry)}, for example with: git checkout -- model/weights"
    return f"run: python -m model weights fetch {entry.name}"


def fetch(name: str, progress: bool = False) -> Path:
    """Download these weights into the cache, unless good ones are here already; nothing else downloads any.

    Raises WeightsMissing where no source gives a good file; the cache then stays as it was.
    """
    entry = _get_entry(name)
    with _cache_lock:
        if path := find(name):
            return path
        if not entry.sources:
            raise _unusable_error(verify(name))
        with _temporary_folder() as folder:
            return _move_into_cache(_download(entry, folder / entry.filename, progress), entry)


def import_file(path: str | os.PathLike[str], name: str) -> Path:
    """Copy a good file of the user's (of the official model also a SavedModel folder) into the cache."""
    source, entry = Path(path).expanduser(), _get_entry(name)
    if not source.exists():
        raise WeightsMissing(f"There is no file or folder '{path}' to import: check the path.")
    with _cache_lock, _temporary_folder() as folder:
        copy = folder / entry.filename
        problem = _copy_or_pack(source, copy) or find_problem(copy, entry.sha256)
        if problem:
            raise WeightsBroken(f"'{path}' was not imported as '{name}': {problem}.")
        return _move_into_cache(copy, entry)


_cache_lock = threading.Lock()  # of two threads that fetch the same file, the second finds the first one's


def _get_entry(name: str) -> WeightsEntry:
    if name not in ENTRIES:
        raise WeightsMissing(f"There are no weights named '{name}'. The names are: {', '.join(ENTRIES)}.")
    return ENTRIES[name]


def _find_or_raise(name: str) -> Path:
    path = find(name)
    if not path:
        raise _unusable_error(verify(name))
    return path


def _unusable_error(status: WeightsStatus) -> WeightsError:
    kind = WeightsBroken if status.path else WeightsMissing
    return kind(f"The weights '{status.name}' cannot be used: {status.problem}; {remedy(status)}.", "model_path")


def _check_path(given: str) -> Path:
    path = Path(given).expanduser()
    if not given or not path.exists():
        raise WeightsMissing(
            f"There is no file or folder '{given}': give a path, or one of the names {', '.join(ENTRIES)}.",
            "model_path",
        )
    if path.is_file() and not path.name.endswith((".npz", ".tar.gz")):
        raise WeightsBroken(f"'{given}' is no weights: give a .npz, a SavedModel folder or its .tar.gz.", "model_path")
    problem = find_problem_cached(path, recorded_sha256(path))
    if problem:
        raise WeightsBroken(f"'{given}' cannot be used: {problem}.", "model_path")
    return path


def _existing_paths(entry: WeightsEntry) -> Iterator[tuple[WeightsLocation, Path]]:
    return ((where, path) for where, path in _candidate_paths(entry) if path.exists())


def _candidate_paths(entry: WeightsEntry) -> Iterator[tuple[WeightsLocation, Path]]:
    local = settings.model_dir()
    if local:
        yield "local folder", local / entry.filename
        if entry.name == OFFICIAL:
            yield from (("local folder", folder) for folder in _saved_model_folders(local))
    yield "cache", settings.cache_dir() / entry.filename
    if not entry.sources:
        yield "shipped", _shipped_path(entry)
    if entry.name == OFFICIAL:
        yield "hub cache", _hub_cache_folder()


def _saved_model_folders(local: Path) -> Iterator[Path]:
    if (local / "saved_model.pb").exists():
        yield local
    yield from (local / name for name in SAVED_MODEL_FOLDERS)


def _shipped_path(entry: WeightsEntry) -> Path:
    return SHIPPED_MAGENTA.with_name(entry.filename)


def _hub_cache_folder() -> Path:
    """Return where tensorflow_hub 0.16 unpacks the official handle (compressed_module_resolver.py)."""
    return settings.hub_cache_dir() / hashlib.sha1(HUB_HANDLE.encode()).hexdigest()


def _expected_sha256(path: Path, entry: WeightsEntry) -> str | None:
    return entry.sha256 or recorded_sha256(path)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Make a folder inside the cache for a while, so that its files can be renamed into place."""
    cache = settings.cache_dir()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=cache) as folder:
            yield Path(folder)
    except OSError as error:
        raise WeightsError(
            f"The weights could not be stored in {cache} ({error}): make room or let yourself write "
            "there, or name another folder with STYLE_CACHE_DIR."
        ) from error


def _move_into_cache(path: Path, entry: WeightsEntry) -> Path:
    """Move a good file into the cache and record its sha256."""
    target = settings.cache_dir() / entry.filename
    record = checksum_path(path)
    record.write_text(f"{file_sha256(path)}  {target.name}\n")
    # A process that is stopped between these lines leaves a file without a record, which is still good.
    checksum_path(target).unlink(missing_ok=True)
    os.replace(path, target)
    os.replace(record, checksum_path(target))
    return target


def _download(entry: WeightsEntry, path: Path, progress: bool) -> Path:
    """Try each source until one gives a good file at `path`; raise WeightsMissing where none does."""
    reasons = []
    for source in entry.sources:
        reason = _try_source(source, path, progress) or find_problem(path, entry.sha256)
        if not reason:
            return path
        reasons.append(f"{urlsplit(source).hostname}: {reason}")
    raise WeightsMissing(
        f"'{entry.name}' could not be downloaded from any of its {len(reasons)} sources ({'; '.join(reasons)}); put "
        f"the file {entry.filename} into {settings.cache_dir()} or into the folder named by STYLE_MODEL_DIR, then run: "
        f"python -m model weights verify {entry.name}."
    )


def _try_source(source: str, path: Path, progress: bool) -> str | None:
    """Download to `path`; return why the source did not answer with a file, None where it did."""
    import pooch  # here, as it is seldom needed and takes a quarter of this library's import time
    from requests import HTTPError, RequestException

    # A connection kept open after an error page would be left to the garbage collector.
    download = pooch.HTTPDownloader(progress, CHUNK_BYTES, timeout=TIMEOUTS, headers={"Connection": "close"})
    try:
        download(source, str(path), None)
    except HTTPError as error:
        return str(error).partition(" for url")[0]
    except RequestException:
        return "no connection, or a broken one"
    return None


def _copy_or_pack(source: Path, copy: Path) -> str | None:
    """Copy a file as it is, or pack a SavedModel folder; return why that cannot be done, None where it is done."""
    if source.is_file():
        shutil.copyfile(source, copy)
        return None
    if not copy.name.endswith(".tar.gz"):
        return f"it is a folder, not a {copy.suffix} file"
    problem = find_problem(source, None)
    if not problem:
        with tarfile.open(copy, "w:gz", compresslevel=1, dereference=True) as archive:
            for part in ("saved_model.pb", "variables"):
                archive.add(source / part, part)
    return problem
