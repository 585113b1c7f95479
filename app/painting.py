"""Upload -> the painted picture, encoded; order -> its pastiche."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import model
from app.library import Library
from app.orders import Credit, Order
from model import canvas, images, recipe, regions, transfer
from model.images import ImageSource, Picture, Pixels
from model.options import RefineOptions, StylizeOptions
from model.progress import Cancelled, Checkpoint, OnStep, Step
from model.refine import checked, finished, made_of, read_painting
from model.transfer import Pastiche

if TYPE_CHECKING:
    from app.uploads import Upload

LARGE = 12_000_000  # pixels, beyond which a result is painted into a file
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
        return data_url(self.data, self.format)


def paint(upload: Upload) -> Painting:
    options = upload.options
    assert isinstance(options, StylizeOptions)  # nobody waits for a refinement
    styles = [style.source for style in upload.styles]
    pastiche = transfer.stylize(upload.content, styles, options, masks=upload.masks)
    pastiche = credited(pastiche, [style.credit for style in upload.styles])
    data = images.encode(pastiche.picture, options.format, options.quality, pastiche.recipe)
    return Painting(data, options.format, pastiche)


def credited(pastiche: Pastiche, credits: Sequence[Credit]) -> Pastiche:
    return replace(pastiche, recipe=recipe.credited(pastiche.recipe, credits))


@dataclass(frozen=True)
class PaintedFile:
    """A pastiche as a PNG, which it is at once where it is too large to be held as floats."""

    png: bytes
    report: transfer.Report
    complete: bool = True


def as_file(pastiche: Pastiche) -> PaintedFile:
    height, width = pastiche.picture.rgb.shape[:2]
    about = (pastiche.weights, pastiche.seconds, pastiche.recipe, pastiche.notes)
    png = images.encode(pastiche.picture, recipe=pastiche.recipe)
    return PaintedFile(png, transfer.Report(width, height, *about), pastiche.complete)


def paint_order(
    order: Order, library: Library, on_step: OnStep, resume: Checkpoint | None, refine_seconds: float
) -> Pastiche | PaintedFile:
    """resume: where a refinement was interrupted. refine_seconds: what one may take in all."""
    if isinstance(order.options, RefineOptions):
        return credited(_refined(order, library, on_step, resume, refine_seconds), order.credits)
    content, styles, masks = order.sources(library)
    width, height = order.options.result_size(*images.peek(content))
    if width * height > LARGE:
        return _paint_large(order, content, styles, masks, on_step)
    pastiche = transfer.stylize(content, styles, order.options, on_step=on_step, masks=masks)
    return credited(pastiche, order.credits)


def _paint_large(
    order: Order, content: bytes, styles: list[bytes], masks: list[bytes | str], on_step: OnStep
) -> Pastiche | PaintedFile:
    """A small copy first: it is soon there to be seen, and all there is to keep until the large one is whole."""
    assert isinstance(order.options, StylizeOptions)
    small = order.options.model_copy(update={"size": transfer.PREVIEW_SIDE, "print": None})
    preview = credited(transfer.stylize(content, styles, small, masks=masks), order.credits)
    as_png = order.options.model_copy(update={"format": "png"})
    try:
        on_step(Step(0, 1, preview=preview.picture))
        with canvas.scratch() as folder:
            file = folder / "pastiche.png"
            report = transfer.stylize_file(
                content,
                styles,
                file,
                as_png,
                on_step=on_step,
                masks=masks,
                retold=partial(_retold, order),
            )
            return PaintedFile(file.read_bytes(), report)
    except Cancelled:
        return transfer.cut_short(preview, order.options.result_size(*images.peek(content)))


def _retold(order: Order, made: dict[str, Any]) -> dict[str, Any]:
    """The file is kept as PNG, whatever was asked for."""
    return recipe.credited(made, order.credits) | {"format": order.options.format}


def _refined(
    order: Order, library: Library, on_step: OnStep, resume: Checkpoint | None, refine_seconds: float
) -> Pastiche:
    assert isinstance(order.options, RefineOptions)
    content, styles, masks = order.sources(library)
    start = library.picture(order.start) if order.start else None
    options = _limited(order.options, refine_seconds)
    pastiche = model.refine(content, styles, options, start=start, on_step=on_step, resume=resume, masks=masks)
    pastiche = replace(pastiche, notes=[*order.notes, *pastiche.notes])
    if resume:
        pastiche = replace(pastiche, seconds=pastiche.seconds + resume.seconds)
    return pastiche if options == order.options else _as_asked(pastiche, order.options, refine_seconds)


def as_far_as_it_is(order: Order, library: Library, checkpoint: Checkpoint) -> Pastiche:
    """What a refinement came to, as large as it was to become; the model is not asked."""
    assert isinstance(order.options, RefineOptions)
    options = checked(order.options)
    content, styles, masks = order.sources(library)
    photo = images.read(content, long_side=options.size)
    drawn = regions.fitting(masks, photo)
    so_far = images.resize(images.read(checkpoint.picture).rgb, photo.rgb.shape[:2])
    picture = finished(so_far, photo, options, drawn)
    notes = [*order.notes, f"It was stopped after step {checkpoint.step} of {options.steps}."]
    made = made_of(options, [read_painting(style, options) for style in styles], photo, drawn) | {"ended": "stopped"}
    if order.start:
        made["start"] = "given"
    pastiche = Pastiche(picture, options.encoder, checkpoint.seconds, made, complete=False, notes=notes)
    return credited(pastiche, order.credits)


def _limited(options: RefineOptions, limit: float) -> RefineOptions:
    if options.seconds is not None and options.seconds <= limit:
        return options
    return options.model_copy(update={"seconds": limit})


def _as_asked(pastiche: Pastiche, options: RefineOptions, limit: float) -> Pastiche:
    """The recipe has the time that was asked for; where this server's limit cut that short, the notes say so."""
    made = {name: value for name, value in pastiche.recipe.items() if name != "seconds"}
    if options.seconds is not None:
        made["seconds"] = options.seconds
    notes = pastiche.notes
    if made.get("ended") == "time":
        notes = [*notes, f"This server refines a picture for at most {_span(limit)}: it ended before its last step."]
    return replace(pastiche, recipe=made, notes=notes)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def small_jpeg(picture: Picture | Pixels | bytes, side: int) -> bytes:
    """side: pixels of the longer one, at most."""
    source = picture if isinstance(picture, bytes) else _array(picture)
    return images.encode(images.decode(source, limit=side), "jpeg", 85)


def _array(picture: Picture | Pixels) -> np.ndarray:
    """(H, W, 3 or 4)."""
    return picture.rgb if picture.alpha is None else np.dstack([picture.rgb, picture.alpha])


def preview(source: ImageSource) -> str:
    """The picture, no larger than a page needs it, as a data URL."""
    picture = images.decode(source, limit=_PREVIEW_SIDE)
    return data_url(images.encode(picture, "jpeg", 85), "jpeg")


def data_url(data: bytes, format: str) -> str:
    return f"data:image/{format};base64,{base64.b64encode(data).decode('ascii')}"
