"""The command line as a whole: photos and folders, wrong options, exit statuses, nothing half done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from API import transfer_style
from model.__main__ import main
from model.cli import stylize as stylize_command
from model.options import StylizeOptions
from model.weights import registry
from tests.support.command_line import assert_nothing_but_the_inputs, pixels, stylize

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.usefixtures("desk")


def test_a_photo_and_a_painting(desk: Path, capsys: pytest.CaptureFixture[str]):
    assert stylize() == 0
    expected = transfer_style("photo.png", "painting.png")
    assert np.array_equal(pixels("out.png"), (expected * 255 + 0.5).astype("uint8"))
    assert capsys.readouterr().out.startswith("out.png: 128 x 96 pixels, ")
    assert not list(desk.glob(".*"))


def test_several_paintings_and_all_options():
    options = ["--weights", "3,1", "--strength", "0.5", "--size", "64", "--quality", "80", "--format", "webp"]
    assert main(["stylize", "photo.png", "painting.png", "turned.png", "-o", "new/folder/out.webp", *options]) == 0
    with Image.open("new/folder/out.webp") as image:
        assert (image.format, image.size) == ("WEBP", (64, 48))


def test_every_option_of_the_library_is_one_of_the_shell(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["stylize", "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')} " in shown for name in StylizeOptions.model_fields)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("out.png", "PNG"),
        ("out.jpg", "JPEG"),
        ("out.JPEG", "JPEG"),
        ("out.webp", "WEBP"),
        ("out.tif", "TIFF"),
        ("out.TIFF", "TIFF"),
    ],
)
def test_the_output_s_name_decides_its_kind(name: str, kind: str):
    assert main(["stylize", "photo.png", "painting.png", "-o", name]) == 0
    with Image.open(name) as image:
        assert image.format == kind


def test_json_for_scripts(capsys: pytest.CaptureFixture[str]):
    assert stylize("--json", "--size", "64") == 0
    report = json.loads(capsys.readouterr().out)
    assert report.keys() == {"photo", "output", "width", "height", "seconds", "weights", "recipe", "notes"}
    assert (report["photo"], report["output"]) == ("photo.png", "out.png")
    assert (report["width"], report["height"], report["weights"]) == (64, 48, "magenta-small")
    assert report["recipe"]["method"] == "magenta"


def test_weights_by_their_path(desk: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copy(registry.SHIPPED_MAGENTA, desk / "mine.npz")
    assert stylize("--model", "mine.npz") == 0
    assert capsys.readouterr().out.endswith("weights mine\n")


def test_a_folder_of_photos(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "out", "--format", "jpeg", "--size", "64"]) == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.jpg", "c.jpg"]
    assert pixels("out/a.jpg").shape == (48, 64, 3)
    assert pixels("out/c.jpg").shape == (64, 48, 3)
    shown = capsys.readouterr()
    last = shown.err.splitlines()[-1]
    assert last.startswith("error: photos/b.jpg: ")
    assert "not a picture" in last
    assert "3/3" in shown.err  # the bar
    assert shown.out == ""


def test_a_folder_of_photos_in_json(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "out", "--json"]) == 1
    shown = capsys.readouterr()
    first, second, third = map(json.loads, shown.out.splitlines())
    assert [row["photo"] for row in (first, second, third)] == ["photos/a.PNG", "photos/b.jpg", "photos/c.png"]
    assert second.keys() == {"photo", "error"}
    assert (first["output"], third["output"]) == ("out/a.png", "out/c.png")
    assert shown.err == ""


def test_photos_of_one_name_do_not_overwrite_each_other(photos: Path):
    shutil.copy("turned.png", photos / "a.webp")
    (photos / "b.jpg").unlink()
    assert main(["stylize", "photos", "painting.png", "-o", "out", "--size", "32"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.PNG.png", "a.webp.png", "c.png"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--strength", "2"], "strength"),
        (["--strength", "nan"], "strength"),
        (["--strength", "much"], "strength"),
        (["--size", "31"], "size"),
        (["--size", "1e9"], "size"),
        (["--weights", "1,2"], "weights"),
        (["--weights", "0"], "weights"),
        (["--weights=-1"], "weights"),
        (["--format", "gif"], "format"),
        (["--quality", "0"], "quality"),
        (["-o", "out.gif"], "output"),
        (["-o", "out"], "output"),
    ],
)
def test_a_wrong_option_is_named(desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], field: str):
    assert stylize(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert field in shown.err
    assert "Traceback" not in shown.err + shown.out
    assert_nothing_but_the_inputs(desk)


def test_a_wrong_option_stops_a_whole_folder(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "out", "--weights", "1,2"]) == 2
    assert capsys.readouterr().err.endswith("error: There is 1 style but 2 weights: give one for each.\n")
    assert not Path("out").exists()


def test_a_folder_into_a_file(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "photo.png"]) == 2
    assert "-o, --output must be a folder, as the photo is one; 'photo.png' is a file." in capsys.readouterr().err


def test_a_folder_into_what_is_named_as_a_file(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "out.jpg"]) == 2
    assert "-o, --output must be a folder, as the photo is one; 'out.jpg' is named as" in capsys.readouterr().err
    assert not Path("out.jpg").exists()


@pytest.mark.parametrize("target", ["photo.png", "painting.png", "./photo.png"])
def test_inputs_are_not_overwritten(desk: Path, capsys: pytest.CaptureFixture[str], target: str):
    before = (desk / target).read_bytes()
    assert stylize("-o", target) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert (desk / target).read_bytes() == before


def test_a_folder_of_photos_is_not_overwritten(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "painting.png", "-o", "photos"]) == 2
    assert "would overwrite" in capsys.readouterr().err


def test_a_bad_painting_is_told_once(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photos", "photos/b.jpg", "-o", "out"]) == 1
    assert capsys.readouterr().err.count("error: style: ") == 1
    assert not Path("out").exists()


def test_a_folder_without_photos(desk: Path, capsys: pytest.CaptureFixture[str]):
    (desk / "empty").mkdir()
    assert main(["stylize", "empty", "painting.png", "-o", "out"]) == 2
    assert "no picture in the folder 'empty'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["paint"], ["stylize", "photo.png"], ["weights"], ["stylize", "--depth"]])
def test_a_command_that_is_none(arguments: list[str]):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


@pytest.mark.parametrize("broken", ["photo.png", "painting.png"])
def test_a_picture_that_is_none(desk: Path, capsys: pytest.CaptureFixture[str], broken: str):
    (desk / broken).write_bytes(b"no picture")
    assert stylize() == 1
    shown = capsys.readouterr()
    assert "not a picture" in shown.err
    assert shown.out == ""
    assert_nothing_but_the_inputs(desk)


def test_weights_that_are_not_there(capsys: pytest.CaptureFixture[str]):
    assert stylize("--model", "nowhere.npz") == 1
    assert "nowhere.npz" in capsys.readouterr().err


def test_a_disk_that_is_full_leaves_nothing_half_done(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert stylize() == 1
    assert "'out.png' could not be written" in capsys.readouterr().err
    assert_nothing_but_the_inputs(desk)


def test_a_failure_leaves_the_last_result_as_it_was(desk: Path, monkeypatch: pytest.MonkeyPatch):
    (desk / "out.png").write_bytes(b"precious")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert stylize() == 1
    assert (desk / "out.png").read_bytes() == b"precious"


def test_an_output_where_no_folder_can_be(capsys: pytest.CaptureFixture[str]):
    assert stylize("-o", "photo.png/out.png") == 1
    assert "photo.png" in capsys.readouterr().err


def test_stopped_from_the_keyboard(desk: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stylize_command, "stylize_file", stopped)
    assert stylize() == 130
    assert_nothing_but_the_inputs(desk)


def test_no_command_s_help_loads_a_network():
    code = (
        "import sys; from model.__main__ import COMMANDS, main\n"
        "for command in COMMANDS:\n"
        "    try: main([command, '--help'])\n"
        "    except SystemExit as end: assert not end.code\n"
        "print(sorted({'tensorflow', 'keras', 'av', 'pyvips'} & sys.modules.keys()))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"


def test_doctor_finds_nothing_that_keeps_a_pastiche_from_being_made(capsys: pytest.CaptureFixture[str]):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "FAULT" not in shown
    for subject in ("Python", "TensorFlow", "GPU", "Memory", "Disk", "Weights magenta-small"):
        assert f"ok     {subject}: " in shown


def test_doctor_reports_a_fault_with_its_fix(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_DEVICE", "gpu:99")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out.splitlines()
    fault = next(index for index, line in enumerate(shown) if line.startswith("FAULT"))
    assert "GPU 99" in shown[fault]
    assert shown[fault + 1].strip().startswith("-> set STYLE_DEVICE=auto")
