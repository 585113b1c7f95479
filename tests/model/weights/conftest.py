"""An empty machine, and a server of official weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.weights import registry
from tests.support.weights_files import Server, change, npz


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture
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
