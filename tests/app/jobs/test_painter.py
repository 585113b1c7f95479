"""The painter of a real server is the library, and the one of the tests can take its place."""

from __future__ import annotations

import inspect
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.jobs.painter import LibraryPainter, Painter
from model.options import RefineOptions, SheetOptions, StylizeOptions, TrainOptions
from tests.support.fake_painter import METHODS, FakePainter

PASTICHE, REFINEMENT, SHEET = StylizeOptions(size=64), RefineOptions(size=128), SheetOptions(size=64)


@pytest.mark.parametrize("painter", [LibraryPainter, FakePainter])
@pytest.mark.parametrize("method", METHODS)
def test_every_painter_has_the_same_methods(painter, method):
    assert inspect.signature(getattr(painter, method)) == inspect.signature(getattr(Painter, method))


def test_the_fake_has_all_methods():
    assert {name for name, _ in inspect.getmembers(Painter, inspect.isfunction) if not name.startswith("_")} == {
        *METHODS
    }


STEPS_AND_MASKS = {"on_step": print, "masks": ["alpha"]}
CALLS = {
    "warm_up": ("stylization.warm_up", (), {}),
    "weights_identity": ("stylization.weights_identity", (), {}),
    "style_vector": ("stylization.style_vector", (b"painting",), {}),
    "stylize": ("stylization.stylize", (b"photo", [b"painting"], PASTICHE), STEPS_AND_MASKS),
    "stylize_file": (
        "stylization.stylize_file",
        (b"photo", [b"painting"], "file.png", PASTICHE),
        STEPS_AND_MASKS | {"edit_recipe": dict},
    ),
    "refine": (
        "refine.refine",
        (b"photo", [b"painting"], REFINEMENT),
        STEPS_AND_MASKS | {"start": b"start", "resume": "checkpoint"},
    ),
    "make_contact_sheet": ("contact_sheets.make_contact_sheet", (b"photo", [b"painting"], SHEET, ["Flow"]), {}),
    "estimate": ("forecast.estimate", (640, 480, PASTICHE, 2), {}),
}


def test_a_training_is_of_one_painting(monkeypatch):
    library, more = Mock(), {"name": "Harbour", "folder": Path("folder"), "on_step": print}
    monkeypatch.setattr("model.pipelines.style_training.train_style", library)
    assert LibraryPainter().train(b"painting", TrainOptions(), **more) is library.return_value
    library.assert_called_once_with([b"painting"], TrainOptions(), **more)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "train"])
def test_the_library_is_asked_for_the_same(monkeypatch, method):
    function, positional, keywords = CALLS[method]
    library = Mock()
    monkeypatch.setattr(f"model.pipelines.{function}", library)
    assert getattr(LibraryPainter(), method)(*positional, **keywords) is library.return_value
    library.assert_called_once_with(*positional, **keywords)
