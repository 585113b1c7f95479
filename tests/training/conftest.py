"""Fixtures of the training's tests."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG19 that has seen nothing."""
    path = tmp_path_factory.mktemp("vgg") / "random.weights.h5"
    keras.utils.set_random_seed(0)
    keras.applications.VGG19(include_top=False, weights=None).save_weights(path)
    return path
