"""The paintings of the gallery, which ship with the project, by their names."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static" / "styles"
INDEX = FOLDER / "styles.json"  # names, credits and licences


def painting_path(name: str) -> Path:
    return FOLDER / f"{name}.jpg"


def find(style: object) -> Path | None:
    """Return the painting that a name such as "flow" or "Stained glass" stands for, where there is no such file."""
    if not isinstance(style, str | os.PathLike):
        return None
    name = os.fspath(style)
    if not isinstance(name, str) or not name.replace("_", " ").replace(" ", "").isalpha():
        return None
    path = painting_path(name.lower().replace(" ", "_"))
    return path if path.is_file() and path.stem != "cat" and not Path(name).exists() else None
