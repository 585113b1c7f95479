"""Upload -> the painted picture, encoded; order -> its pastiche."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import model
from app.library import Library
from app.orders import Order
from model import images, transfer
from model.images import ImageSource, Picture
from model.options import RefineOptions, StylizeOptions
from model.progress import Checkpoint, OnStep
from model.transfer import Pastiche

if TYPE_CHECKING:
    from app.uploads import Upload

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
    assert isinstance(options, StylizeOptions)  # nobody waits for a refinement
    pastiche = transfer.stylize(upload.content, [style.source for style in upload.styles], options)
    return Painting(images.encode(pastiche.picture, options.format, options.quality), options.format, pastiche)


def paint_order(
    order: Order, library: Library, on_step: OnStep, resume: Checkpoint | None, refine_seconds: float
) -> Pastiche:
    """resume: where a refinement was interrupted. refine_seconds: what one may take in all."""
    content, styles = order.sources(library)
    if isinstance(order.options, StylizeOptions):
        return transfer.stylize(content, styles, order.options, on_step=on_step)
    start = library.picture(order.start) if order.start else None
    options = _limited(order.options, refine_seconds)
    pastiche = model.refine(content, styles, options, start=start, on_step=on_step, resume=resume)
    if resume:
        pastiche = replace(pastiche, seconds=pastiche.seconds + resume.seconds)
    return pastiche if options == order.options else _as_asked(pastiche, order.options, refine_seconds)


def as_far_as_it_is(order: Order, library: Library, checkpoint: Checkpoint) -> Pastiche:
    """What a refinement came to, as large as it was to become; the model is not asked."""
    options = order.options
    assert isinstance(options, RefineOptions)
    photo = images.read(library.picture(order.content), long_side=options.size)
    picture = Picture(images.resize(images.read(checkpoint.picture).rgb, photo.rgb.shape[:2]), photo.alpha)
    notes = [f"It was stopped after step {checkpoint.step} of {options.steps}."]
    recipe = _recipe_so_far(options, picture, len(order.styles))
    return Pastiche(picture, options.encoder, checkpoint.seconds, recipe, complete=False, notes=notes)


def _recipe_so_far(options: RefineOptions, picture: Picture, styles: int) -> dict[str, Any]:
    height, width = picture.rgb.shape[:2]
    used = options.model_dump(mode="json", exclude={"weights", "format", "quality", "size"}, exclude_none=True)
    shares = [{"weight": share} for share in options.blend_weights(styles)]
    made = {"method": "gatys", "weights": options.encoder, "width": width, "height": height, "ended": "stopped"}
    return made | {"styles": shares} | used


def _limited(options: RefineOptions, limit: float) -> RefineOptions:
    if options.seconds is not None and options.seconds <= limit:
        return options
    return options.model_copy(update={"seconds": limit})


def _as_asked(pastiche: Pastiche, options: RefineOptions, limit: float) -> Pastiche:
    """The recipe has the time that was asked for; where this server's limit cut that short, the notes say so."""
    recipe = {name: value for name, value in pastiche.recipe.items() if name != "seconds"}
    if options.seconds is not None:
        recipe["seconds"] = options.seconds
    notes = pastiche.notes
    if recipe.get("ended") == "time":
        notes = [*notes, f"This server refines a picture for at most {_span(limit)}: it ended before its last step."]
    return replace(pastiche, recipe=recipe, notes=notes)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def small_jpeg(picture: Picture, side: int) -> bytes:
    """side: pixels of the longer one, at most."""
    return images.encode(images.read(transfer.as_array(picture), limit=side), "jpeg", 85)


def preview(source: ImageSource) -> str:
    """The picture, no larger than a page needs it, as a data URL."""
    picture = images.read(source, limit=_PREVIEW_SIDE)
    return _data_url(images.encode(picture, "jpeg", 85), "jpeg")


def _data_url(data: bytes, format: str) -> str:
    return f"data:image/{format};base64,{base64.b64encode(data).decode('ascii')}"
