"""A stored result, as a picture and as the kind of file that somebody asks for."""

from __future__ import annotations

import io

from PIL import Image

from app import current
from model import images
from model.images import Picture
from model.options import Format


def encoded(png: bytes, format: Format, quality: int) -> bytes:
    """In turn with the paintings: read, a picture takes fifty times its file's size."""
    if format == "png":
        return png
    return current.engine().run(lambda: images.encode(stored(png), format, quality))


def stored(png: bytes, limit: int | None = None) -> Picture:
    """Our own file: the limits of uploads are not its. limit: of its longer side."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return images.read(image, limit=limit)
