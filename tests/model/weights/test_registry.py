"""The weights table against a server of our own: what is fetched, kept, found, chosen and refused."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model.errors import WeightsBroken, WeightsError, WeightsMissing
from model.weights import registry

PARTS = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")
NAME = "magenta-v1-256.tar.gz"
HUB_FOLDER = "f843094219bf78a99e8ea6c8d71f1bc74f07101a"  # tensorflow_hub 0.16.1's own, for the official handle


def archive(content: bytes = b"good", parts: tuple[str, ...] = PARTS, top: str = "./") -> bytes:
    """A SavedModel as far as its form goes, large enough to be cut short."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for part in parts:
            member = tarfile.TarInfo(top + part)
            data = content + hashlib.sha512(part.encode()).digest() * 500
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def saved_model(folder: Path) -> Path:
    for part in PARTS:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_bytes(b"good")
    return folder


def npz(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("array.npy", b"good" * 100)
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server:
    """Answers "/name" with what `files` has under it, 404 for the rest; `asked` counts the requests."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.refused: dict[str, int] = {}
        self.cut: set[str] = set()
        self.raw_order: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.raw_order.append(self.path)
                body = server.files.get(self.path)
                self.send_response(200 if body else server.refused.get(self.path, 404))
                body = body or b"<html>no</html>"
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in server.cut else body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine, with nothing but the weights that ship."""
    monkeypatch.delenv("STYLE_MODEL_DIR", raising=False)
    monkeypatch.setenv("STYLE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(registry, "SHIPPED_MAGENTA", npz(tmp_path / "shipped" / "magenta-small.npz"))
    return tmp_path / "cache"


@pytest.fixture
def sources(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The official weights come from /first, then /second."""
    change(monkeypatch, sources=(server.url("/first"), server.url("/second")))
    return server


def change(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    monkeypatch.setitem(registry.ENTRIES, "v1-256", dataclasses.replace(registry.ENTRIES["v1-256"], **fields))


def test_table():
    small, official = registry.ENTRIES["magenta-small"], registry.ENTRIES["v1-256"]
    assert (small.filename, small.sources) == ("magenta-small.npz", ())
    assert official.filename == NAME
    assert [url.split("/")[2] for url in official.sources] == ["tfhub.dev", "storage.googleapis.com", "www.kaggle.com"]


def test_fetch_keeps_the_file_and_its_sha256_and_nothing_else(sources: Server, cache: Path):
    sources.files["/first"] = archive()
    assert registry.fetch("v1-256") == cache / NAME
    assert (cache / NAME).read_bytes() == archive()
    assert (cache / f"{NAME}.sha256").read_text() == f"{sha256(archive())}  {NAME}\n"
    assert len(list(cache.iterdir())) == 2
    assert sources.raw_order == ["/first"]


def test_fetch_shows_a_bar_when_asked(sources: Server, capsys: pytest.CaptureFixture[str]):
    sources.files["/first"] = archive()
    registry.fetch("v1-256", progress=True)
    assert "100%" in capsys.readouterr().err


def test_fetch_is_silent_otherwise(sources: Server, capsys: pytest.CaptureFixture[str]):
    sources.files["/first"] = archive()
    registry.fetch("v1-256")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_source_that_refuses_is_passed_over(sources: Server, status: int):
    sources.refused["/first"] = status
    sources.files["/second"] = archive()
    assert registry.fetch("v1-256").read_bytes() == archive()
    assert sources.raw_order == ["/first", "/second"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>sign in</html>",
        archive()[:-200],
        archive()[:-1],
        archive(parts=PARTS[:1]),
        archive(parts=PARTS[1:]),
        archive(parts=PARTS[:2]),
    ],
    ids=["html", "short", "without its last byte", "only the graph", "no graph", "no variables"],
)
def test_a_source_with_another_file_is_passed_over(sources: Server, body: bytes):
    sources.files |= {"/first": body, "/second": archive()}
    assert registry.fetch("v1-256").read_bytes() == archive()


def test_a_connection_that_breaks_is_passed_over(sources: Server):
    sources.files |= {"/first": archive(), "/second": archive()}
    sources.cut.add("/first")
    assert registry.fetch("v1-256").read_bytes() == archive()
    assert sources.raw_order == ["/first", "/second"]


def test_the_wrong_sha256_never_lands(sources: Server, cache: Path, monkeypatch: pytest.MonkeyPatch):
    change(monkeypatch, sha256=sha256(b"another"))
    sources.files |= {"/first": archive(), "/second": archive()}
    with pytest.raises(WeightsMissing, match="sha256"):
        registry.fetch("v1-256")
    assert list(cache.iterdir()) == []


def test_a_failed_fetch_leaves_the_cache_as_it_was(sources: Server, cache: Path, monkeypatch: pytest.MonkeyPatch):
    sources.files["/first"] = archive()
    registry.fetch("v1-256")
    monkeypatch.setattr(registry, "find", lambda name: None)  # as if it were not good
    sources.files["/first"] = archive()[:-1]
    with pytest.raises(WeightsMissing):
        registry.fetch("v1-256")
    assert (cache / NAME).read_bytes() == archive()
    assert registry.verify("v1-256").ok


def test_fetch_mends_a_broken_file(sources: Server, cache: Path):
    sources.files["/first"] = archive()
    registry.fetch("v1-256").write_bytes(b"decayed")
    assert registry.fetch("v1-256").read_bytes() == archive()
    assert len(list(cache.iterdir())) == 2


def test_fetch_of_what_is_here_asks_nobody(sources: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_MODEL_DIR", str(saved_model(tmp_path / "mine")))
    assert registry.fetch("v1-256") == tmp_path / "mine"
    assert registry.fetch("magenta-small") == registry.SHIPPED_MAGENTA
    assert sources.raw_order == []


def test_two_fetches_at_once(sources: Server, cache: Path):
    sources.files["/first"] = archive()
    with ThreadPoolExecutor(2) as threads:
        fetched = list(threads.map(registry.fetch, ["v1-256"] * 2))
    assert fetched == [cache / NAME] * 2
    assert registry.verify("v1-256").ok
    assert sources.raw_order == ["/first"]


def test_offline_says_which_file_goes_where(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch):
    server.http.socket.close()  # nobody listens on this port any more
    change(monkeypatch, sources=(server.url("/first"), server.url("/second")))
    with pytest.raises(WeightsMissing) as caught:
        registry.fetch("v1-256")
    assert str(caught.value) == (
        "'v1-256' could not be downloaded from any of its 2 sources (127.0.0.1: no connection, or a broken one; "
        f"127.0.0.1: no connection, or a broken one); put the file {NAME} into {cache} or into the folder named by "
        "STYLE_MODEL_DIR, then run: python -m model weights verify v1-256."
    )
    assert list(cache.iterdir()) == []


def test_what_ships_is_not_fetched():
    registry.SHIPPED_MAGENTA.unlink()
    with pytest.raises(WeightsMissing, match="git checkout"):
        registry.fetch("magenta-small")


def test_a_cache_that_cannot_be_written(sources: Server, cache: Path):
    cache.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="STYLE_CACHE_DIR"):
        registry.fetch("v1-256")


def test_unknown_names_are_refused():
    with pytest.raises(WeightsMissing, match="The names are: magenta-small, v1-256"):
        registry.fetch("v2")


def test_only_fetch_downloads(sources: Server):
    sources.files["/first"] = archive()
    assert registry.find("v1-256") is None
    assert registry.choose(None) == registry.SHIPPED_MAGENTA
    assert [status.ok for status in registry.statuses()] == [True, False]
    with pytest.raises(WeightsMissing, match="python -m model weights fetch v1-256"):
        registry.choose("v1-256")
    assert sources.raw_order == []


@pytest.mark.parametrize("keep_times", [True, False])
def test_a_tampered_file_is_not_found(sources: Server, cache: Path, keep_times: bool):
    sources.files["/first"] = archive()
    file = registry.fetch("v1-256")
    assert registry.find("v1-256") == file
    before = file.stat()
    file.write_bytes(archive(b"evil"))
    if keep_times:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert registry.find("v1-256") is None
    assert registry.choose(None) == registry.SHIPPED_MAGENTA
    for given in ("v1-256", file):
        with pytest.raises(WeightsBroken, match="sha256"):
            registry.choose(given)
    status = registry.verify("v1-256")
    assert (status.ok, status.path, status.where, status.sha256) == (False, file, "cache", sha256(file.read_bytes()))
    assert "sha256" in str(status.problem)
    assert str(file) in str(registry.remedy(status))


def test_a_file_put_into_the_cache_by_hand(cache: Path):
    cache.mkdir()
    (cache / NAME).write_bytes(archive())
    status = registry.verify("v1-256")
    assert status == registry.WeightsStatus("v1-256", cache / NAME, sha256(archive()), True, None, "cache")
    (cache / NAME).write_bytes(archive()[:-1])
    assert registry.find("v1-256") is None


def test_missing_weights():
    status = registry.verify("v1-256")
    assert status == registry.WeightsStatus("v1-256", None, None, False, "it is not on this machine", None)
    assert registry.remedy(status) == "run: python -m model weights fetch v1-256"


def test_the_local_folder_comes_first(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    registry.import_file(saved_model(tmp_path / "download"), "v1-256")
    local = tmp_path / "local"
    local.mkdir()
    monkeypatch.setenv("STYLE_MODEL_DIR", str(local))
    assert registry.find("v1-256") == cache / NAME
    (local / NAME).write_bytes(archive())
    assert registry.find("v1-256") == local / NAME
    assert registry.verify("v1-256").where == "local folder"
    assert registry.find("magenta-small") == registry.SHIPPED_MAGENTA
    assert registry.find("magenta-small") != npz(local / "magenta-small.npz") == registry.find("magenta-small")


def test_a_broken_file_in_the_local_folder_is_passed_over(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    registry.import_file(saved_model(tmp_path / "download"), "v1-256")
    (tmp_path / NAME).write_bytes(archive()[:-1])
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path))
    assert registry.find("v1-256") == cache / NAME
    status = registry.verify("v1-256")
    assert (status.ok, status.path) == (False, tmp_path / NAME)
    assert registry.remedy(status) == f"replace or delete {tmp_path / NAME}"


@pytest.mark.parametrize("below", ["", "magenta-v1-256", "magenta_arbitrary-image-stylization-v1-256_2"])
def test_an_unpacked_model_in_the_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str):
    folder = saved_model(tmp_path / "local" / below)
    monkeypatch.setenv("STYLE_MODEL_DIR", str(tmp_path / "local"))
    assert registry.find("v1-256") == registry.choose(None) == folder
    (folder / "variables" / "variables.index").unlink()
    assert registry.find("v1-256") is None


def test_the_cache_of_tensorflow_hub(tmp_path: Path):
    folder = saved_model(tmp_path / "hub" / HUB_FOLDER)
    assert registry.choose(None) == registry.find("v1-256") == folder
    assert registry.verify("v1-256") == registry.WeightsStatus("v1-256", folder, None, True, None, "hub cache")


def test_the_sha256_of_what_ships():
    sums = registry.SHIPPED_MAGENTA.with_name("SHA256SUMS")
    sums.write_text(f"{'0' * 64}  other.npz\n{sha256(registry.SHIPPED_MAGENTA.read_bytes())} *magenta-small.npz\n")
    assert registry.verify("magenta-small").ok
    registry.SHIPPED_MAGENTA.write_bytes(registry.SHIPPED_MAGENTA.read_bytes() + b"more")
    assert not registry.verify("magenta-small").ok
    with pytest.raises(WeightsBroken, match="git checkout") as caught:
        registry.choose(None)
    assert caught.value.field == "model_path"


def test_damage_to_what_ships_is_seen_without_a_sha256():
    data = bytearray(registry.SHIPPED_MAGENTA.read_bytes())
    data[100] ^= 1
    registry.SHIPPED_MAGENTA.write_bytes(data)
    assert registry.find("magenta-small") is None


@pytest.mark.parametrize("top", ["./", "", "a-folder/"])
def test_import_of_an_archive(tmp_path: Path, cache: Path, top: str):
    (tmp_path / "archive.tgz").write_bytes(archive(top=top))
    assert registry.import_file(tmp_path / "archive.tgz", "v1-256") == cache / NAME
    assert registry.verify("v1-256").sha256 == sha256(archive(top=top))


def test_import_of_a_folder_packs_it(tmp_path: Path):
    with tarfile.open(registry.import_file(saved_model(tmp_path / "folder"), "v1-256")) as packed:
        assert set(PARTS) <= set(packed.getnames())


def test_import_of_other_weights(tmp_path: Path, cache: Path):
    assert registry.import_file(npz(tmp_path / "mine.npz"), "magenta-small") == cache / "magenta-small.npz"
    assert registry.choose(None) == cache / "magenta-small.npz"


def test_import_refuses_what_is_broken_and_keeps_what_is_good(tmp_path: Path, cache: Path):
    (tmp_path / "good.tar.gz").write_bytes(archive())
    registry.import_file(tmp_path / "good.tar.gz", "v1-256")
    (tmp_path / "bad.tar.gz").write_bytes(archive()[:-1])
    (tmp_path / "empty").mkdir()
    for bad in ("bad.tar.gz", "empty"):
        with pytest.raises(WeightsBroken, match="was not imported as 'v1-256'"):
            registry.import_file(tmp_path / bad, "v1-256")
    assert (cache / NAME).read_bytes() == archive()
    assert registry.verify("v1-256").ok


def test_import_refuses_the_wrong_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(WeightsBroken, match="folder"):
        registry.import_file(saved_model(tmp_path / "folder"), "magenta-small")
    with pytest.raises(WeightsBroken, match="damaged"):
        registry.import_file(npz(tmp_path / "small.npz"), "v1-256")
    with pytest.raises(WeightsMissing, match="no file or folder"):
        registry.import_file(tmp_path / "nothing", "v1-256")
    change(monkeypatch, sha256=sha256(b"another"))
    with pytest.raises(WeightsBroken, match="sha256"):
        registry.import_file(tmp_path / "folder", "v1-256")


def test_import_of_the_cached_file_itself_accepts_it_anew(sources: Server):
    sources.files["/first"] = archive()
    file = registry.fetch("v1-256")
    file.write_bytes(archive(b"put here by hand"))
    assert registry.find("v1-256") is None
    registry.import_file(file, "v1-256")
    assert registry.find("v1-256") == file


def test_choose_prefers_the_official_model_to_what_ships(sources: Server, cache: Path):
    assert registry.choose(None) == registry.SHIPPED_MAGENTA
    sources.files["/first"] = archive()
    registry.fetch("v1-256")
    assert registry.choose(None) == registry.choose("v1-256") == cache / NAME
    assert registry.choose("magenta-small") == registry.SHIPPED_MAGENTA


def test_choose_takes_what_is_given(tmp_path: Path):
    folder = saved_model(tmp_path / "folder")
    assert registry.choose(folder) == registry.choose(str(folder)) == registry.choose(f"{folder}/") == folder
    assert registry.choose(npz(tmp_path / "mine.npz")) == tmp_path / "mine.npz"
    (tmp_path / "mine.tar.gz").write_bytes(archive())
    assert registry.choose(tmp_path / "mine.tar.gz") == tmp_path / "mine.tar.gz"
    assert registry.choose(registry.HUB_HANDLE) == registry.HUB_HANDLE


@pytest.mark.parametrize("given", ["", "nothing.npz", "http://example.org/model"])
def test_choose_refuses_what_is_not_there(given: str):
    with pytest.raises(WeightsMissing, match="no file or folder") as caught:
        registry.choose(given)
    assert caught.value.field == "model_path"


def test_choose_refuses_what_is_no_weights(tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "a.npz").write_text("hello")
    (tmp_path / "a.tar.gz").write_bytes(archive()[:-1])
    (tmp_path / "empty").mkdir()
    for bad in ("a.txt", "a.npz", "a.tar.gz", "empty"):
        with pytest.raises(WeightsBroken, match=bad) as caught:
            registry.choose(tmp_path / bad)
        assert caught.value.field == "model_path"
