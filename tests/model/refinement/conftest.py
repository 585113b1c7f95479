"""Fixtures of the refinement's tests."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from model.refinement import encoders
from model.refinement.encoder_registry import ENCODERS


@pytest.fixture
def empty_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing was downloaded before."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise Exception("URL fetch failure on https://storage.googleapis.com: None -- no route")

    encoders._load_version.cache_clear()
    for encoder in ENCODERS.values():
        if encoder.application:
            monkeypatch.setattr(keras.applications, encoder.application, fail)
