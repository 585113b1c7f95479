"""Fetching official weights: from which source, into the cache, and what never lands there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model.errors import WeightsError, WeightsMissing
from model.weights import registry
from tests.support.weights_files import NAME, PARTS, Server, archive, change, saved_model, sha256

pytestmark = pytest.mark.usefixtures("cache")


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
