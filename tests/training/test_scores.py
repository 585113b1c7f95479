"""The weights that ship, scored on unseen pairs: no worse than when they were made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from model.weights.registry import SHIPPED_MAGENTA
from training import evaluate

PAIRS = 6  # of 24: enough to notice weights that paint otherwise


@pytest.fixture(scope="module")
def scores(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Each number of the weights that ship, from the table that the command writes."""
    out, weights = tmp_path_factory.mktemp("scores"), shared / "weights"
    judges = ["--vgg", weights / "vgg19_notop.weights.h5", "--vgg16", weights / "vgg16_torchvision_notop.npz"]
    arguments = [SHIPPED_MAGENTA, "--data", shared / "data" / "eval", "--out", out, "--pairs", PAIRS, *judges]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
        evaluate.main()
    assert (out / "sheet.jpg").is_file()
    titles, _, _, shipped = (line.strip("| ").split(" | ") for line in (out / "scores.md").read_text().splitlines())
    return {title: float(number) for title, number in zip(titles, shipped[1:], strict=True)}


@pytest.mark.parametrize(
    ("title", "most"),
    [
        ("style", 0.197),
        ("content", 0.915),
        ("energy in flat regions", 0.0325),
        ("style (VGG16)", 0.322),
        ("LPIPS", 0.625),
    ],
)
def test_the_weights_that_ship_are_as_good_as_they_were(scores: dict[str, float], title: str, most: float) -> None:
    assert scores[title] <= most
