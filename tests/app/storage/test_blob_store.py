"""Stored files, in a folder and in a bucket; writers are killed, disks are full."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.failures import Missing
from app.storage import atomic_files
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from tests.conftest import skip_or_fail

ROOT = Path(__file__).resolve().parents[3]
DATA = b"a picture"
KEY = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """The URL of a bucket on a private server that speaks S3."""
    if importlib.util.find_spec("moto") is None:
        skip_or_fail("moto is not installed.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    amazon = {"ENDPOINT_URL": url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in amazon.items():
            patch.setenv(f"AWS_{name}", value)
        wait_for(url)
        assert requests.put(f"{url}/pictures", timeout=10).ok
        yield "s3://pictures"
    process.terminate()
    process.wait(10)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(url, timeout=5)
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture(params=["folder", "no nameless files", "s3"])
def store(request, tmp_path: Path, monkeypatch) -> BlobStore:
    if request.param == "s3":
        return BlobStore(f"{request.getfixturevalue('bucket')}/{tmp_path.name}")
    if request.param == "no nameless files":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return BlobStore(str(tmp_path / "deep" / "pictures"))


def test_what_was_put_is_there(store: BlobStore) -> None:
    store.put(KEY, DATA)
    assert store.get(KEY) == DATA
    assert list(store.keys()) == [KEY]


def test_its_first_bytes(store: BlobStore) -> None:
    store.put(KEY, DATA)
    assert (store.head(KEY, 1), store.head(KEY, 100)) == (DATA[:1], DATA)
    with pytest.raises(FileNotFoundError):
        store.head(KEY[::-1], 1)


def test_putting_twice_is_putting_once(store: BlobStore) -> None:
    store.put(KEY, DATA)
    store.put(KEY, DATA)
    assert list(store.keys()) == [KEY]


def test_what_was_deleted_is_gone(store: BlobStore) -> None:
    store.put(KEY, DATA)
    store.delete(KEY)
    store.delete(KEY)  # as another process may have done it
    assert list(store.keys()) == []
    with pytest.raises(FileNotFoundError):
        store.get(KEY)


def test_an_empty_store_has_no_keys(store: BlobStore) -> None:
    assert list(store.keys()) == []


@pytest.mark.parametrize("key", ["", "..", "../secret", f"../pictures/{KEY}", KEY.upper(), f"{KEY}\n", "a\0b"])
def test_what_is_no_key_names_no_file(store: BlobStore, key: str) -> None:
    store.put(KEY, DATA)
    with pytest.raises(FileNotFoundError):
        store.get(key)


KILLED = f"""
import os, signal, sys
from app.storage.blob_store import BlobStore
if hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
BlobStore(sys.argv[1]).put({KEY!r}, {DATA!r})
"""


def test_an_unfinished_write_is_swept_when_it_is_old(tmp_path: Path) -> None:
    assert run(KILLED, str(tmp_path)) == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    store = BlobStore(str(tmp_path))
    assert store.sweep(older_than=60) == 0
    assert store.sweep(older_than=-1) == 1
    assert list(tmp_path.iterdir()) == []


def run(script: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, timeout=60).returncode


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(atomic_files, "_write_and_sync", full)
            with pytest.raises(OSError, match="No space"):
                BlobStore(str(tmp_path)).put(KEY, DATA)
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_nameless_files_will_do(tmp_path: Path, monkeypatch) -> None:
    real = os.open

    def refusing(path, flags: int, *rest: object, **more: object) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)
    store = BlobStore(str(tmp_path))
    store.put(KEY, DATA)
    assert store.get(KEY) == DATA


WRITER = """
import hashlib, itertools, sys
from app.storage.blob_store import BlobStore
store = BlobStore(sys.argv[1])
for n in itertools.count():
    data = n.to_bytes(4) * 500_000
    store.put(hashlib.sha256(data).hexdigest(), data)
    print(n, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere the sweep removes what is left.")
def test_a_writer_that_is_killed_leaves_whole_files_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for _ in range(5):
            process.stdout.readline()
        process.kill()
    left = list(tmp_path.iterdir())
    assert len(left) >= 5
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in left)


def test_only_the_server_may_read_pictures(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path / "pictures"))
    store.put(KEY, DATA)
    assert (tmp_path / "pictures").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "pictures" / KEY).stat().st_mode & 0o777 == 0o600


def test_other_files_in_the_folder_are_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    store = BlobStore(str(tmp_path))
    assert list(store.keys()) == []
    store.sweep(older_than=-1)
    assert (tmp_path / "notes.txt").exists()


def test_a_url_of_a_folder_is_a_folder(tmp_path: Path) -> None:
    BlobStore(f"file://{tmp_path}").put(KEY, DATA)
    assert (tmp_path / KEY).read_bytes() == DATA


def test_buckets_without_s3fs_say_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(ValueError, match="pip install s3fs"):
        BlobStore("s3://pictures/of/ours")


FORKED = f"""
import os, sys
from app.storage.blob_store import BlobStore
store = BlobStore(sys.argv[1])
if os.fork() == 0:
    store.put({KEY!r}, {DATA!r})
    os._exit(0)
os.wait()
assert store.get({KEY!r}) == {DATA!r}
"""


def test_a_process_forked_later_reaches_the_bucket(bucket: str) -> None:
    assert run(FORKED, f"{bucket}/forked") == 0


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        BlobStore("gopher://pictures")


def test_a_library_keeps_its_pictures_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    store = BlobStore(f"{bucket}/library")
    library = Library(f"sqlite:///{tmp_path / 'library.sqlite3'}", store, keep_hours=1)
    key = library.put_picture("ann", DATA)
    assert library.picture(key) == DATA
    library.delete_everything("ann")
    assert list(store.keys()) == []
    with pytest.raises(Missing):
        library.picture(key)
