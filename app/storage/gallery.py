"""The styles that ship with the project."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from app.storage.records import Style

_FOLDER = Path(__file__).resolve().parents[2] / "static" / "styles"
SAMPLE_PHOTO = _FOLDER / "cat.jpg"  # painted for the thumbnails of styles


@cache
def shipped() -> tuple[Style, ...]:
    return tuple(_read_styles(_FOLDER))


def _read_styles(folder: Path) -> list[Style]:
    listed = json.loads((folder / "styles.json").read_text("utf-8"))
    return [
        Style(
            id=style["id"],
            name=style["name"],
            credit=style["credit"],
            licence=style["licence"],
            about=style["about"],
            own=False,
            file=folder / f"{style['id']}.jpg",
        )
        for style in listed
    ]
