"""The weights that ship paint about as well as Magenta's mobile network, by VGG19's measure, on unseen pairs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from model.weights.registry import SHIPPED_MAGENTA
from training import evaluate


@pytest.fixture(scope="module")
def ratios(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    """Style and content loss over Lite's, from the table that the command writes."""
    out = tmp_path_factory.mktemp("scores")
    weights = shared / "weights"
    arguments = ["--data", shared / "data" / "eval", "--lite", weights, "--out", out, SHIPPED_MAGENTA]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["evaluate", *map(str, arguments), "--vgg", str(weights / "vgg19_notop.weights.h5")])
        evaluate.main()
    assert (out / "sheet.jpg").is_file()
    style, content = (out / "scores.md").read_text().splitlines()[-1].split("|")[2:4]
    return float(style), float(content)


def test_style_loss_is_close_to_lite(ratios: tuple[float, float]) -> None:
    assert ratios[0] <= 1.10


def test_content_loss_is_close_to_lite(ratios: tuple[float, float]) -> None:
    assert ratios[1] <= 1.10
