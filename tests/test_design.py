"""The rules of the design that no reviewer should have to watch: who may import whom, and what loads when.

Each rule is about folders, or about a file beside them, and fails when it is about nothing.
"""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from flask import Blueprint

from app import BLUEPRINTS
from tests.structure import ROOT, dotted, imports, modules, package_of

# Each imports only from what stands after it.
CHAINS = {
    "app": ("pages", "api", "inputs", "http", "jobs", "storage"),
    "model": (
        *("cli", "pipelines", "finetuning", "refinement", "video"),
        *("inference", "imaging", "hardware", "weights", "networks"),
    ),
}
# What stands beside the folders: files that all of them may import, and doors that none of them may.
BASES = {
    "app": ("failures", "settings"),
    "model": ("errors", "options", "settings", "style_file", "progress"),
}
DOORS = {"app": ("app.create_app", "app.create_services", "app.__main__"), "model": ("model.__main__",)}
BASE_IMPORTS = {"model.progress": ("model.imaging",)}  # of those files, from the folders

SERVER = ("app", "flask", "werkzeug", "gunicorn", "huey", "sqlalchemy", "alembic")
FLASK = ("flask", "werkzeug", "gunicorn")
TENSORFLOW = ("tensorflow", "tensorflow_hub", "tf_keras")
KERAS_ONLY = (
    *("model/networks", "model/finetuning", "model/refinement/encoders.py", "model/refinement/losses.py"),
    "training",
)
FLASK_FREE = ("app/jobs", "app/storage", "app/failures.py", "app/settings.py")
READS_ENVIRONMENT = ("app/settings.py", "model/settings.py")
COMMAND_LINE = ("model/cli", "model/__main__.py", "app/__main__.py")


def forbidden_imports(source: str, forbidden: tuple[str, ...], package: str = "") -> list[str]:
    return [
        f"line {line} imports {name}"
        for name, line in imports(source, package)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


def environment_reads(source: str) -> list[str]:
    return uses(source, "os", ("environ", "getenv"))


def terminal_uses(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [(call.func.id, call.lineno) for call in calls if isinstance(call.func, ast.Name)]
    prints = [f"line {line} calls {name}" for name, line in names if name in ("print", "exit", "quit", "SystemExit")]
    return prints + uses(source, "sys", ("exit",))


def uses(source: str, module: str, names: tuple[str, ...]) -> list[str]:
    """Return the mentions of `module.name`, for each of `names`."""
    mentions = [
        f"line {node.lineno} uses {module}.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == module
        and node.attr in names
    ]
    return mentions + forbidden_imports(source, tuple(f"{module}.{name}" for name in names))


def has_blueprint(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(getattr(func, "id", getattr(func, "attr", "")) == "Blueprint" for func in calls)


def loaded_after(code: str) -> set[str]:
    """Return which of TensorFlow and Keras a fresh Python has loaded once `code` has run."""
    report = "import sys; print('\\nloaded:', *{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split()) & {*TENSORFLOW, "keras"}


def import_offences(sources: dict[str, str], forbidden: tuple[str, ...]) -> list[str]:
    assert forbidden, "the rule forbids nothing"
    return offences({path: forbidden_imports(source, forbidden, package_of(path)) for path, source in sources.items()})


def offences(checked: dict[str, list[str]]) -> list[str]:
    return [f"{path} {offence}" for path, mistakes in checked.items() for offence in mistakes]


def before(tree: str, folder: str) -> tuple[str, ...]:
    """Return the packages of a tree that `folder` must not look back at."""
    chain = CHAINS[tree]
    return tuple(f"{tree}.{name}" for name in chain[: chain.index(folder)])


LINKS = [pytest.param(tree, folder, id=f"{tree}/{folder}") for tree, chain in CHAINS.items() for folder in chain]


@pytest.mark.parametrize(("tree", "folder"), LINKS)
def test_no_folder_looks_back_along_its_chain(tree: str, folder: str) -> None:
    forbidden = (*before(tree, folder), *DOORS[tree])
    assert import_offences(modules(f"{tree}/{folder}"), forbidden) == []


@pytest.mark.parametrize("tree", CHAINS)
def test_every_folder_has_its_place_in_the_chain(tree: str) -> None:
    folders = {path.parent.name for path in (ROOT / tree).glob("*/__init__.py")}
    assert folders == set(CHAINS[tree])


@pytest.mark.parametrize(("tree", "name"), [(tree, name) for tree, names in BASES.items() for name in names])
def test_the_files_that_all_may_import_know_no_folder(tree: str, name: str) -> None:
    allowed = BASE_IMPORTS.get(f"{tree}.{name}", ())
    source = modules(f"{tree}/{name}.py")[f"{tree}/{name}.py"]
    named = [found.name for found in imports(source, tree) if not found.name.startswith(allowed or "-")]
    folders = tuple(f"{tree}.{folder}" for folder in CHAINS[tree])
    assert [found for found in named if found.startswith(folders)] == []


@pytest.mark.parametrize("tree", CHAINS)
def test_every_file_beside_the_folders_is_known(tree: str) -> None:
    assert {path.stem for path in (ROOT / tree).glob("*.py")} == {"__init__", "__main__", *BASES[tree]}


def test_the_model_knows_no_server() -> None:
    assert import_offences(modules("model"), SERVER) == []


def test_jobs_and_library_know_no_flask() -> None:
    assert import_offences(modules(*FLASK_FREE), FLASK) == []


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import API", id="API"),
        pytest.param("import app; app.create_app()", id="create_app"),
        pytest.param(
            "import runpy, sys\nsys.argv = ['model', '--help']\n"
            "try: runpy.run_module('model', run_name='__main__')\nexcept SystemExit as end: assert not end.code",
            id="help",
        ),
    ],
)
def test_tensorflow_waits_for_the_first_picture(code: str) -> None:
    assert loaded_after(code) == set()


def test_networks_and_training_run_on_any_keras_backend() -> None:
    assert import_offences(modules(*KERAS_ONLY), TENSORFLOW) == []


def test_blueprints_do_not_import_each_other() -> None:
    blueprints = {path: source for path, source in modules("app").items() if has_blueprint(source)}
    assert blueprints, "there is no blueprint to look at"
    for path, source in blueprints.items():
        others = tuple(dotted(other) for other in blueprints if other != path)
        assert import_offences({path: source}, others) == []


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.import_name)
def test_a_blueprint_is_named_as_its_file(blueprint: Blueprint) -> None:
    _, folder, file = blueprint.import_name.split(".")
    assert blueprint.name == (f"api_{file}" if folder == "api" else file)


@pytest.mark.parametrize("folder", ["model", "app", "training", "bench"])
def test_nothing_imports_the_public_door(folder: str) -> None:
    assert import_offences(modules(folder), ("API",)) == []


@pytest.mark.parametrize("folder", ["model", "app"])
def test_the_product_does_without_its_tests_and_tools(folder: str) -> None:
    assert import_offences(modules(folder), ("tests", "training", "bench", "docs")) == []


@pytest.mark.parametrize("folder", ["model", "app"])
def test_settings_alone_read_the_environment(folder: str) -> None:
    allowed = modules(*READS_ENVIRONMENT)
    sources = {path: source for path, source in modules(folder).items() if path not in allowed}
    assert offences({path: environment_reads(source) for path, source in sources.items()}) == []


@pytest.mark.parametrize("folder", ["model", "app"])
def test_only_the_command_line_prints_and_exits(folder: str) -> None:
    allowed = modules(*COMMAND_LINE)
    sources = {path: source for path, source in modules(folder).items() if path not in allowed}
    assert offences({path: terminal_uses(source) for path, source in sources.items()}) == []


@pytest.mark.parametrize("place", ["app/nowhere", "model/no_file.py", "templates"])
def test_a_rule_about_nothing_fails(place: str) -> None:
    with pytest.raises(AssertionError, match=f"the rule about {place} is about nothing"):
        modules("model", place)


@pytest.mark.parametrize(
    "source",
    [
        "import flask",
        "import flask.views as views",
        "from flask import Flask",
        "def lazily():\n    from flask.views import View",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from flask import Flask",
    ],
)
def test_a_forbidden_import_is_seen(source: str) -> None:
    assert len(forbidden_imports(source, ("flask",))) == 1


@pytest.mark.parametrize(
    "source",
    ["from app import pages", "from app.pages import pages", "from . import pages", "from .pages import index"],
)
def test_a_forbidden_neighbour_is_seen(source: str) -> None:
    assert len(forbidden_imports(source, ("app.pages",), package="app")) == 1


@pytest.mark.parametrize("source", ["import flask_cors", "from model import flask", "flask = 1", "'import flask'"])
def test_a_similar_import_is_allowed(source: str) -> None:
    assert forbidden_imports(source, ("flask",)) == []


@pytest.mark.parametrize(
    "source", ["os.environ['A']", "os.environ.get('A')", "os.getenv('A')", "from os import environ, path"]
)
def test_a_read_of_the_environment_is_seen(source: str) -> None:
    assert len(environment_reads(source)) == 1


@pytest.mark.parametrize(
    "source", ["print('done')", "import sys\nsys.exit(1)", "exit()", "raise SystemExit(1)", "from sys import exit"]
)
def test_talk_to_the_terminal_is_seen(source: str) -> None:
    assert len(terminal_uses(source)) == 1


@pytest.mark.parametrize("source", ["pages = Blueprint('pages', __name__)", "api = flask.Blueprint('api', __name__)"])
def test_a_blueprint_is_seen(source: str) -> None:
    assert has_blueprint(source)
    assert not has_blueprint("from flask import Blueprint")


def test_a_loaded_keras_is_seen() -> None:
    assert loaded_after("import sys; sys.modules['keras'] = sys") == {"keras"}
