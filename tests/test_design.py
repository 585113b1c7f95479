"""The rules of the design that no reviewer should have to watch: who may import whom, and what loads when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SERVER = ("app", "flask", "huey", "sqlalchemy")
TENSORFLOW = ("tensorflow", "tensorflow_hub", "tf_keras")
KERAS_ONLY = ("model/networks", "model/refinement/encoders.py", "model/refinement/losses.py", "training")
FLASK_FREE = ("app/jobs", "app/storage", "app/failures.py")
READS_ENVIRONMENT = ("app/settings.py", "model/settings.py", "model/weights/registry.py")


def imports(source: str, package: str = "") -> Iterator[tuple[str, int]]:
    """(dotted name, line) of all that `source`, a module of `package`, imports, in functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


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
    """Mentions of `module.name`, for each of `names`."""
    found = [
        f"line {node.lineno} uses {module}.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == module
        and node.attr in names
    ]
    return found + forbidden_imports(source, tuple(f"{module}.{name}" for name in names))


def has_blueprint(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(getattr(func, "id", getattr(func, "attr", "")) == "Blueprint" for func in calls)


def loaded_after(code: str) -> set[str]:
    """Which of TensorFlow and Keras a fresh Python has loaded once `code` has run."""
    report = "import sys; print('\\nloaded:', *{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split()) & {*TENSORFLOW, "keras"}


def modules(*places: str) -> dict[Path, str]:
    """Path below the repository -> source, of all files in `places`: folders or files, each of which must be there."""
    sources: dict[Path, str] = {}
    for place in places:
        path = ROOT / place
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        assert found, f"the rule about {place} is about nothing"
        sources |= {file.relative_to(ROOT): file.read_text("utf-8") for file in found}
    return sources


def is_command_line(path: Path) -> bool:
    return path.name == "__main__.py" or path.parent == Path("model/cli")


def offences(checked: dict[Path, list[str]]) -> list[str]:
    return [f"{path} {offence}" for path, found in checked.items() for offence in found]


def import_offences(sources: dict[Path, str], forbidden: tuple[str, ...]) -> list[str]:
    return offences({p: forbidden_imports(s, forbidden, ".".join(p.parent.parts)) for p, s in sources.items()})


def test_the_model_knows_no_server() -> None:
    assert import_offences(modules("model"), SERVER) == []


def test_jobs_and_library_know_no_flask() -> None:
    assert import_offences(modules(*FLASK_FREE), ("flask",)) == []


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
    names = {path: ".".join(path.with_suffix("").parts) for path in blueprints}
    assert names, "there is no blueprint to look at"
    for path, source in blueprints.items():
        others = tuple(name for other, name in names.items() if other != path)
        assert import_offences({path: source}, others) == []


@pytest.mark.parametrize("folder", ["model", "app", "training", "bench"])
def test_nothing_imports_the_public_door(folder: str) -> None:
    assert import_offences(modules(folder), ("API",)) == []


@pytest.mark.parametrize("folder", ["model", "app"])
def test_settings_alone_read_the_environment(folder: str) -> None:
    allowed = modules(*READS_ENVIRONMENT)
    sources = {path: source for path, source in modules(folder).items() if path not in allowed}
    assert offences({path: environment_reads(source) for path, source in sources.items()}) == []


@pytest.mark.parametrize("folder", ["model", "app"])
def test_only_the_command_line_prints_and_exits(folder: str) -> None:
    sources = {path: source for path, source in modules(folder).items() if not is_command_line(path)}
    assert sources
    assert offences({path: terminal_uses(source) for path, source in sources.items()}) == []


@pytest.mark.parametrize(
    "source",
    [
        "import flask",
        "import flask.views as views",
        "from flask import Flask",
        "def lazily():\n    from flask.views import View",
    ],
)
def test_a_forbidden_import_is_seen(source: str) -> None:
    assert len(forbidden_imports(source, ("flask",))) == 1


@pytest.mark.parametrize(
    "source",
    ["from app import pages", "from app.pages import pages", "from . import pages", "from .pages import index"],
)
def test_a_forbidden_neighbour_is_seen(source: str) -> None:
    assert len(forbidden_imports(source, ("app.pages.create",), package="app")) == 1


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
