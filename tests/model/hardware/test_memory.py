"""How much memory is free, and what fits into it."""

from __future__ import annotations

import pytest

from model.errors import ImageTooLarge
from model.hardware import memory


def test_what_fits_is_let_through_and_what_does_not_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 64 * 64 * memory.BYTES_PER_PIXEL)
    memory.check_fits(64, 64)
    with pytest.raises(ImageTooLarge, match="65 x 64 pixels") as caught:
        memory.check_fits(64, 65)
    assert caught.value.field == "size"


def test_where_the_system_does_not_say_nothing_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    memory.check_fits(10**6, 10**6)
    assert memory.fitting_side(3000, 4000, 1000) == 4000


def test_the_side_shrinks_with_the_root_of_what_is_free(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 300 * 400 * 1000 // 4)
    assert memory.fitting_side(300, 400, 1000) == 200
    with pytest.raises(ImageTooLarge, match="Refining 400 x 300 pixels"):
        memory.fitting_side(300, 400, 100_000)


def test_free_memory_is_some_of_all():
    free = memory.free_bytes()
    assert free is None or 0 < free < memory.total_bytes()
