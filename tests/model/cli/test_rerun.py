"""python -m model rerun."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.__main__ import main
from model.imaging import image_files, pixel_ops
from model.pipelines import recipes
from tests.support.tiny_weights import write_tiny_encoder

ALL = [
    "--strength",
    "0.6",
    "--keep-colours",
    "0.5",
    "--style-scale",
    "2",
    "--steady",
    "--size",
    "64",
    "--weights",
    "3,1",
]


@pytest.fixture(autouse=True)
def folder(desk: Path, tiny: Path) -> Path:
    (desk / tiny.name).symlink_to(tiny)  # one file for all tests, so that it is loaded once
    mask = np.zeros((96, 128), "uint8")
    mask[:, :64] = 255
    Image.fromarray(mask).save(desk / "left.png")
    return desk


def stylize(output: str, *arguments: str) -> None:
    inputs = ["photo.png", "painting.png", "turned.png", "--model", "tiny.npz"]
    assert main(["stylize", *inputs, "-o", output, *arguments]) == 0


def rerun(*arguments: str) -> int:
    return main(["rerun", *arguments, "--model", "tiny.npz"])


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_the_same_pixels_again_without_the_paintings(capsys: pytest.CaptureFixture[str]):
    stylize("out.png", *ALL, "--mask", "everywhere", "--mask", "left.png", "--feather", "2")
    Path("painting.png").unlink()
    Path("turned.png").unlink()
    Path("left.png").unlink()
    assert rerun("out.png", "photo.png") == 0
    assert np.array_equal(pixels("out-again.png"), pixels("out.png"))
    assert capsys.readouterr().out.splitlines()[-1].startswith("out-again.png: 64 x 48 pixels, ")


@pytest.mark.parametrize("name", ["out.jpg", "out.webp", "out.tif"])
def test_from_every_kind_of_file(name: str):
    stylize(name, *ALL)
    assert rerun(name, "photo.png") == 0
    again = Path(name).with_stem("out-again")
    assert np.array_equal(pixels(str(again)), pixels(name))
    stylize("lossless.png", *ALL)
    assert rerun(name, "photo.png", "-o", "again.png") == 0
    assert np.array_equal(pixels("again.png"), pixels("lossless.png"))


def test_again_and_again():
    stylize("out.png", *ALL)
    assert rerun("out.png", "photo.png") == 0
    assert rerun("out-again.png", "photo.png", "-o", "third.png") == 0
    assert np.array_equal(pixels("third.png"), pixels("out.png"))


def test_the_recipe_to_look_at(capsys: pytest.CaptureFixture[str]):
    stylize("out.png", *ALL)
    capsys.readouterr()
    assert main(["rerun", "out.png", "--show"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["method"], told["weights"], told["strength"], told["size"]) == ("magenta", "tiny", 0.6, 64)
    assert [style["weight"] for style in told["styles"]] == [0.75, 0.25]


def test_another_photo_is_painted_and_told_of(capsys: pytest.CaptureFixture[str]):
    stylize("out.png")
    assert rerun("out.png", "painting.png", "-o", "other.png") == 0
    assert "note: This is not the photo" in capsys.readouterr().err
    assert rerun("out.png", "painting.png", "-o", "other.png", "--json") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert any("not the photo" in note for note in json.loads(shown.out)["notes"])


def test_weights_that_are_not_here_are_named(folder: Path, capsys: pytest.CaptureFixture[str]):
    stylize("out.png")
    capsys.readouterr()
    sha256 = _sha256("out.png", capsys)
    assert main(["rerun", "out.png", "photo.png"]) == 1
    shown = capsys.readouterr().err
    assert "'tiny'" in shown
    assert sha256[:12] in shown
    assert not (folder / "out-again.png").exists()


def _sha256(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["rerun", path, "--show"]) == 0
    return str(json.loads(capsys.readouterr().out)["weights_sha256"])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["photo.png", "photo.png"], 1, "This picture has no recipe"),
        (["nowhere.png", "photo.png"], 1, "no recipe"),
        (["out.png"], 2, "--show"),
        (["out.png", "photo.png", "-o", "out.png"], 2, "--output would overwrite 'out.png'"),
        (["out.png", "photo.png", "-o", "photo.png"], 2, "--output would overwrite 'photo.png'"),
        (["out.png", "photo.png", "-o", "again.gif"], 2, "--output must end in"),
        (["out.png", "photo.png", "painting.png"], 2, "2 styles"),
        (["out.png", "photo.png", "turned.png", "painting.png"], 2, "Style 1 is not the one"),
        (["out.png", "photo.png", "--mask", "left.png"], 2, "0 masks"),
        (["out.png", "photo.png", "--mask", "clouds"], 2, "--mask"),
    ],
)
def test_what_cannot_be_made_again(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str):
    stylize("out.png")
    before = Path("out.png").read_bytes()
    assert rerun(*arguments) == status
    assert words in capsys.readouterr().err
    assert Path("out.png").read_bytes() == before


def test_a_refinement_again_with_its_painting(folder: Path, monkeypatch: pytest.MonkeyPatch):
    write_tiny_encoder(folder)
    monkeypatch.setenv("STYLE_MODEL_DIR", str(folder))
    quick = ["--encoder", "vgg19-slim", "--size", "100", "--steps", "3", "--start", "content"]
    assert main(["refine", "photo.png", "painting.png", "-o", "out.png", "--mask", "left.png", *quick]) == 0
    assert main(["rerun", "out.png", "photo.png", "painting.png"]) == 0
    assert np.array_equal(pixels("out-again.png"), pixels("out.png"))
    photo = pixel_ops.as_uint8(image_files.read("photo.png", long_side=100).rgb)
    assert np.array_equal(pixels("out.png")[:, 52:], photo[:, 52:])


def test_a_clip_is_not_made_again_as_a_picture(photo: np.ndarray, capsys: pytest.CaptureFixture[str]):
    stylize("out.png")
    told = recipes.extract("out.png").to_dict() | {"frames": 12}
    Path("clip.webp").write_bytes(image_files.encode(pixel_ops.Picture(photo), "webp", recipe=told))
    assert rerun("clip.webp", "photo.png") == 2
    assert "the recipe of a clip" in capsys.readouterr().err


def test_the_folder_it_goes_to_is_made():
    stylize("new/folder/out.png")
    assert rerun("new/folder/out.png", "photo.png", "-o", "other/again.png") == 0
    assert np.array_equal(pixels("other/again.png"), pixels("new/folder/out.png"))
