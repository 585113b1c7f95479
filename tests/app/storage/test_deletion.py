"""What is deleted or has expired leaves nothing behind."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from sqlalchemy import select

from app.failures import Missing
from app.storage import library as library_module
from app.storage.library import Library
from app.storage.tables import JobRow
from tests.support.library_rows import ANN, BOB, HOUR, add_job, add_result, add_style, in_parallel


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


def test_a_sweep_of_many(library: Library, monkeypatch, rows) -> None:
    monkeypatch.setattr(library_module, "_BATCH_SIZE", 2)
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
