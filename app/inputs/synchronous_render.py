"""Pastiches for callers who wait for them, encoded, and pictures as data URLs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.inputs.references import StyleChoice
from app.inputs.stylize_request import StylizeInputs
from app.jobs import rendering
from app.jobs.painter import Painter
from app.jobs.rendering import StyleSource
from model.imaging import image_files, pixel_ops
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.image_files import ImageSource
from model.options import Format, SheetOptions, StylizeOptions
from model.pipelines.stylization import Pastiche

_PREVIEW_SIDE = 1024  # pixels, of the photo and its pastiche beside one another


@dataclass(frozen=True)
class EncodedPastiche:
    data: bytes
    format: Format
    pastiche: Pastiche

    @property
    def media_type(self) -> str:
        return OUTPUT_FORMATS[self.format].media_type

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pastiche.picture.rgb.shape[:2]
        return width, height

    @property
    def array(self) -> np.ndarray:
        """(H, W, 3 or 4) float32 in 0..1."""
        return pixel_ops.stack_alpha(self.pastiche.picture)

    @property
    def data_url(self) -> str:
        return data_url(self.data, self.format)


def render_pastiche(painter: Painter, inputs: StylizeInputs) -> EncodedPastiche:
    options = inputs.options
    assert isinstance(options, StylizeOptions)  # nobody waits for a refinement
    styles, notes = style_sources(painter, inputs.styles, options)
    pastiche = painter.stylize(inputs.content, styles, options, masks=inputs.masks)
    pastiche = replace(pastiche, notes=[*pastiche.notes, *notes])
    pastiche = rendering.with_credits(pastiche, [style.attribution for style in inputs.styles])
    data = image_files.encode(pastiche.picture, options.format, options.quality, pastiche.recipe)
    return EncodedPastiche(data, options.format, pastiche)


def style_sources(
    painter: Painter, styles: Sequence[StyleChoice], options: StylizeOptions | SheetOptions
) -> tuple[list[ImageSource], list[str]]:
    """Return the styles as the painter takes them, and notes; see `rendering.choose_sources`."""
    if not any(style.trained for style in styles):
        return [style.source for style in styles], []
    return rendering.choose_sources(painter, [StyleSource(style.source, style.trained) for style in styles], options)


def preview_data_url(source: ImageSource) -> str:
    """Return the picture, no larger than a page needs it, as a data URL."""
    picture = image_files.read_eight_bit(source, limit=_PREVIEW_SIDE)
    return data_url(image_files.encode(picture, "jpeg", 85), "jpeg")


def data_url(data: bytes, format: Format) -> str:
    return f"data:{OUTPUT_FORMATS[format].media_type};base64,{base64.b64encode(data).decode('ascii')}"
