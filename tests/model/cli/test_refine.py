"""python -m model refine."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from model.__main__ import main
from model.cli import refine as refine_command
from model.hardware import memory
from model.options import RefineOptions
from model.progress import Step
from model.refinement.encoder_registry import ENCODERS
from model.video.film import Film
from tests.support.command_line import assert_nothing_but_the_inputs, pixels, refine
from tests.support.tiny_weights import write_tiny_encoder

pytestmark = pytest.mark.usefixtures("desk")


@pytest.fixture
def _tiny_encoder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("encoder")
    write_tiny_encoder(folder)
    monkeypatch.setenv("STYLE_MODEL_DIR", str(folder))


@pytest.mark.usefixtures("_tiny_encoder")
def test_refine(capsys: pytest.CaptureFixture[str]):
    assert refine() == 0
    assert pixels("out.png").shape == (75, 100, 3)
    shown = capsys.readouterr()
    assert shown.out.startswith("out.png: 100 x 75 pixels, ")
    assert "4/4" in shown.err  # the bar
    assert all(f"{name}=" in shown.err for name in ("loss", "content", "style", "variation"))


@pytest.mark.usefixtures("_tiny_encoder")
def test_refine_in_json_from_a_picture_with_a_film(capsys: pytest.CaptureFixture[str]):
    assert refine("--json", "--start", "painting.png", "--film", "film.webp", "--rate", "0.2") == 0
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    assert (report["recipe"]["method"], report["recipe"]["start"], report["notes"]) == ("gatys", "given", [])
    assert shown.err == ""
    with Image.open("film.webp") as film:
        assert (film.format, film.size, film.n_frames) == ("WEBP", (100, 75), 5)


@pytest.mark.usefixtures("_tiny_encoder")
def test_refine_says_what_did_not_go_as_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: ENCODERS["vgg19-slim"].bytes_per_pixel * 100 * 60)
    assert refine() == 0
    assert "note: Too little memory is free for 100 x 75 pixels" in capsys.readouterr().err


@pytest.mark.usefixtures("_tiny_encoder")
def test_refine_stopped_from_the_keyboard_keeps_the_best(desk: Path, monkeypatch: pytest.MonkeyPatch):
    before = signal.getsignal(signal.SIGINT)
    add = Film.add

    def interrupt(film: Film, step: Step) -> None:
        add(film, step)
        if step.step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Film, "add", interrupt)
    assert refine("--film", "film.gif") == 0
    with Image.open("film.gif") as film:
        assert film.n_frames == 3
    assert Path("out.png").exists()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell has what it runs in the background ignore Control-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_refine_stopped_twice_stops(desk: Path, monkeypatch: pytest.MonkeyPatch):
    def impatient(*_: object, **__: object) -> None:
        gentle = signal.getsignal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        while signal.getsignal(signal.SIGINT) is gentle:  # two at once would be handled as one
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)
        time.sleep(5)

    monkeypatch.setattr(refine_command, "refine", impatient)
    assert refine() == 130
    assert_nothing_but_the_inputs(desk)


def test_every_option_of_a_refinement_is_one_of_the_shell(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["refine", "--help"])
    shown = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')} " in shown for name in RefineOptions.model_fields)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--preset", "better"], "preset"),
        (["--steps", "10001"], "steps"),
        (["--size", "99"], "size"),
        (["--style-weight", "0", "--content-weight", "0"], "style_weight"),
        (["--style-layers", "conv9"], "style_layers"),
        (["--film", "film.mp4"], "film"),
        (["--film", "painting.gif", "-o", "painting.gif"], "output"),
        (["-o", "photo.png"], "output"),
    ],
)
@pytest.mark.usefixtures("_tiny_encoder")
def test_a_wrong_option_of_a_refinement_is_named(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], field: str
):
    assert refine(*arguments) == 2
    assert field in capsys.readouterr().err
    assert_nothing_but_the_inputs(desk)


def test_a_folder_is_not_refined(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["refine", "photos", "painting.png", "-o", "out.png"]) == 2
    assert "'photos' is a folder" in capsys.readouterr().err


@pytest.mark.usefixtures("_tiny_encoder")
@pytest.mark.parametrize("film", ["photo.png", "out.png", "./out.webp"])
def test_a_film_overwrites_nothing(capsys: pytest.CaptureFixture[str], film: str):
    assert refine("--film", film, "-o", "out.webp") == 2
    assert "--film" in capsys.readouterr().err
