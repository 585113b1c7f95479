"""The numbers of `python -m tests.structure` are what they must be, and count what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import structure
from tests.structure import (
    Import,
    banned_functions,
    circles,
    imports,
    longest_chain,
    mirrored_test,
    module_graph,
    repeated_constants,
    repeated_types,
    room_graph,
    types_of,
    untested,
    wrong_entries,
)

NUMBERS = [
    pytest.param(measurement, id=f"{heading} {measurement.label}")
    for heading, measurements in structure.measure().items()
    for measurement in measurements
    if measurement.offences is not None
]


@pytest.mark.parametrize("number", NUMBERS)
def test_what_must_be_zero_is(number: structure.Measurement) -> None:
    assert number.offences == []


def test_there_are_numbers_of_both_trees_and_of_the_names() -> None:
    assert len(NUMBERS) >= 2 * 3 + 4


def write(root: Path, **files: str) -> None:
    """Write a small tree in which `app` has what is asked for, in files named with two underscores for a slash."""
    empty = dict.fromkeys(("app____init__", "model____init__", "API"), "")
    for name, source in (empty | files).items():
        path = root / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")


def test_the_command_prints_the_numbers(tmp_path: Path, capsys, monkeypatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(structure, "TESTED_BY", {})
    assert structure.main(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "app/\n  files" in printed
    assert printed.count("circles between rooms") == 2


def test_the_command_fails_for_a_number_that_must_be_zero(tmp_path: Path, capsys, monkeypatch) -> None:
    write(tmp_path, app__one="import app.two", app__two="import app.one")
    monkeypatch.setattr(structure, "TESTED_BY", {})
    assert structure.main(tmp_path) == 1
    assert "app.one <-> app.two" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import app.jobs.queue", "app.jobs.queue"),
        ("from app.jobs import queue", "app.jobs.queue"),
        ("from . import queue", "app.jobs.queue"),
        ("from ..storage import library", "app.storage.library"),
        ("def late():\n    import app.jobs.queue", "app.jobs.queue"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import app.jobs.queue", "app.jobs.queue"),
    ],
)
def test_every_import_is_seen(source: str, name: str) -> None:
    assert Import(name, source.count("\n") + 1) in imports(source, package="app.jobs")


def test_a_module_is_seen_behind_what_is_imported_from_it() -> None:
    sources = {
        "app/__init__.py": "",
        "app/jobs/__init__.py": "",
        "app/jobs/queue.py": "class Jobs: ...",
        "app/pages/job.py": "from app.jobs.queue import Jobs\nfrom app import create_app\nimport flask",
    }
    assert module_graph(sources)["app.pages.job"] == {"app.jobs.queue", "app"}


def test_rooms_are_folders_and_the_files_beside_them() -> None:
    graph = {
        "app.jobs.queue": {"app.jobs.order", "app.storage.library", "app.settings"},
        "app.jobs.order": set(),
        "app.storage.library": {"app.settings"},
        "app.settings": set(),
    }
    rooms = room_graph(graph)
    assert rooms == {
        "app.jobs": {"app.storage", "app.settings"},
        "app.storage": {"app.settings"},
        "app.settings": set(),
    }
    assert longest_chain(rooms) == ["app.jobs", "app.storage", "app.settings"]


def test_a_circle_is_seen_and_does_not_catch_the_chain() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"d"}}
    assert circles(graph) == [["a", "b", "c"]]
    assert longest_chain(graph) == ["a", "b", "c", "d"]
    assert circles({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize(
    "source",
    [
        "class Mask: ...",
        "Mask = int | str",
        "Mask = Literal['a']",
        "Mask: TypeAlias = int",
        "Mask = NewType('Mask', int)",
        "Mask = Other",
    ],
)
def test_a_type_is_seen(source: str) -> None:
    assert list(types_of(source)) == ["Mask"]


@pytest.mark.parametrize(
    "source",
    ["T = TypeVar('T')", "MASK = 'a'", "MASKS = {'a': 1}", "mask = Mask()", "from model import Mask", "A = 1 | 2"],
)
def test_what_is_no_type_is_not(source: str) -> None:
    assert list(types_of(source)) == []


def test_a_name_for_two_types_is_seen_with_an_underscore_too() -> None:
    sources = {"app/a.py": "class Mask: ...", "model/b.py": "class _Mask: ...", "model/c.py": "class Other: ..."}
    assert repeated_types(sources) == {"Mask": ["app/a.py", "model/b.py"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [("SIDE = 64", "SIDE = 32"), ("SIDE: int = 64", "SIDE = 2 * 64"), ("A, SIDE = 1, 64", "SIDE, B = 32, 2")],
)
def test_a_constant_of_two_values_is_seen(one: str, other: str) -> None:
    assert repeated_constants({"app/a.py": one, "model/b.py": other}) == {"SIDE": ["app/a.py", "model/b.py"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIDE = 64", "SIDE = 64"),
        ("_SIDE = 64", "_SIDE = 32"),
        ("side = 64", "side = 32"),
        ("SIDE = 64", "SIDE = find_side()"),
        ("SIDE = 64", "SIDE: int"),
        ("SIDE = 64", "def f():\n    SIDE = 32"),
    ],
)
def test_what_is_no_constant_of_two_values_is_not(one: str, other: str) -> None:
    assert repeated_constants({"app/a.py": one, "model/b.py": other}) == {}


@pytest.mark.parametrize("source", ["def _told(): ...", "class Jobs:\n    async def back(self): ..."])
def test_a_banned_function_is_seen(source: str) -> None:
    assert len(banned_functions({"app/a.py": source})) == 1
    assert banned_functions({"app/a.py": source.replace("told", "told_once").replace("back", "background")}) == []


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("app/http/health.py", "tests/app/http/test_health.py"),
        ("app/__init__.py", "tests/app/test_app.py"),
        ("app/__main__.py", "tests/app/test_main.py"),
        ("model/inference/winograd/jit.py", "tests/model/inference/winograd/test_jit.py"),
    ],
)
def test_a_test_has_its_mirrored_place(module: str, test: str) -> None:
    assert mirrored_test(module) == test


def test_a_module_is_tested_in_its_place_or_where_the_table_says(tmp_path: Path) -> None:
    sources = dict.fromkeys(("app/one.py", "app/two.py"), "def run(): ...") | {"app/names.py": "NAME = 'a'"}
    assert untested(sources, {}, tmp_path) == ["app/one.py", "app/two.py"]
    place = tmp_path / "tests/app/test_one.py"
    place.parent.mkdir(parents=True)
    place.write_text("")
    assert untested(sources, {"app/two.py": "tests/app/test_one.py"}, tmp_path) == []


def test_the_table_has_no_entry_that_is_not_needed(tmp_path: Path) -> None:
    sources = dict.fromkeys(("app/one.py", "app/two.py"), "def run(): ...") | {"app/names.py": "NAME = 'a'"}
    place = tmp_path / "tests/app/test_one.py"
    place.parent.mkdir(parents=True)
    place.write_text("")
    table = {
        "app/one.py": "tests/app/test_one.py",
        "app/two.py": "tests/app/test_gone.py",
        "app/gone.py": "tests/app/test_one.py",
        "app/names.py": "tests/app/test_one.py",
    }
    assert wrong_entries(sources, table, tmp_path) == [
        "app/one.py has its test at the mirrored path",
        "tests/app/test_gone.py is no file",
        "app/gone.py is no module to test",
        "app/names.py is no module to test",
    ]
