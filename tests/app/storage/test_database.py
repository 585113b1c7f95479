"""Readers and writers of one database."""

from __future__ import annotations

import time

from app.storage.library import Library
from app.storage.tables import PictureRow, StyleRow
from tests.support.library_rows import ANN, in_parallel


def test_readers_do_not_wait_for_a_writer(library: Library) -> None:
    with library.begin() as session:
        session.add(StyleRow(id="s", owner=ANN, name="n", credit="", licence="", thumbnail="t", created=0.0))
        session.flush()
        start = time.monotonic()
        assert not any(style.own for style in library.styles(ANN))
        assert time.monotonic() - start < 1
    assert library.styles(ANN)[-1].own


def test_writers_take_turns(library: Library) -> None:
    """Each reads what it then writes, and none is lost."""
    key = library.put_picture(ANN, b"photo")

    def add_one(_: int) -> None:
        for _ in range(10):
            with library.begin() as session:
                row = session.get(PictureRow, key, with_for_update=True)
                assert row
                row.bytes += 1

    in_parallel(add_one, range(4))
    with library.reading() as session:
        row = session.get(PictureRow, key)
        assert row
        assert row.bytes == len(b"photo") + 40
