"""python -m model sheet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.__main__ import main


@pytest.fixture(autouse=True)
def folder(desk: Path, tiny: Path) -> Path:
    (desk / tiny.name).symlink_to(tiny)  # one file for all tests, so that it is loaded once
    return desk


def sheet(*arguments: str) -> int:
    inputs = ["photo.png", "painting.png", "turned.png", "--model", "tiny.npz"]
    return main(["sheet", *inputs, "-o", "sheet.png", *arguments])


def test_each_picture_is_where_the_json_says(capsys: pytest.CaptureFixture[str]):
    assert sheet("--strengths", "0.4,1", "--style-scales", "0.5,1,2", "--size", "64", "--json") == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert shown.err == ""
    page = np.asarray(Image.open("sheet.png"))
    assert page.shape == (told["height"], told["width"], 3)
    assert len(told["cells"]) == 2 * 3 * 2
    cell = told["cells"][-1]
    assert (cell["style"], cell["style_scale"], cell["strength"]) == (2, 2, 1)
    alone = ["--style-scale", "2", "--size", "64", "--model", "tiny.npz"]
    assert main(["stylize", "photo.png", "turned.png", "-o", "alone.png", *alone]) == 0
    cut = page[cell["y"] : cell["y"] + cell["height"], cell["x"] : cell["x"] + cell["width"]]
    assert np.array_equal(cut, np.asarray(Image.open("alone.png")))


def test_one_line_and_a_bar(capsys: pytest.CaptureFixture[str]):
    assert sheet("--size", "64") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("sheet.png: 6 pictures, ")
    assert "%|" in shown.err


def test_the_output_s_name_decides_its_kind():
    assert sheet("--size", "64", "-o", "sheet.jpg") == 0
    with Image.open("sheet.jpg") as image:
        assert image.format == "JPEG"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--strengths", "2"], "strengths"),
        (["--strengths", ""], "strengths"),
        (["--style-scales", "9"], "style_scales"),
        (["--strengths", "0,0.1,0.2,0.3,0.4,0.5,0.6", "--style-scales", "0.5,0.6,0.7,0.8,0.9,1,2"], "strengths"),
        (["--size", "2000"], "size"),
        (["-o", "painting.png"], "--output"),
        (["-o", "sheet.gif"], "--output"),
    ],
)
def test_a_wrong_option_is_named(capsys: pytest.CaptureFixture[str], arguments: list[str], field: str):
    assert sheet(*arguments) == 2
    assert field in capsys.readouterr().err
    assert not Path("sheet.png").exists()
