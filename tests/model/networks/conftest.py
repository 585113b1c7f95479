"""Fixtures of the networks' tests."""

from __future__ import annotations

import keras
import pytest

from model.networks.transformer import build_transformer
from tests.support.tiny_weights import TINY


@pytest.fixture(scope="module")
def transformer() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_transformer(TINY)
