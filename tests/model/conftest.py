"""An encoder small enough for a test, in place of the one that ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.tiny import write_tiny_encoder


@pytest.fixture(scope="module")
def folder_of_tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    write_tiny_encoder(folder)
    return folder


@pytest.fixture
def tiny_encoder(folder_of_tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLE_MODEL_DIR", str(folder_of_tiny_encoder))
