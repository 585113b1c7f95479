"""TODO."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import func, select

from app.failures import Busy, Missing
from app.storage import gallery
from app.storage import library as library_module
from app.storage.blob_store import BlobStore
from app.storage.library import Library
from app.storage.records import Result, Style
from app.storage.tables import Base, Holding, JobRow, PictureRow, StyleRow
from model.errors import InvalidOption

ANN, BOB = "a" * 32, "b" * 32
HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "pictures"))


@pytest.fixture(scope="module")
def one_database(postgres_url: str) -> str:
    """For all tests in turn: a new one for each would take PostgreSQL a minute."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE library")
    return f"{postgres_url.rpartition('/')[0]}/library"


@pytest.fixture(params=["sqlite", "postgres"])
def library(request, store: BlobStore, tmp_path: Path) -> Iterator[Library]:
    sqlite = f"sqlite:///{tmp_path / 'library.sqlite3'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("one_database")
    library = Library(url, store, keep_hours=24)
    yield library
    with library.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    library.close()


@pytest.fixture
def rows(library: Library) -> Callable[[], dict[str, int]]:
    """How many there are in each table that has any."""

    def count() -> dict[str, int]:
        with library.reading() as session:
            counts = {
                name: session.scalars(select(func.count()).select_from(table)).one()
                for name, table in Base.metadata.tables.items()
            }
        return {name: count for name, count in counts.items() if count}

    return count


@pytest.fixture
def files(store: BlobStore) -> Callable[[], int]:
    return lambda: len(list(store.keys()))


def add_style(library: Library, owner: str = ANN, **more: Any) -> Style:
    given = {
        "name": "The Great Wave",
        "credit": "Hokusai",
        "licence": "public domain",
        "picture": b"waves",
        "vector": None,
    }
    given |= {"thumbnail": b"small waves", "vector": None, "weights": None, "weights_sha256": None}
    return library.add_style(owner, **given | more)


def add_job(library: Library, owner: str = ANN, id: str = "1" * 32, photo: bytes = b"photo", **more: Any) -> JobRow:
    content = library.put_picture(owner, photo)
    now = time.time()
    given = {"state": "running", "order": {"content": content}, "order_digest": "d", "created": now}
    with library.begin() as session:
        row = JobRow(id=id, owner=owner, expires=now + 24 * HOUR, **given | more)
        session.add(row)
        library.hold(session, id, [content])
    return row


def add_result(library: Library, owner: str = ANN, id: str = "1" * 32, picture: bytes = b"pastiche") -> Result:
    job = add_job(library, owner, id, state="done")
    files = {"picture": picture, "before": b"before", "thumbnail": b"small pastiche"}
    keys = {name: library.put_picture(owner, data) for name, data in files.items()}
    with library.begin() as session:
        facts = {"width": 4, "height": 3, "seconds": 0.5, "weights": "w", "recipe": {"strength": 1.0}, "complete": True}
        return library.add_result(session, job, **keys, **facts)


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


def holders(library: Library, key: str) -> list[str]:
    with library.reading() as session:
        return list(session.scalars(select(Holding.holder).where(Holding.picture == key)))


def in_parallel(work: Callable[[int], object], numbers: range) -> None:
    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(work, numbers))


def test_a_style_is_kept_as_it_was_given(library: Library) -> None:
    style = add_style(library)
    assert library.style(ANN, style.id) == style
    assert (style.name, style.credit, style.licence, style.own) == ("The Great Wave", "Hokusai", "public domain", True)
    assert style.picture
    assert style.thumbnail
    assert library.picture(style.picture) == b"waves"
    assert library.picture(style.thumbnail) == b"small waves"


def test_a_style_kept_as_its_vector_alone(library: Library) -> None:
    vector = np.linspace(-1, 1, 100, dtype="float32")
    id = add_style(library, picture=None, vector=vector, weights="w", weights_sha256="f" * 64).id
    style = library.style(ANN, id)
    assert style.picture is None
    assert style.vector is not None
    assert style.vector.dtype == np.float32
    np.testing.assert_array_equal(style.vector, vector)
    assert (style.weights, style.weights_sha256) == ("w", "f" * 64)


def test_shipped_styles_come_first_then_ones_own_by_age(library: Library) -> None:
    for name in ("Zebra", "Apple"):
        add_style(library, name=name)
    names = [style.name for style in library.styles(ANN)]
    assert names == [*(style.name for style in gallery.shipped()), "Zebra", "Apple"]


def test_nobody_sees_anothers_styles(library: Library) -> None:
    style = add_style(library)
    for stranger in (BOB, None):
        assert not any(each.own for each in library.styles(stranger))
        for name in (style.id, style.name):
            with pytest.raises(Missing):
                library.style(stranger, name)


def test_nobody_changes_or_deletes_anothers_styles(library: Library) -> None:
    style = add_style(library)
    with pytest.raises(Missing):
        library.change_style(BOB, style.id, name="Mine now")
    with pytest.raises(Missing):
        library.delete_style(BOB, style.id)
    assert library.style(ANN, style.id) == style


def test_a_shipped_style_by_id_and_by_name(library: Library) -> None:
    shipped = gallery.shipped()[0]
    for owner in (ANN, None):
        assert library.style(owner, shipped.id) == library.style(owner, shipped.name) == shipped


@pytest.mark.parametrize("name", ["", "no such style", "\0", "\ud800", "the great wave", "' OR 1=1 --", "x" * 10_000])
def test_a_name_that_no_style_has(library: Library, name: str) -> None:
    add_style(library)
    with pytest.raises(Missing):
        library.style(ANN, name)


def test_two_owners_may_use_one_name(library: Library) -> None:
    assert add_style(library).id != add_style(library, BOB).id


def test_a_name_is_used_once(library: Library, rows) -> None:
    add_style(library)
    before = rows()
    with pytest.raises(InvalidOption, match="already") as refusal:
        add_style(library, name=" The Great Wave ", picture=b"other waves")
    assert refusal.value.field == "name"
    assert rows() == before


def test_a_name_given_twice_at_the_same_time(library: Library, files) -> None:
    refused = []

    def add(number: int) -> None:
        try:
            add_style(library, picture=b"%d" % number)
        except InvalidOption as error:
            refused.append(error.field)

    in_parallel(add, range(4))
    assert refused == ["name"] * 3
    assert len(library.styles(ANN)) == len(gallery.shipped()) + 1


def test_a_name_of_a_shipped_style_is_taken(library: Library) -> None:
    shipped = gallery.shipped()[0]
    for name in (shipped.name, shipped.id):
        with pytest.raises(InvalidOption, match="always here"):
            add_style(library, name=name)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 81),
        ("name", "two\nlines"),
        ("credit", "x" * 201),
        ("credit", "nul\0"),
        ("licence", "x" * 201),
        ("licence", "half \ud83d"),
    ],
)
def test_words_that_do_not_fit(library: Library, field: str, text: str, rows) -> None:
    with pytest.raises(InvalidOption) as refusal:
        add_style(library, **{field: text})
    assert refusal.value.field == field
    assert rows() == {}
    style = add_style(library)
    with pytest.raises(InvalidOption):
        library.change_style(ANN, style.id, **{field: text})


def test_words_of_any_script(library: Library) -> None:
    words = {"name": "神奈川沖浪裏 🌊", "credit": "葛飾 北斎", "licence": "Ⓟ d'ömaine 'public' %s"}
    style = library.style(ANN, add_style(library, **words).id)
    assert {"name": style.name, "credit": style.credit, "licence": style.licence} == words


def test_a_style_is_renamed(library: Library) -> None:
    style = add_style(library)
    changed = library.change_style(ANN, style.id, name="Off Kanagawa")
    assert (changed.name, changed.credit) == ("Off Kanagawa", "Hokusai")
    assert library.style(ANN, "Off Kanagawa") == changed
    assert library.change_style(ANN, style.id, name="Off Kanagawa", credit="") == library.style(ANN, style.id)


def test_a_style_is_not_renamed_to_another_ones_name(library: Library) -> None:
    add_style(library)
    other = add_style(library, name="Other")
    for name in ("The Great Wave", gallery.shipped()[0].name):
        with pytest.raises(InvalidOption) as refusal:
            library.change_style(ANN, other.id, name=name)
        assert refusal.value.field == "name"


def test_a_deleted_style_leaves_nothing(library: Library, rows, files) -> None:
    library.delete_style(ANN, add_style(library).id)
    assert rows() == {}
    assert files() == 0
    add_style(library)  # and its name is free again


def test_a_painting_that_a_job_needs_outlives_its_style(library: Library) -> None:
    style = add_style(library)
    assert style.picture
    job = add_job(library)
    with library.begin() as session:
        library.hold(session, job.id, [style.picture])
    library.delete_style(ANN, style.id)
    assert library.picture(style.picture) == b"waves"


def test_a_style_that_is_its_own_thumbnail(library: Library, files) -> None:
    style = add_style(library, thumbnail=b"waves")
    assert files() == 1
    library.delete_style(ANN, style.id)
    assert files() == 0


def test_a_shipped_style_cannot_be_deleted(library: Library) -> None:
    with pytest.raises(Missing):
        library.delete_style(ANN, gallery.shipped()[0].id)


def test_an_owner_has_at_most_so_many_styles(library: Library, monkeypatch) -> None:
    monkeypatch.setattr(library_module, "MAX_STYLES_PER_OWNER", 2)
    for name in ("one", "two"):
        add_style(library, name=name)
    with pytest.raises(InvalidOption, match="Delete one"):
        add_style(library, name="three")
    add_style(library, BOB)


def test_a_result_is_kept_as_it_was_given(library: Library) -> None:
    given = add_result(library)
    result = library.result(ANN, given.id)
    assert result == given
    assert library.picture(result.picture) == b"pastiche"
    assert library.picture(result.order["content"]) == b"photo"
    assert (result.width, result.recipe, result.complete) == (4, {"strength": 1.0}, True)
    assert result.expires == pytest.approx(time.time() + 24 * HOUR, abs=60)


def test_results_come_newest_first(library: Library) -> None:
    for digit in "123":
        add_result(library, id=digit * 32)
    assert [result.id[0] for result in library.results(ANN)] == ["3", "2", "1"]


def test_nobody_sees_or_deletes_anothers_results(library: Library) -> None:
    result = add_result(library)
    assert library.results(BOB) == []
    with pytest.raises(Missing):
        library.result(BOB, result.id)
    with pytest.raises(Missing):
        library.delete_result(BOB, result.id)
    assert library.results(ANN) == [result]


@pytest.mark.parametrize("id", ["", "2" * 32, "\0", "\ud800"])
def test_an_id_that_no_result_has(library: Library, id: str) -> None:
    add_result(library)
    with pytest.raises(Missing):
        library.result(ANN, id)


def test_a_deleted_result_leaves_nothing(library: Library, rows, files) -> None:
    library.delete_result(ANN, add_result(library).id)
    assert rows() == {}
    assert files() == 0


def test_two_results_may_share_their_pictures(library: Library, files) -> None:
    first, second = add_result(library, id="1" * 32), add_result(library, id="2" * 32)
    library.delete_result(ANN, first.id)
    assert library.picture(second.picture) == b"pastiche"
    library.delete_result(ANN, second.id)
    assert files() == 0


def test_everything_deleted_is_everything(library: Library, rows, files) -> None:
    add_style(library)
    add_result(library)
    add_job(library, id="2" * 32, photo=b"another", state="queued")
    library.put_picture(ANN, b"for a job that never came")
    library.delete_everything(ANN)
    assert rows() == {}
    assert files() == 0
    assert library.results(ANN) == []


def test_what_is_anothers_stays(library: Library) -> None:
    for owner, id in ((ANN, "1" * 32), (BOB, "2" * 32)):
        add_style(library, owner)
        add_result(library, owner, id)
    before = library.results(BOB), library.styles(BOB)
    library.delete_everything(ANN)
    assert (library.results(BOB), library.styles(BOB)) == before
    assert all(library.picture(key) for key in (before[0][0].picture, before[1][-1].picture or ""))


def test_nothing_deleted_is_no_error(library: Library) -> None:
    library.delete_everything(ANN)


def test_more_pictures_than_one_transaction_removes(library: Library, rows, files) -> None:
    for number in range(120):
        library.put_picture(ANN, b"%d" % number)
    library.delete_everything(ANN)
    assert rows() == {}
    assert files() == 0


def test_everything_deleted_while_jobs_are_accepted(library: Library, rows, files) -> None:
    """Each is deleted whole or kept whole; once nothing more comes, nothing is left."""

    def work(worker: int) -> None:
        for turn in range(6):
            if worker == 0:
                library.delete_everything(ANN)
                continue
            with suppress(Missing):
                add_job(library, id=f"{worker}{turn}" * 16, photo=b"%d" % turn)

    in_parallel(work, range(4))
    with library.reading() as session:
        contents = [job.order["content"] for job in session.scalars(select(JobRow))]
    assert all(library.picture(key) for key in contents)
    library.delete_everything(ANN)
    assert rows() == {}
    assert files() == 0


def test_the_sweep_deletes_what_has_expired(library: Library, rows, files) -> None:
    add_result(library)
    add_job(library, id="2" * 32, photo=b"failed", state="failed")
    assert library.sweep(time.time() + 23 * HOUR).expired == 0
    assert library.sweep(time.time() + 25 * HOUR).expired == 2  # a job goes with its result
    assert rows() == {}
    assert files() == 0


def test_what_has_expired_is_not_shown_while_it_waits_for_the_sweep(library: Library, monkeypatch) -> None:
    result = add_result(library)
    later = time.time() + 25 * HOUR
    monkeypatch.setattr(time, "time", lambda: later)
    assert library.results(ANN) == []
    with pytest.raises(Missing):
        library.result(ANN, result.id)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_an_accepted_job_never_expires(library: Library, state: str) -> None:
    key = add_job(library, state=state).order["content"]
    library.sweep(time.time() + 100 * HOUR)
    assert library.picture(key) == b"photo"


def test_styles_never_expire(library: Library) -> None:
    style = add_style(library)
    library.sweep(time.time() + 10_000 * HOUR)
    assert library.style(ANN, style.id) == style
    assert library.picture(style.thumbnail or "") == b"small waves"


def test_a_picture_that_nobody_came_to_hold_is_swept(library: Library, rows, files) -> None:
    library.put_picture(ANN, b"photo")
    assert library.sweep(time.time() + 0.5 * HOUR).unclaimed == 0
    assert library.sweep(time.time() + 2 * HOUR).unclaimed == 1
    assert rows() == {}
    assert files() == 0


def test_a_sweep_of_many(library: Library, monkeypatch, rows) -> None:
    monkeypatch.setattr(library_module, "_BATCH", 2)
    for digit in "12345":
        add_result(library, id=digit * 32)
    assert library.sweep(time.time() + 25 * HOUR).expired == 5
    assert rows() == {}


def test_two_sweeps_at_once(library: Library, rows, files) -> None:
    for digit in "12345":
        add_result(library, id=digit * 32)
    later = time.time() + 25 * HOUR
    in_parallel(lambda _: library.sweep(later), range(3))
    assert rows() == {}
    assert files() == 0


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


def test_there_is_an_end_to_what_is_kept(store: BlobStore, tmp_path: Path, files):
    library = Library(f"sqlite:///{tmp_path / 'small.sqlite3'}", store, keep_hours=1, most_bytes=10)
    library.put_picture(ANN, b"12345")
    with pytest.raises(Busy, match="no room") as refused:
        library.put_picture(BOB, b"123456")
    assert refused.value.retry_after > 60
    assert files() == 1
    library.put_picture(BOB, b"12345")
    library.close()
