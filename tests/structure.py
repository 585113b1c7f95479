"""The structure of `app/` and `model/` in numbers: `python -m tests.structure` prints them.

It exits with 1 when a number that must be zero is not.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TREES = ("app", "model")
BANNED_NAMES = frozenset({"told", "shown", "found", "kept", "made", "painted", "there", "back"})

# Module -> the file that tests it, where that is not the file at the mirrored path (app/http/health.py is mirrored by
# tests/app/http/test_health.py).
TESTED_BY: dict[str, str] = {
    "app/__init__.py": "tests/app/test_server.py",
    "app/__main__.py": "tests/app/jobs/test_crashes.py",
    "app/api/job_answers.py": "tests/app/api/test_jobs.py",
    "app/api/operations.py": "tests/app/api/test_openapi.py",
    "app/api/recipes.py": "tests/app/api/test_restore.py",
    "app/api/request_schemas.py": "tests/app/api/test_openapi.py",
    "app/api/response_schemas.py": "tests/app/api/test_openapi.py",
    "app/failures.py": "tests/app/http/test_error_handlers.py",
    "app/http/disconnects.py": "tests/app/jobs/test_render_engine.py",
    "app/http/downloads.py": "tests/app/pages/test_results.py",
    "app/http/health.py": "tests/app/test_server.py",
    "app/inputs/synchronous_render.py": "tests/app/api/test_stylize.py",
    "app/inputs/style_requests.py": "tests/app/api/test_styles.py",
    "app/inputs/submission.py": "tests/app/api/test_jobs.py",
    "app/pages/picture_inputs.py": "tests/app/pages/test_create.py",
    "app/storage/atomic_files.py": "tests/app/storage/test_blob_store.py",
    "app/storage/migrations/versions/0001_styles_results_jobs.py": "tests/app/storage/test_migrations.py",
    "app/storage/migrations/versions/0002_refinements.py": "tests/app/storage/test_migrations.py",
    "app/storage/migrations/versions/0003_style_networks.py": "tests/app/storage/test_migrations.py",
    "app/storage/records.py": "tests/app/storage/test_library.py",
    "app/storage/tables.py": "tests/app/storage/test_migrations.py",
    "model/cli/arguments.py": "tests/model/test_main.py",
    "model/cli/console.py": "tests/model/cli/test_stylize.py",
    "model/cli/runtime.py": "tests/model/test_main.py",
    "model/errors.py": "tests/app/http/test_error_handlers.py",
    "model/inference/engine.py": "tests/model/inference/test_autotune.py",
    "model/inference/tiling/band_layers.py": "tests/model/inference/tiling/test_residual_passes.py",
    "model/networks/inception_predictor.py": "tests/model/weights/test_saved_model.py",
    "model/pipelines/recipe_builder.py": "tests/model/pipelines/test_recipes.py",
    "model/settings.py": "tests/model/hardware/test_device.py",
    "model/video/temporal_transformer.py": "tests/model/pipelines/test_clips.py",
}


class Import(NamedTuple):
    """`name` is a dotted name, perhaps of something within a module; `line` says where it is imported."""

    name: str
    line: int


Graph = Mapping[str, set[str]]


def imports(source: str, package: str = "") -> Iterator[Import]:
    """Yield all that `source`, a module of `package`, imports: in functions and for type checkers too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (Import(f"{base}.{alias.name}", node.lineno) for alias in node.names)


def modules(*places: str, root: Path = ROOT) -> dict[str, str]:
    """Return path below the repository -> source for all Python files in `places`, which are folders or files.

    Raises an AssertionError for a place that holds none, so that no rule is silently about nothing.
    """
    sources: dict[str, str] = {}
    for place in places:
        path = root / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.is_file()
        assert files, f"the rule about {place} is about nothing"
        sources |= {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in files}
    return sources


def dotted(path: str) -> str:
    """Return the name under which the file at `path` is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def package_of(path: str) -> str:
    """Return the package that the relative imports of the file at `path` start from."""
    return path.rpartition("/")[0].replace("/", ".")


def module_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return dotted name -> the modules among `sources` that it imports, itself left out."""
    names = {dotted(path) for path in sources}
    graph: dict[str, set[str]] = {}
    for path, source in sources.items():
        targets = (_nearest(found.name, names) for found in imports(source, package_of(path)))
        graph[dotted(path)] = {target for target in targets if target} - {dotted(path)}
    return graph


def _nearest(name: str, names: set[str]) -> str | None:
    """Return the longest beginning of the dotted `name` that is a module: `app.jobs.queue.Jobs` is `app.jobs.queue`."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name or None


def room_graph(graph: Graph, depth: int = 2) -> dict[str, set[str]]:
    """Return the graph between rooms: folders of `depth` names in a dotted path, and the files beside them."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, targets in graph.items():
        room = _room(module, depth)
        rooms[room] |= {_room(target, depth) for target in targets} - {room}
    return dict(rooms)


def _room(module: str, depth: int) -> str:
    return ".".join(module.split(".")[:depth])


def circles(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components of two nodes or more (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            components.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return [component for component in components if len(component) > 1]


def longest_chain(graph: Graph) -> list[str]:
    """Return the longest path of imports, the importing node first. A circle is followed until it closes."""
    chains: dict[str, list[str]] = {}

    def chain(node: str, path: tuple[str, ...]) -> list[str]:
        if node not in chains:
            targets = sorted(target for target in graph.get(node, ()) if target not in path)
            below = max((chain(target, (*path, node)) for target in targets), key=len, default=[])
            chains[node] = [node, *below]
        return chains[node]

    return max((chain(node, ()) for node in sorted(graph)), key=len, default=[])


def types_of(source: str) -> Iterator[str]:
    """Yield the names of the types that a module defines at its top level: classes and aliases, no type variables."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if "TypeAlias" in ast.unparse(node.annotation):
                yield node.target.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if re.fullmatch(r"_?[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*", name) and _is_type(node.value, name):
                yield name


def _is_type(value: ast.expr, name: str) -> bool:
    """Whether an assignment of `value` defines a type: `A | B`, `Literal[...]`, `NewType(...)`, not another's alias."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in ("NewType", "NamedTuple", "TypedDict", "Enum")
    return isinstance(value, (ast.Subscript, ast.BinOp)) or (isinstance(value, ast.Name) and value.id != name)


def repeated_types(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the type names that stand for more than one thing -> the files that define them.

    A leading underscore makes no other name of it.
    """
    files: dict[str, list[str]] = defaultdict(list)
    for path, source in sources.items():
        for name in types_of(source):
            files[name.lstrip("_")].append(path)
    return {name: paths for name, paths in sorted(files.items()) if len(paths) > 1}


def literal_constants(source: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the public constants, in capitals, that a module sets to a literal at its top level."""
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value else ():
            for name, value in _pair_up(target, node.value):
                if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and _is_literal(value):
                    yield name, ast.unparse(value)


def _pair_up(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield what an assignment gives to each name: `A, B = 1, 2` is two of them."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its_value in zip(target.elts, value.elts, strict=False):
            yield from _pair_up(one, its_value)


def _is_literal(value: ast.expr) -> bool:
    """Whether an expression is made of literals alone: `4 * 1024` is, `4 * SIDE` and `Lock()` are not."""
    return not any(isinstance(node, (ast.Name, ast.Call, ast.Attribute)) for node in ast.walk(value))


def repeated_constants(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of public constants that have different values in different files -> those files."""
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for path, source in sources.items():
        for name, value in literal_constants(source):
            values[name][path] = value
    return {name: list(files) for name, files in sorted(values.items()) if len(set(files.values())) > 1}


def banned_functions(sources: Mapping[str, str]) -> list[str]:
    """Return where functions, methods included, bear a banned name, with underscores around it or without."""
    return [
        f"{path}:{node.lineno} {node.name}"
        for path, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.strip("_") in BANNED_NAMES
    ]


def defines_something(source: str) -> bool:
    """Whether a module holds a function or class; one that only names things or imports them has nothing to test."""
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in ast.parse(source).body
    )


def mirrored_test(path: str) -> str:
    """Return where the test of the module at `path` belongs: of a package, the test bears the folder's name."""
    module = PurePosixPath(path)
    name = module.parent.name if module.name == "__init__.py" else module.stem.strip("_")
    return f"tests/{module.parent}/test_{name}.py"


def untested(sources: Mapping[str, str], table: Mapping[str, str] | None = None, root: Path = ROOT) -> list[str]:
    """Return the modules among `sources` that have no test: neither the mirrored file nor an entry in the table."""
    table = TESTED_BY if table is None else table
    return [
        path
        for path, source in sources.items()
        if defines_something(source) and path not in table and not (root / mirrored_test(path)).is_file()
    ]


def wrong_entries(sources: Mapping[str, str], table: Mapping[str, str] | None = None, root: Path = ROOT) -> list[str]:
    """Return what is wrong with the table: entries of files that are gone, or that nothing needs."""
    wrong = []
    for module, test in (TESTED_BY if table is None else table).items():
        if module not in sources or not defines_something(sources[module]):
            wrong.append(f"{module} is no module to test")
        elif (root / mirrored_test(module)).is_file():
            wrong.append(f"{module} has its test at the mirrored path")
        elif not (root / test).is_file():
            wrong.append(f"{test} is no file")
    return wrong


class Measurement(NamedTuple):
    """A number about a tree; `offences` says what makes up a number that must be zero, None that it need not be."""

    label: str
    value: str
    offences: list[str] | None = None


def measure_tree(tree: str, root: Path = ROOT) -> list[Measurement]:
    """Return the numbers of one of the trees."""
    sources = modules(tree, root=root)
    graph = module_graph(sources)
    rooms = room_graph(graph)
    chain = longest_chain(rooms)
    return [
        Measurement("files", str(len(sources))),
        Measurement("packages", str(sum(path.endswith("/__init__.py") for path in sources))),
        Measurement("rooms, folders and the files beside them", str(len(rooms))),
        Measurement("imports between rooms", str(sum(map(len, rooms.values())))),
        Measurement("deepest import chain", f"{len(chain)}: {' > '.join(chain)}"),
        _zero("circles between rooms", map(_circle, circles(rooms))),
        _zero("circles between modules", map(_circle, circles(graph))),
        _zero("modules without a test", [mirrored_test(path) for path in untested(sources)]),
    ]


def measure_names(root: Path = ROOT) -> list[Measurement]:
    """Return the numbers about the names in both trees and `API.py` together."""
    sources = modules(*TREES, "API.py", root=root)
    return [
        _zero("type names defined twice", map(_repetition, repeated_types(sources).items())),
        _zero("constants of one name and several values", map(_repetition, repeated_constants(sources).items())),
        _zero("functions of banned names", banned_functions(sources)),
        _zero("wrong entries in the table of tests", wrong_entries(sources, root=root)),
    ]


def _zero(label: str, offences: Iterable[str]) -> Measurement:
    offences = list(offences)
    return Measurement(label, str(len(offences)), offences)


def _repetition(item: tuple[str, list[str]]) -> str:
    name, paths = item
    return f"{name}: {', '.join(paths)}"


def _circle(members: list[str]) -> str:
    return " <-> ".join(members)


def measure(root: Path = ROOT) -> dict[str, list[Measurement]]:
    """Return all numbers, by what they are about."""
    return {f"{tree}/": measure_tree(tree, root) for tree in TREES} | {"app/, model/ and API.py": measure_names(root)}


def main(root: Path = ROOT) -> int:
    """Print all numbers, and what makes up those that must be zero and are not; 1 if there are any, or 0."""
    failures = 0
    for heading, measurements in measure(root).items():
        print(heading)
        for label, value, offences in measurements:
            print(f"  {label:<42}{value}")
            for offence in offences or ():
                print(f"      {offence}")
            failures += bool(offences)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
