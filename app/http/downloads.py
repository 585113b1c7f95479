"""Stored results as pictures, and as files of the format that was asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from app.http import context
from model.errors import NoRecipe
from model.imaging import image_files
from model.imaging.pixel_ops import EightBitPicture
from model.options import Format
from model.pipelines import recipes


def encode(png: bytes, format: Format, quality: int) -> bytes:
    """Encode a stored PNG with its recipe, in a turn of its own: read, a picture takes fifty times its file's size."""
    if format == "png":
        return png
    return context.engine().run(lambda: image_files.encode(decode(png), format, quality, _embedded_recipe(png)))


def decode(png: bytes, limit: int | None = None) -> EightBitPicture:
    """Decode a stored PNG, without the limits of uploads. limit: of its longer side."""
    return image_files.read_eight_bit(png, limit=limit)


def _embedded_recipe(png: bytes) -> dict[str, Any] | None:
    """Return the recipe; None for a picture painted before there were any in the files."""
    with suppress(NoRecipe):
        return recipes.extract(png).to_dict()
    return None
