"""The styles that ship with the project."""

from __future__ import annotations

import json
from functools import cache

from app.storage.records import Style
from model.pipelines import gallery

SAMPLE_PHOTO = gallery.FOLDER / "cat.jpg"  # painted for the thumbnails of styles


@cache
def shipped() -> tuple[Style, ...]:
    return tuple(_read_styles())


def _read_styles() -> list[Style]:
    listed = json.loads(gallery.INDEX.read_text("utf-8"))
    return [
        Style(
            id=style["id"],
            name=style["name"],
            credit=style["credit"],
            licence=style["licence"],
            about=style["about"],
            own=False,
            file=gallery.painting_path(style["id"]),
        )
        for style in listed
    ]
