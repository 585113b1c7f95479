"""A stored result, as a picture and as the kind of file that somebody asks for."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from app import current
from model import images, recipe
from model.errors import NoRecipe
from model.images import Pixels
from model.options import Format


def encoded(png: bytes, format: Format, quality: int) -> bytes:
    """With its recipe. In turn with the paintings: read, a picture takes fifty times its file's size."""
    if format == "png":
        return png
    return current.engine().run(lambda: images.encode(stored(png), format, quality, _recipe(png)))


def stored(png: bytes, limit: int | None = None) -> Pixels:
    """Our own file: the limits of uploads are not its. limit: of its longer side."""
    return images.decode(png, limit=limit)


def _recipe(png: bytes) -> dict[str, Any] | None:
    """None: it was painted before there were any in the pictures."""
    with suppress(NoRecipe):
        return recipe.extract(png).told()
    return None
