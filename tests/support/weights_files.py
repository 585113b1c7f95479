"""Weights with the right form and no sense, and a server that hands them out."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import tarfile
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from model.weights import registry

PARTS = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")
NAME = "magenta-v1-256.tar.gz"


def archive(content: bytes = b"good", parts: tuple[str, ...] = PARTS, top: str = "./") -> bytes:
    """Return an archive with the form of a SavedModel, large enough to be cut short."""
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
    """A server that answers a path with what `files` has under it, or 404; `raw_order` lists the requests."""

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


def change(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """Change fields of the official weights' entry for one test."""
    monkeypatch.setitem(registry.ENTRIES, "v1-256", dataclasses.replace(registry.ENTRIES["v1-256"], **fields))
