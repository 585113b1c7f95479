"""python -m model stylize: masks, prints, forecasts and reports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.__main__ import main
from model.cli import console
from model.cli import stylize as command
from model.imaging import vips_writer
from model.options import StylizeOptions
from model.pipelines import forecast, gallery
from model.pipelines.stylization import stylize_file
from model.progress import OnStep, Step
from tests.support.torch_files import imported_style

HEIGHT, WIDTH = 96, 128


@pytest.fixture(autouse=True)
def folder(desk: Path, tiny: Path) -> Path:
    """With weights that are quick, and a mask of the left half."""
    (desk / tiny.name).symlink_to(tiny)  # one file for all tests, so that it is loaded once
    mask = np.zeros((HEIGHT, WIDTH), "uint8")
    mask[:, : WIDTH // 2] = 255
    Image.fromarray(mask).save(desk / "left.png")
    return desk


def stylize(*arguments: str) -> int:
    return main(["stylize", "photo.png", "painting.png", "-o", "out.png", "--model", "tiny.npz", *arguments])


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_outside_of_a_mask_the_photo_stays_bit_for_bit():
    assert stylize("--mask", "left.png") == 0
    painted, photo = pixels("out.png"), pixels("photo.png")
    assert np.array_equal(painted[:, WIDTH // 2 :], photo[:, WIDTH // 2 :])
    assert stylize("-o", "whole.png") == 0
    assert np.array_equal(painted[:, : WIDTH // 2], pixels("whole.png")[:, : WIDTH // 2])


def test_several_masks_have_styles_of_their_own():
    both = ["stylize", "photo.png", "painting.png", "turned.png", "--model", "tiny.npz"]
    masks = ["--mask", "everywhere", "--mask", "left.png", "--region-styles", "1,2"]
    assert main([*both, *masks, "-o", "out.png"]) == 0
    for name in ("painting", "turned"):
        assert main(["stylize", "photo.png", f"{name}.png", "--model", "tiny.npz", "-o", f"{name}_alone.png"]) == 0
    painted = pixels("out.png")
    assert np.array_equal(painted[:, : WIDTH // 2], pixels("turned_alone.png")[:, : WIDTH // 2])
    assert np.array_equal(painted[:, WIDTH // 2 :], pixels("painting_alone.png")[:, WIDTH // 2 :])


def test_the_photo_s_own_alpha_is_a_mask(folder: Path):
    photo = Image.open("photo.png").convert("RGBA")
    photo.putalpha(Image.open("left.png"))
    photo.save("photo.png")
    assert stylize("--mask", "alpha") == 0
    painted = pixels("out.png")
    assert np.array_equal(painted[..., 3], pixels("left.png"))
    assert stylize("-o", "whole.png") == 0
    assert np.array_equal(painted[:, : WIDTH // 2], pixels("whole.png")[:, : WIDTH // 2])


@pytest.mark.parametrize(("switch", "is_steady"), [("--steady", True), ("--no-steady", False)])
def test_a_switch_takes_no_value(switch: str, is_steady: bool, capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", switch, "photo.png", "painting.png", "-o", "out.png", "--json", "--size", "32"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["steady"] is is_steady


def test_a_print_has_its_pixels_and_says_its_resolution():
    assert stylize("--print", "4x3cm", "--dpi", "254") == 0
    with Image.open("out.png") as image:
        assert image.size == (400, 300)
        assert image.info["dpi"] == pytest.approx((254, 254), abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--mask", "nowhere.png"], "--mask"),
        (["--mask", "clouds"], "--mask"),
        (["--mask", "alpha"], "mask"),  # of a photo without one
        (["--mask", "square.png"], "mask"),
        (["--mask", "left.png", "--region-strengths", "0.1,0.2"], "region_strengths"),
        (["--mask", "left.png", "--region-styles", "2"], "--region-styles"),
        (["--mask", "left.png", "-o", "left.png"], "--output"),
        (["--print", "60x40"], "print"),
        (["--print", "4x3cm", "--size", "64"], "print"),
        (["--print", "9x9cm", "--dpi", "10"], "dpi"),
        (["--tiles", "some"], "tiles"),
        (["--keep-colours", "2"], "keep_colours"),
        (["--size", "32768", "--dry-run"], "--size"),
    ],
)
def test_what_does_not_fit_is_named(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], field: str):
    Image.new("L", (64, 64), 255).save(folder / "square.png")
    assert stylize(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert field in shown.err
    assert not Path("out.png").exists()


def test_of_a_folder_only_the_photos_that_a_mask_fits(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "photos").mkdir()
    for name in ("photo.png", "turned.png"):
        (folder / "photos" / name).write_bytes((folder / name).read_bytes())
    assert main(["stylize", "photos", "painting.png", "-o", "out", "--model", "tiny.npz", "--mask", "left.png"]) == 1
    assert [path.name for path in Path("out").iterdir()] == ["photo.png"]
    assert "error: photos/turned.png: " in capsys.readouterr().err


def test_a_dry_run_tells_and_paints_nothing(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert stylize("--dry-run", "--print", "60x40cm") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("out.png: 6299 x 4724 pixels, about ")
    assert "GB of memory" in shown
    assert not (folder / "out.png").exists()


def test_a_dry_run_of_an_imported_network_tells_its_memory(desk: Path, capsys: pytest.CaptureFixture[str]):
    (desk / "candy.style.json").write_bytes(imported_style().to_bytes())
    assert main(["stylize", "photo.png", "candy.style.json", "-o", "out.png", "--size", "4000", "--dry-run"]) == 0
    assert capsys.readouterr().out == "out.png: 4000 x 3000 pixels, 12.8 GB of memory\n"


def test_a_dry_run_in_json(capsys: pytest.CaptureFixture[str]):
    assert stylize("--dry-run", "--size", "64", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told.keys() >= {"photo", "output", "width", "height", "seconds", "memory", "disk", "tiled"}
    assert (told["width"], told["height"], told["tiled"]) == (64, 48, False)


def test_a_large_picture_is_told_of_before_it_is_begun(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(console, "FORECAST_PIXELS", 128 * 96)
    said: list[str] = []

    def painted(*arguments: object) -> object:
        said.append(capsys.readouterr().err)
        on_step: OnStep = arguments[5]  # type: ignore[assignment]
        on_step(Step(1, 4, 75.0))
        return stylize_file(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "stylize_file", painted)
    assert stylize() == 0
    assert said[0].startswith("out.png: about ")
    assert "about 1 min 20 s left" in capsys.readouterr().err
    assert stylize("--json") == 0
    assert capsys.readouterr().err == ""


def test_a_small_picture_is_not_worth_a_forecast(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(console, "estimate", None)
    assert stylize() == 0
    assert capsys.readouterr().err == ""


def test_what_was_done_otherwise_than_asked_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def noted(*arguments: object) -> object:
        return replace(stylize_file(*arguments), notes=["It rained."])  # type: ignore[arg-type]

    monkeypatch.setattr(command, "stylize_file", noted)
    assert stylize() == 0
    assert capsys.readouterr().err == "note: It rained.\n"
    assert stylize("--json") == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["It rained."]


def test_a_kind_of_file_that_is_too_small_is_told_before_the_painting(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vips_writer, "save", None)
    Image.new("RGB", (400, 10)).save(folder / "photo.png")
    assert stylize("-o", "out.webp", "--size", "16400") == 1
    assert "webp holds at most 16383 pixels a side" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            forecast.Forecast(10, 10, 130.4, 1_100_000_000, 4_800_000_000, True),
            "about 2 min 10 s, 1.1 GB of memory, 4.8 GB of disk, painted in pieces",
        ),
        (forecast.Forecast(10, 10, 0.2, 600_000_000, 0, False), "about 1 s, 0.6 GB of memory"),
        (forecast.Forecast(10, 10, None, 600_000_000, 20_000_000, False), "0.6 GB of memory, 20 MB of disk"),
    ],
)
def test_a_forecast_in_words(found: forecast.Forecast, words: str):
    assert console.describe_forecast(found) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (59.4, "59 s"),
        (59.7, "1 min"),
        (64, "1 min"),
        (130, "2 min 10 s"),
        (3599, "1 h"),
        (4000, "1 h 7 min"),
    ],
)
def test_durations_are_no_more_exact_than_a_forecast(seconds: float, words: str):
    assert console.format_duration(seconds) == words


def test_every_flag_says_what_it_is_for(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["stylize", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for field in StylizeOptions.model_fields.values():
        assert " ".join(str(field.description).split()) in shown


def test_a_style_of_the_gallery_by_its_name(capsys: pytest.CaptureFixture[str]):
    assert main(["stylize", "photo.png", "Stained glass", "-o", "named.png"]) == 0
    assert main(["stylize", "photo.png", str(gallery.painting_path("stained_glass")), "-o", "file.png"]) == 0
    assert np.array_equal(pixels("named.png"), pixels("file.png"))
