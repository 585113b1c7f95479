"""Commands typed in a shell, and their results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from model.__main__ import main


def stylize(*arguments: str) -> int:
    return main(["stylize", "photo.png", "painting.png", "-o", "out.png", *arguments])


def pixels(path: Path | str) -> np.ndarray:
    return np.asarray(Image.open(path))


def assert_nothing_but_the_inputs(folder: Path):
    assert {path.name for path in folder.iterdir()} <= {"photo.png", "painting.png", "turned.png"}


def refine(*arguments: str) -> int:
    quick = ["--encoder", "vgg19-slim", "--size", "100", "--steps", "4", "--scales", "2", "--start", "content"]
    return main(["refine", "photo.png", "painting.png", "-o", "out.png", *quick, *arguments])
