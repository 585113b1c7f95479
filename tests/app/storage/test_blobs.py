"""Pictures live as long as somebody holds them."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from app.failures import Busy, Missing
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from app.storage.tables import Holding
from tests.support.library_rows import ANN, BOB, HOUR, add_style, in_parallel


def holders(library: Library, key: str) -> list[str]:
    with library.reading() as session:
        return list(session.scalars(select(Holding.holder).where(Holding.picture == key)))


def test_a_picture_is_there_under_its_key(library: Library) -> None:
    assert library.picture(library.put_picture(ANN, b"photo")) == b"photo"


def test_owners_never_share_a_file(library: Library, files) -> None:
    assert library.put_picture(ANN, b"photo") != library.put_picture(BOB, b"photo")
    assert files() == 2


def test_one_owner_keeps_a_picture_once(library: Library, files) -> None:
    assert library.put_picture(ANN, b"photo") == library.put_picture(ANN, b"photo")
    assert files() == 1


@pytest.mark.parametrize("key", ["0" * 64, "", "../library.sqlite3", "\0", "\ud800"])
def test_a_key_that_opens_nothing(library: Library, key: str) -> None:
    with pytest.raises(Missing):
        library.picture(key)


def test_a_picture_lives_until_its_last_holder_lets_go(library: Library, rows, files) -> None:
    key = library.put_picture(ANN, b"photo")
    with library.begin() as session:
        library.hold(session, "one", [key])
        library.hold(session, "two", [key])
    with library.begin() as session:
        library.release(session, "one")
    assert library.picture(key) == b"photo"
    with library.begin() as session:
        library.release(session, "two")
    assert files() == 0
    assert rows() == {}


def test_holding_twice_is_holding_once(library: Library, files) -> None:
    key = library.put_picture(ANN, b"photo")
    for _ in range(2):
        with library.begin() as session:
            library.hold(session, "one", [key, key])
    with library.begin() as session:
        library.release(session, "one")
    assert files() == 0


def test_what_is_released_and_held_anew_at_once_stays(library: Library) -> None:
    key = library.put_picture(ANN, b"photo")
    with library.begin() as session:
        library.hold(session, "one", [key])
    with library.begin() as session:
        library.release(session, "one")
        library.hold(session, "two", [key])
    assert library.picture(key) == b"photo"


def test_what_is_put_again_outlives_its_old_holder(library: Library) -> None:
    key = library.put_picture(ANN, b"photo")
    with library.begin() as session:
        library.hold(session, "one", [key])
    library.put_picture(ANN, b"photo")  # for a second job, which is accepted in a moment
    with library.begin() as session:
        library.release(session, "one")
    with library.begin() as session:
        library.hold(session, "two", [key])
    assert library.picture(key) == b"photo"


def test_a_transaction_that_fails_deletes_nothing(library: Library) -> None:
    key = library.put_picture(ANN, b"photo")
    with library.begin() as session:
        library.hold(session, "one", [key])
    with suppress(ZeroDivisionError), library.begin() as session:
        library.release(session, "one")
        raise ZeroDivisionError
    assert library.picture(key) == b"photo"
    assert holders(library, key) == ["one"]


def test_what_was_deleted_cannot_be_held(library: Library) -> None:
    key = library.put_picture(ANN, b"photo")
    library.delete_everything(ANN)
    with pytest.raises(Missing, match="send it again"), library.begin() as session:
        library.hold(session, "one", [key])


def test_a_file_that_cannot_be_removed_now_is_removed_later(
    library: Library, store: BlobStore, monkeypatch, files
) -> None:
    def broken(_: str) -> None:
        raise OSError("the bucket is out of reach")

    style = add_style(library)
    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", broken)
        library.delete_style(ANN, style.id)
    assert files() == 2
    library.sweep()
    assert files() == 0


def test_a_file_that_cannot_be_written_is_not_forgotten(library: Library, store: BlobStore, monkeypatch, rows) -> None:
    """Its row came first, since part of it may be there."""

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "put", full)
    with pytest.raises(OSError, match="No space"):
        library.put_picture(ANN, b"photo")
    assert rows() == {"pictures": 1}
    library.sweep(time.time() + 2 * HOUR)
    assert rows() == {}


def test_a_picture_put_while_others_delete_it(library: Library, rows, files) -> None:
    """Whoever holds it has it, and in the end nothing is left."""
    seen = []

    def put_hold_and_release(worker: int) -> None:
        for _ in range(8):
            key = library.put_picture(ANN, b"photo")
            with suppress(Missing):  # deleted between the two: whoever sent it is told so
                with library.begin() as session:
                    library.hold(session, f"job {worker}", [key])
                seen.append(library.picture(key))
            with library.begin() as session:
                library.release(session, f"job {worker}")

    in_parallel(put_hold_and_release, range(4))
    assert len(seen) >= 16
    library.sweep(time.time() + 2 * HOUR)
    assert files() == 0
    assert rows() == {}


def test_more_pictures_than_one_transaction_removes(library: Library, rows, files) -> None:
    for number in range(120):
        library.put_picture(ANN, b"%d" % number)
    library.delete_everything(ANN)
    assert rows() == {}
    assert files() == 0


def test_a_picture_that_nobody_came_to_hold_is_swept(library: Library, rows, files) -> None:
    library.put_picture(ANN, b"photo")
    assert library.sweep(time.time() + 0.5 * HOUR).unclaimed == 0
    assert library.sweep(time.time() + 2 * HOUR).unclaimed == 1
    assert rows() == {}
    assert files() == 0


def test_there_is_an_end_to_what_is_kept(store: BlobStore, tmp_path: Path, files):
    library = Library(f"sqlite:///{tmp_path / 'small.sqlite3'}", store, keep_hours=1, most_bytes=10)
    library.put_picture(ANN, b"12345")
    with pytest.raises(Busy, match="no room") as refused:
        library.put_picture(BOB, b"123456")
    assert refused.value.retry_after > 60
    assert files() == 1
    library.put_picture(BOB, b"12345")
    library.close()
