"""Training a style's network through the pipeline, with a tiny network and a tiny judge."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from API import train_style, transfer_style
from model.errors import ImageTooLarge, InvalidOption
from model.finetuning import style_trainer, training
from model.hardware import memory
from model.options import TrainOptions
from model.pipelines import style_training
from model.progress import Cancelled, Step
from model.style_file import StyleFile
from tests.support.arrays import noise

# Keras 3.15 saves and restores variables in a way that NumPy 2 finds old.
pytestmark = [
    pytest.mark.usefixtures("tiny_encoder", "small_windows"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
QUICK = {"steps": 3, "size": 128, "judge": "vgg19-slim"}


@pytest.fixture
def painting() -> np.ndarray:
    return noise(210, 240, 3, seed=1)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (style_trainer, training):
        monkeypatch.setattr(module, "WINDOW", 64)


def test_a_trained_style_paints_and_differs_from_the_shared_one(painting: np.ndarray, photo: np.ndarray, tiny: Path):
    steps: list[Step] = []
    file = train_style(painting, None, 8, tiny, name="mine", credit="Anna", on_step=steps.append, **QUICK)
    assert [step.step for step in steps] == [1, 2, 3]
    assert {"style", "content"} == steps[-1].losses.keys()
    style = StyleFile.from_bytes(file)
    assert (style.name, style.credit, style.weights) == ("mine", "Anna", "tiny")
    own, shared = (transfer_style(photo, file_or_vector, tiny) for file_or_vector in (file, style.vector))
    assert np.abs(own - shared).max() > 1e-3
    assert np.array_equal(transfer_style(photo, file, tiny, network="shared"), shared)


def test_photos_are_learnt_on(painting: np.ndarray, photo: np.ndarray, tiny: Path, tmp_path: Path):
    Image.fromarray(np.uint8(photo * 255)).save(tmp_path / "photo.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    with_photos = train_style(painting, tmp_path, 8, tiny, **QUICK)
    assert with_photos == train_style(painting, [tmp_path / "photo.jpg"], 8, tiny, **QUICK)
    assert with_photos != train_style(painting, None, 8, tiny, **QUICK)


def test_a_training_that_was_stopped_goes_on(painting: np.ndarray, tiny: Path, tmp_path: Path):
    def stop(step: Step) -> None:
        if step.step == 2:
            raise Cancelled

    options = TrainOptions.parse(QUICK)
    stopped = style_training.train_style([painting], options, (), tiny, stop, tmp_path)
    assert (stopped.steps, stopped.complete) == (2, False)
    seen: list[Step] = []
    resumed = style_training.train_style([painting], options, (), tiny, seen.append, tmp_path)
    whole = style_training.train_style([painting], options, (), tiny)
    assert [step.step for step in seen] == [3]
    assert (resumed.steps, resumed.complete) == (3, True)
    assert resumed.style.network == whole.style.network
    assert not list(tmp_path.iterdir())


def test_losses_that_are_no_numbers_end_it_with_what_was_learnt(painting: np.ndarray, tiny: Path):
    trained = style_training.train_style([painting], TrainOptions.parse(QUICK | {"content_weight": 0}), (), tiny)
    assert trained.notes == []

    def poison(step: Step) -> None:
        raise style_training_diverged

    from model.finetuning.session import Diverged

    style_training_diverged = Diverged()
    ended = style_training.train_style([painting], TrainOptions.parse(QUICK), (), tiny, poison)
    assert "no numbers any more after step 1" in ended.notes[0]
    assert ended.style.network


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": "8"}, "minutes"),
        ({"minutes": float("nan")}, "minutes"),
        ({"size": 100}, "size"),
        ({"judge": "resnet50"}, "judge"),
        ({"speed": 1}, "speed"),
        ({"name": ""}, "name"),
    ],
)
def test_arguments_outside_their_limits(painting: np.ndarray, tiny: Path, options: dict, field: str):
    with pytest.raises(InvalidOption, match=field) as caught:
        train_style(painting, model_path=tiny, **QUICK | options)
    assert caught.value.field == field


def test_a_picture_of_one_colour_has_no_style(tiny: Path):
    with pytest.raises(InvalidOption, match="hardly more than one colour"):
        train_style(np.full((64, 64, 3), 0.5), model_path=tiny, **QUICK)


def test_a_vector_is_no_painting(tiny: Path):
    with pytest.raises(InvalidOption, match="give the painting itself"):
        train_style(np.zeros(8, "float32"), model_path=tiny, **QUICK)


def test_a_folder_without_pictures(painting: np.ndarray, tiny: Path, tmp_path: Path):
    with pytest.raises(InvalidOption, match="no pictures in the folder") as caught:
        train_style(painting, tmp_path, model_path=tiny, **QUICK)
    assert caught.value.field == "photos"


def test_a_small_painting_gets_a_note(tiny: Path, painting: np.ndarray):
    with pytest.warns(UserWarning, match="The painting is small"):
        train_style(painting[:150], model_path=tiny, **QUICK)


def test_a_painting_with_a_border_gets_a_note(tiny: Path, painting: np.ndarray):
    mounted = np.pad(painting, ((30, 30), (30, 30), (0, 0)), constant_values=0.9)
    with pytest.warns(UserWarning, match="border of one colour"):
        train_style(mounted, model_path=tiny, **QUICK)


def test_it_ends_when_the_loss_falls_no_more(painting: np.ndarray, tiny: Path):
    options = TrainOptions.parse(QUICK | {"steps": 400, "patience": 1, "rate": 1e-9})
    trained = style_training.train_style([painting], options, (), tiny)
    assert trained.steps < 400
    assert trained.complete
    assert f"The loss fell no more for 1 steps: it ended at step {trained.steps}." in trained.notes


def test_too_little_memory_is_told_before_anything_is_loaded(painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**9)
    with pytest.raises(ImageTooLarge, match=r"2 GB of memory, 1\.0 GB is free"):
        train_style(painting, **QUICK)


def test_the_time_that_the_caller_takes_is_none_of_training():
    session = SimpleNamespace(step=3, seconds=10.0)
    crops = SimpleNamespace(draw=lambda *_: [np.zeros((1, 8, 8, 3), "float32")])
    training = SimpleNamespace(session=session, options=TrainOptions(), crops=crops, paint=lambda picture: picture)
    progress = style_training._TrainingProgress(training, lambda step: time.sleep(0.5))
    progress._after_step({"loss": 1.0, "style": 1.0, "content": 1.0}, 0.5)
    assert session.seconds == pytest.approx(9.5, abs=0.3)
