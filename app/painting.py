"""Upload -> the painted picture, encoded."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from app.uploads import Upload
from model import images, transfer
from model.images import ImageSource
from model.transfer import Pastiche

_PREVIEW_SIDE = 1024  # pixels, of the photo and its pastiche beside one another


@dataclass(frozen=True)
class Painting:
    data: bytes
    format: str
    pastiche: Pastiche

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pastiche.picture.rgb.shape[:2]
        return width, height

    @property
    def array(self) -> np.ndarray:
        """(H, W, 3 or 4) float32 in 0..1."""
        return transfer.as_array(self.pastiche.picture)

    @property
    def data_url(self) -> str:
        return _data_url(self.data, self.format)


def paint(upload: Upload) -> Painting:
    options = upload.options
    pastiche = transfer.stylize(upload.content, [style.source for style in upload.styles], options)
    return Painting(images.encode(pastiche.picture, options.format, options.quality), options.format, pastiche)


def preview(source: ImageSource) -> str:
    """The picture, no larger than a page needs it, as a data URL."""
    picture = images.read(source, limit=_PREVIEW_SIDE)
    return _data_url(images.encode(picture, "jpeg", 85), "jpeg")


def _data_url(data: bytes, format: str) -> str:
    return f"data:image/{format};base64,{base64.b64encode(data).decode('ascii')}"
