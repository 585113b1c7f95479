"""python -m model vector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.__main__ import main
from tests.support.command_line import pixels, stylize

pytestmark = pytest.mark.usefixtures("desk")


def test_a_style_kept_without_its_artwork(capsys: pytest.CaptureFixture[str]):
    assert main(["vector", "painting.png", "-o", "waves.style.json", "--credit", "Anna"]) == 0
    assert capsys.readouterr().out == "waves.style.json: 100 numbers of the weights magenta-small\n"
    about = json.loads(Path("waves.style.json").read_text("utf-8"))
    assert (about["name"], about["credit"]) == ("waves", "Anna")
    assert main(["stylize", "photo.png", "waves.style.json", "-o", "from_file.png"]) == 0
    assert stylize() == 0
    assert np.array_equal(pixels("from_file.png"), pixels("out.png"))


def test_the_average_of_several(capsys: pytest.CaptureFixture[str]):
    assert main(["vector", "painting.png", "turned.png", "-o", "both.style.json", "--weights", "3,1"]) == 0
    assert main(["stylize", "photo.png", "painting.png", "turned.png", "-o", "out.png", "--weights", "3,1"]) == 0
    assert main(["stylize", "photo.png", "both.style.json", "-o", "from_file.png"]) == 0
    difference = pixels("from_file.png").astype(int) - pixels("out.png")
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["painting.png", "--weights", "1,2"], 2, "There is 1 style but 2 weights"),
        (["painting.png", "--name", "x" * 81], 2, "'name'"),
        (["nothing.png"], 1, "style: there is no file 'nothing.png'"),
    ],
)
def test_what_cannot_be_kept(arguments, status: int, sentence: str, capsys: pytest.CaptureFixture[str]):
    assert main(["vector", *arguments, "-o", "x.style.json"]) == status
    assert sentence in capsys.readouterr().err
    assert not Path("x.style.json").exists()
