"""python -m model train."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.__main__ import main
from model.cli import train
from model.finetuning import style_trainer, training
from model.progress import Cancelled
from model.style_file import StyleFile
from tests.support.command_line import pixels

QUICK = ["--judge", "vgg19-slim", "--steps", "3", "--size", "128"]
# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = [
    pytest.mark.usefixtures("desk", "tiny_encoder", "small_windows"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (style_trainer, training):
        monkeypatch.setattr(module, "WINDOW", 64)


@pytest.fixture
def model(tiny: Path, desk: Path) -> list[str]:
    (desk / "tiny.npz").symlink_to(tiny)
    return ["--model", "tiny.npz"]


def test_a_style_is_trained_and_used(model: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["train", "painting.png", "-o", "mine.style.json", "--credit", "Anna", *QUICK, *model]) == 0
    told = capsys.readouterr()
    forecast, summary = told.out.splitlines()
    assert forecast == "It takes 3 steps, or 8 min at most, and about 2 GB of memory."
    assert summary.startswith("mine.style.json: 3 steps in ")
    assert "judge vgg19-slim, style " in told.out
    assert "note: The painting is small" in told.err
    style = StyleFile.from_bytes(Path("mine.style.json").read_bytes())
    assert (style.name, style.credit) == ("mine", "Anna")
    assert style.network
    for name, network in (("own", "auto"), ("shared", "shared")):
        arguments = ["photo.png", "mine.style.json", "-o", f"{name}.png", "--network", network]
        assert main(["stylize", *arguments, *model]) == 0
    assert (pixels("own.png") != pixels("shared.png")).any()
    assert not list(Path().glob("*.training"))


def test_interrupted_it_keeps_what_it_learnt_and_goes_on(
    model: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    real = train.train_style

    def interrupted(*arguments, **options):
        *first, on_step, folder = arguments

        def stop(step):
            on_step(step)
            if step.step == 2:
                raise Cancelled

        return real(*first, stop, folder, **options)

    monkeypatch.setattr(train, "train_style", interrupted)
    command = ["train", "painting.png", "-o", "mine.style.json", *QUICK, *model]
    assert main(command) == 0
    assert "2 steps" in (told := capsys.readouterr().out)
    assert "the same command goes on from here" in told
    assert Path("mine.style.json.training").is_dir()
    monkeypatch.setattr(train, "train_style", real)
    assert main(command) == 0
    assert "3 steps" in capsys.readouterr().out
    assert not Path("mine.style.json.training").exists()


def test_a_sample_is_written_on_the_way(model: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("model.pipelines.style_training.PREVIEW_SECONDS", 0.0)
    assert main(["train", "painting.png", "-o", "mine.style.json", "--sample", "sample.png", *QUICK, *model]) == 0
    assert pixels("sample.png").shape == (72, 72, 3)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["nothing.png"], 1, "there is no file 'nothing.png'"),
        (["."], 2, "painting must be a picture"),
        (["painting.png", "--steps", "0"], 2, "'steps' must be 1 or more"),
        (["painting.png", "--sample", "sample.gif"], 2, "--sample must end in"),
        (["painting.png", "--sample", "painting.png"], 2, "--sample would overwrite"),
        (["painting.png", "--photos", "nowhere.jpg"], 1, "photos: there is no file 'nowhere.jpg'"),
    ],
)
def test_what_cannot_be_trained(arguments, status: int, sentence: str, capsys: pytest.CaptureFixture[str]):
    assert main(["train", *arguments, "-o", "x.style.json"]) == status
    assert sentence in capsys.readouterr().err
    assert not Path("x.style.json").exists()
