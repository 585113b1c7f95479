"""Damage to weights without a checksum."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import WeightsBroken
from model.weights import registry
from tests.support.weights_files import archive

pytestmark = pytest.mark.usefixtures("cache")


def test_damage_to_what_ships_is_seen_without_a_sha256():
    data = bytearray(registry.SHIPPED_MAGENTA.read_bytes())
    data[100] ^= 1
    registry.SHIPPED_MAGENTA.write_bytes(data)
    assert registry.find("magenta-small") is None


def test_choose_refuses_what_is_no_weights(tmp_path: Path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "a.npz").write_text("hello")
    (tmp_path / "a.tar.gz").write_bytes(archive()[:-1])
    (tmp_path / "empty").mkdir()
    for bad in ("a.txt", "a.npz", "a.tar.gz", "empty"):
        with pytest.raises(WeightsBroken, match=bad) as caught:
            registry.choose(tmp_path / bad)
        assert caught.value.field == "model_path"
