"""Styles and results, each for its owner alone."""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.failures import Missing
from app.storage import gallery
from app.storage import library as library_module
from app.storage.library import Library
from model.errors import InvalidOption
from tests.support.library_rows import ANN, BOB, HOUR, add_job, add_result, add_style, in_parallel


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
