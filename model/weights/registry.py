"""Which weights there are, where they lie on this machine, and how they get here.

Looked for in this order: the folder named by STYLE_MODEL_DIR, the cache, what ships with the project, and TensorFlow
Hub's own cache. A file whose sha256 is not the recorded one, or which is cut short, is passed over as if not there.
The sha256 of a file stands in `<file>.sha256` or in SHA256SUMS beside it, both as `sha256sum` writes them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from model import settings
from model.errors import WeightsBroken, WeightsError, WeightsMissing

WeightsLocation = Literal["local folder", "shipped", "cache", "hub cache"]

SHIPPED_MAGENTA = Path(__file__).with_name("magenta-small.npz")
OFFICIAL = "v1-256"
HUB_HANDLE = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
SAVED_MODEL_FOLDERS = ("magenta-v1-256", "magenta_arbitrary-image-stylization-v1-256_2")  # what people name its folder
TIMEOUTS = (10, 60)  # seconds to connect, seconds between two pieces
CHUNK_BYTES = 1 << 16  # bytes


@dataclass(frozen=True)
class WeightsEntry:
    """Weights with a name. Without sources they ship with the project; `sha256` and `size` in bytes where known."""

    name: str
    filename: str
    sources: tuple[str, ...]
    sha256: str | None
    size: int | None
    licence: str
    about: str


@dataclass(frozen=True)
class WeightsStatus:
    """What became of looking for weights: `problem` is half a sentence about the file, None for a good one.

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
    """What to load: `model_path` where given, else the official model where it is on this machine, else what ships.

    `model_path`: a .npz, a SavedModel as folder or .tar.gz, a name in the table, or a TensorFlow Hub handle, which
    alone comes back as a str. Raises WeightsMissing or WeightsBroken.
    """
    if model_path is None:
        return find(OFFICIAL) or _find_or_raise("magenta-small")
    given = os.fspath(model_path)
    if given in ENTRIES:
        return _find_or_raise(given)
    return given if given.startswith("https://") else _check_path(given)


def find(name: str) -> Path | None:
    """The first good file (or SavedModel folder) of these weights on this machine."""
    entry = _get_entry(name)
    return next(
        (path for _, path in _existing_paths(entry) if not _find_problem_cached(path, _expected_sha256(path, entry))),
        None,
    )


def verify(name: str) -> WeightsStatus:
    """Reads the first file of these weights anew: the one that `find` gives, unless it is broken."""
    entry = _get_entry(name)
    for where, path in _existing_paths(entry):
        problem = _find_problem(path, _expected_sha256(path, entry))
        return WeightsStatus(name, path, None if path.is_dir() else _file_sha256(path), problem is None, problem, where)
    return WeightsStatus(name, None, None, False, "it is not on this machine", None)


def version(path: Path) -> tuple[int, ...]:
    """Changes with the file, or with the files of a SavedModel's folder; empty for what is not on this machine."""
    files = [path / "saved_model.pb", *sorted(path.glob("variables/*"))] if path.is_dir() else [path]
    stats = [file.stat() for file in files if file.exists()]
    return tuple(number for stat in stats for number in (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


def statuses() -> list[WeightsStatus]:
    return [verify(name) for name in ENTRIES]


def remedy(status: WeightsStatus) -> str | None:
    """What to do about weights that are missing or broken."""
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
    """Downloads these weights into the cache, unless good ones are here already; the only thing that downloads.

    Raises WeightsMissing where no source gives a good file; what is in the cache then stays as it was.
    """
    entry = _get_entry(name)
    with _cache_lock:
        found = find(name)
        if found:
            return found
        if not entry.sources:
            raise _unusable_error(verify(name))
        with _temporary_folder() as folder:
            return _move_into_cache(_download(entry, folder / entry.filename, progress), entry)


def import_file(path: str | os.PathLike[str], name: str) -> Path:
    """Copies a good file that the user has (of the official model also a SavedModel folder) into the cache."""
    source, entry = Path(path).expanduser(), _get_entry(name)
    if not source.exists():
        raise WeightsMissing(f"There is no file or folder '{path}' to import: check the path.")
    with _cache_lock, _temporary_folder() as folder:
        copy = folder / entry.filename
        problem = _copy_or_pack(source, copy) or _find_problem(copy, entry.sha256)
        if problem:
            raise WeightsBroken(f"'{path}' was not imported as '{name}': {problem}.")
        return _move_into_cache(copy, entry)


_cache_lock = threading.Lock()  # two threads that fetch the same file: the second finds the first one's


def _get_entry(name: str) -> WeightsEntry:
    if name not in ENTRIES:
        raise WeightsMissing(f"There are no weights named '{name}'. The names are: {', '.join(ENTRIES)}.")
    return ENTRIES[name]


def _find_or_raise(name: str) -> Path:
    found = find(name)
    if not found:
        raise _unusable_error(verify(name))
    return found


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
    problem = _find_problem_cached(path, _recorded_sha256(path))
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
    """Where tensorflow_hub 0.16 unpacks the official handle (compressed_module_resolver.py), without importing it."""
    cache = os.environ.get("TFHUB_CACHE_DIR") or os.path.join(tempfile.gettempdir(), "tfhub_modules")
    return Path(cache) / hashlib.sha1(HUB_HANDLE.encode()).hexdigest()


def _expected_sha256(path: Path, entry: WeightsEntry) -> str | None:
    return entry.sha256 or _recorded_sha256(path)


def _recorded_sha256(path: Path) -> str | None:
    """The sha256 written down beside the file, if one is."""
    for table in (_checksum_path(path), path.with_name("SHA256SUMS")):
        if table.is_file():
            for line in table.read_text(errors="replace").splitlines():
                digest, _, name = line.partition(" ")
                if name.strip().lstrip("*") == path.name:
                    return digest.lower()
    return None


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find_problem_cached(path: Path, sha256: str | None) -> str | None:
    """`_problem`, without reading a file again that has not changed."""
    return _find_problem_of_version(path, sha256, version(path))


@lru_cache
def _find_problem_of_version(path: Path, sha256: str | None, version: tuple[int, ...]) -> str | None:
    return _find_problem(path, sha256)


def _find_problem(path: Path, sha256: str | None) -> str | None:
    """What is wrong with weights, None for nothing: by sha256 where known, else by what a whole file must have."""
    try:
        if path.is_dir():
            parts = [path / "saved_model.pb", *path.glob("variables/*")]
            return _find_missing_part({part.relative_to(path).as_posix() for part in parts if part.is_file()})
        if sha256:
            return (
                None
                if _file_sha256(path) == sha256
                else "its sha256 is not the recorded one: it was changed or decayed"
            )
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
            pass  # the checksum of gzip stands at its very end
    graph = min((name for name in names if f"/{name}".endswith("/saved_model.pb")), key=len, default="")
    top = graph.removesuffix("saved_model.pb")
    return _find_missing_part({name.removeprefix(top) for name in names if name.startswith(top)})


def _find_missing_part(names: set[str]) -> str | None:
    """`names`: the files of a SavedModel, seen from its top."""
    for part in ("saved_model.pb", "variables/variables.index", "variables/variables.data-"):
        if not any(name == part or (part.endswith("-") and name.startswith(part)) for name in names):
            return f"it is no whole SavedModel, {part.removesuffix('.data-')} is not in it"
    return None


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder inside the cache, so that what is made there can be renamed into place; gone afterwards."""
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
    """Moves a file that was found good into the cache and records its sha256."""
    kept = settings.cache_dir() / entry.filename
    record = _checksum_path(path)
    record.write_text(f"{_file_sha256(path)}  {kept.name}\n")
    _checksum_path(kept).unlink(
        missing_ok=True
    )  # stopped between these lines, a file without a record is left: still good
    os.replace(path, kept)
    os.replace(record, _checksum_path(kept))
    return kept


def _download(entry: WeightsEntry, path: Path, progress: bool) -> Path:
    """Tries each source until one gives a good file, which then is at `path`."""
    reasons = []
    for source in entry.sources:
        reason = _try_source(source, path, progress) or _find_problem(path, entry.sha256)
        if not reason:
            return path
        reasons.append(f"{urlsplit(source).hostname}: {reason}")
    raise WeightsMissing(
        f"'{entry.name}' could not be downloaded from any of its {len(reasons)} sources ({'; '.join(reasons)}); put "
        f"the file {entry.filename} into {settings.cache_dir()} or into the folder named by STYLE_MODEL_DIR, then run: "
        f"python -m model weights verify {entry.name}."
    )


def _try_source(source: str, path: Path, progress: bool) -> str | None:
    """Why this source did not answer with a file; None where one is now at `path`."""
    import pooch  # not above: seldom needed, and a quarter of the time that importing this library takes
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
    """Copies a file as it is and packs a SavedModel folder. Says why where it cannot."""
    if source.is_file():
        shutil.copyfile(source, copy)
        return None
    if not copy.name.endswith(".tar.gz"):
        return f"it is a folder, not a {copy.suffix} file"
    problem = _find_problem(source, None)
    if not problem:
        with tarfile.open(copy, "w:gz", compresslevel=1, dereference=True) as archive:
            for part in ("saved_model.pb", "variables"):
                archive.add(source / part, part)
    return problem
