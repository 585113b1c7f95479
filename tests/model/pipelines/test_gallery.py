"""Styles of the gallery by name, in Python and in the shell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.errors import ImageError
from model.pipelines import gallery
from model.pipelines.stylization import read_style

NAMES = [style["name"] for style in json.loads(gallery.INDEX.read_text("utf-8"))]


@pytest.mark.parametrize("name", NAMES)
def test_every_style_is_found_by_its_name(name: str):
    path = gallery.find(name)
    assert path
    assert path == gallery.find(name.lower()) == gallery.find(Path(name.replace(" ", "_")))
    assert np.array_equal(read_style(name), read_style(path))


@pytest.mark.parametrize("name", ["cat", "flow-cat", "../styles/flow", "flow.jpg", "", "nothing", b"flow", 7, None])
def test_nothing_else_is_a_name(name: object):
    assert gallery.find(name) is None


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painting_png: bytes):
    monkeypatch.chdir(tmp_path)
    Path("flow").write_bytes(painting_png)
    assert np.array_equal(read_style("flow"), read_style(painting_png))


def test_a_name_of_nothing_is_told_as_a_missing_file():
    with pytest.raises(ImageError, match="there is no file 'flwo'"):
        read_style("flwo")
