"""python -m model clip."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.__main__ import main
from model.pipelines import clips
from model.progress import OnStep, Step


@pytest.fixture(autouse=True)
def folder(desk: Path, tiny: Path, photo: np.ndarray) -> Path:
    """With a clip of four frames, in which the photo moves."""
    (desk / tiny.name).symlink_to(tiny)  # one file for all tests, so that it is loaded once
    frames = [Image.fromarray((np.roll(photo, 9 * n, axis=1) * 255).astype("uint8")) for n in range(4)]
    frames[0].save(desk / "in.gif", save_all=True, append_images=frames[1:], duration=100, loop=0)
    return desk


def clip(*arguments: str) -> int:
    return main(["clip", "in.gif", "painting.png", "-o", "out.webp", "--size", "64", "--model", "tiny.npz", *arguments])


def stopping_after(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a Control-C while that frame is painted."""
    whole = clips.stylize_clip

    def interrupted(*arguments: object) -> clips.ClipReport:
        on_step: OnStep = arguments[5]  # type: ignore[assignment]

        def stopping(step: Step) -> None:
            if step.step == frames:
                signal.raise_signal(signal.SIGINT)
            on_step(step)

        return whole(*arguments[:5], stopping)  # type: ignore[arg-type]

    monkeypatch.setattr(clips, "stylize_clip", interrupted)


def test_a_clip(capsys: pytest.CaptureFixture[str]):
    assert clip() == 0
    with Image.open("out.webp") as image:
        assert (image.format, image.size, image.n_frames) == ("WEBP", (64, 48), 4)
    shown = capsys.readouterr()
    assert shown.out.startswith("out.webp: 4 frames of 64 x 48 pixels, ")
    assert "100%|" in shown.err


def test_in_json(capsys: pytest.CaptureFixture[str]):
    assert clip("--json", "--smooth", "0") == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert (told["clip"], told["output"], told["frames"], told["complete"]) == ("in.gif", "out.webp", 4, True)
    assert told["recipe"]["smooth"] == 0
    assert shown.err == ""


def test_stopped_it_goes_on_where_it_was(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert clip("-o", "whole.webp") == 0
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        stopping_after(2, patch)
        assert clip() == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert "Cancelled after 2 frames: asked for again, it goes on from there." in capsys.readouterr().err
    assert not (folder / "out.webp").exists()
    assert clip() == 0
    assert "note: Frames 1 to 2 were painted before" in capsys.readouterr().err
    assert (folder / "out.webp").read_bytes() == (folder / "whole.webp").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["-o", "out.png"], 2, "--output must end in .gif, .webp"),
        (["-o", "in.gif"], 2, "--output would overwrite 'in.gif'"),
        (["--strength", "2"], 2, "strength"),
        (["--size", "4000"], 2, "size"),
        (["--weights", "1,2"], 2, "weights"),
        (["--model", "nowhere.npz"], 1, "nowhere.npz"),
    ],
)
def test_what_cannot_be_painted(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str):
    assert clip(*arguments) == status
    assert words in capsys.readouterr().err
    assert not Path("out.webp").exists()


def test_what_does_not_move(capsys: pytest.CaptureFixture[str]):
    assert main(["clip", "painting.png", "painting.png", "-o", "out.gif"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
