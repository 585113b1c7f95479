"""The documentation names files and folders that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.structure import ROOT

DOCUMENTS = [
    path
    for pattern in ("CONTRIBUTING.md", "README.md", "docs/*.md", "model/weights/*.md")
    for path in sorted(ROOT.glob(pattern))
]
FOLDERS = ("app", "bench", "docs", "model", "static", "templates", "tests", "training")


def code_paths(text: str) -> Iterator[str]:
    """Yield the paths below the folders of this repository that stand in `code`; `*` stands for anything."""
    for code in re.findall(r"`([^`\n]+)`", text):
        yield from re.findall(rf"(?<![\w./~-])(?:{'|'.join(FOLDERS)})/[\w./*-]*\w", code)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths_in_documents_exist(document) -> None:
    missing = [path for path in code_paths(document.read_text("utf-8")) if not list(ROOT.glob(path))]
    assert missing == []


def test_paths_are_seen_in_code_alone() -> None:
    text = "See `model/options.py`, `python -m pytest tests/app`, app/gone.py and `/etc/app/x`; `tests/*/test_cli.py`."
    assert list(code_paths(text)) == ["model/options.py", "tests/app", "tests/*/test_cli.py"]
