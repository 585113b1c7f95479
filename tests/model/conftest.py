"""Fixtures of the library's tests: networks small enough for a test, and a folder to type commands in."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from model.hardware import precision
from tests.support.tiny_weights import write_tiny, write_tiny_encoder


@pytest.fixture(scope="module")
def folder_of_tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    write_tiny_encoder(folder)
    return folder


@pytest.fixture
def tiny_encoder(folder_of_tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLE_MODEL_DIR", str(folder_of_tiny_encoder))


@pytest.fixture
def fresh_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_chosen_policies", {})


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write weights of random numbers for a tiny network."""
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.npz")


@pytest.fixture
def desk(tmp_path: Path, photo_png: bytes, painting_png: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the working folder of a shell, with a photo and two paintings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(photo_png)
    (tmp_path / "painting.png").write_bytes(painting_png)
    Image.open(io.BytesIO(painting_png)).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png")
    return tmp_path


@pytest.fixture
def photos(desk: Path) -> Path:
    """Make a folder of three photos, one of them broken, and of a text file."""
    photos = desk / "photos"
    photos.mkdir()
    shutil.copy("photo.png", photos / "a.PNG")
    shutil.copy("turned.png", photos / "c.png")
    (photos / "b.jpg").write_bytes(b"no picture")
    (photos / "notes.txt").write_text("no photo")
    return photos
