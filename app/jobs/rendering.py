"""Painting of a job's order. For callers who wait for their picture, app/inputs/synchronous_render.py paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, assert_never

from app.jobs.order import Attribution, Order
from app.jobs.painter import Painter
from app.storage.library import Library
from model.imaging import image_files, masking, pixel_ops, scratch
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import EightBitPicture, Picture
from model.options import RefineOptions, SheetOptions, StylizeOptions
from model.pipelines import recipes, stylization
from model.pipelines.refine import postprocess, read_painting, refine_recipe, resolve_options
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint, OnStep, Step
from model.style_file import StyleFile

STREAMED_PIXELS = 12_000_000  # beyond which a result is painted into a file
THUMBNAIL_SIDE = 360  # pixels, long side; of results and of styles


def with_credits(pastiche: Pastiche, attributions: Sequence[Attribution]) -> Pastiche:
    return replace(pastiche, recipe=recipes.with_credits(pastiche.recipe, attributions))


class StyleSource(NamedTuple):
    """What a style can be painted from. trained: a style file with the picture's own network, where it has one."""

    picture: bytes | Path
    trained: bytes | None = None


def choose_sources(
    painter: Painter, styles: Sequence[StyleSource], options: StylizeOptions | SheetOptions
) -> tuple[list[ImageSource], list[str]]:
    """Return the styles as the painter takes them, and notes.

    A picture's own network paints where it can, else the shared one paints from the picture: with what only a picture
    serves, where the order wants that, or with other weights than the network was trained for.
    """
    pictures: list[ImageSource] = [style.picture for style in styles]
    if options.network == "shared" or not any(style.trained for style in styles):
        return pictures, []
    if options.option_needing_painting():
        return pictures, [stylization.SHARED_PAINTED]
    weights_sha256 = painter.weights_identity()[1]
    return [_own_network(style, weights_sha256) or style.picture for style in styles], []


def _own_network(style: StyleSource, weights_sha256: str) -> bytes | None:
    """Return the style file with the picture's own network, where that is for these weights."""
    fits = style.trained is not None and StyleFile.from_bytes(style.trained).weights_sha256 == weights_sha256
    return style.trained if fits else None


@dataclass(frozen=True)
class PastichePng:
    """A pastiche as a PNG file; a large one is never held as floats."""

    png: bytes
    report: stylization.StylizeReport
    complete: bool = True


def to_png(pastiche: Pastiche) -> PastichePng:
    height, width = pastiche.picture.rgb.shape[:2]
    about = (pastiche.weights, pastiche.seconds, pastiche.recipe, pastiche.notes)
    png = image_files.encode(pastiche.picture, recipe=pastiche.recipe)
    return PastichePng(png, stylization.StylizeReport(width, height, *about), pastiche.complete)


def render_order(
    order: Order,
    library: Library,
    painter: Painter,
    on_step: OnStep,
    resume: Checkpoint | None,
    refine_seconds: float,
) -> Pastiche | PastichePng:
    """Paint an order. resume: where a refinement was interrupted. refine_seconds: the limit for all its steps."""
    match order.options:
        case StylizeOptions():
            return _stylize(order, library, painter, on_step)
        case RefineOptions():
            return with_credits(_refine(order, library, painter, on_step, resume, refine_seconds), order.attributions)
        case _:
            assert_never(order.options)


def _stylize(order: Order, library: Library, painter: Painter, on_step: OnStep) -> Pastiche | PastichePng:
    assert isinstance(order.options, StylizeOptions)
    content, pictures, masks = order.read_sources(library)
    trained = [style.trained_source(library) for style in order.styles]
    styles, notes = choose_sources(painter, list(map(StyleSource, pictures, trained)), order.options)
    width, height = order.options.result_size(*image_files.peek_size(content))
    if width * height > STREAMED_PIXELS:
        return _with_notes(_render_large(order, painter, content, styles, masks, on_step), notes)
    pastiche = painter.stylize(content, styles, order.options, on_step=on_step, masks=masks)
    return _with_notes(with_credits(pastiche, order.attributions), notes)


def _with_notes(painted: Pastiche | PastichePng, notes: list[str]) -> Pastiche | PastichePng:
    if isinstance(painted, Pastiche):
        return replace(painted, notes=[*painted.notes, *notes])
    return replace(painted, report=replace(painted.report, notes=[*painted.report.notes, *notes]))


def _render_large(
    order: Order, painter: Painter, content: bytes, styles: list[ImageSource], masks: list[bytes | str], on_step: OnStep
) -> Pastiche | PastichePng:
    """Paint a small copy, which is shown soon and is the result if the job is cancelled, then the large one."""
    assert isinstance(order.options, StylizeOptions)
    small = order.options.model_copy(update={"size": stylization.PREVIEW_SIDE, "print": None})
    preview = with_credits(painter.stylize(content, styles, small, masks=masks), order.attributions)
    as_png = order.options.model_copy(update={"format": "png"})
    try:
        on_step(Step(0, 1, preview=preview.picture))
        with scratch.temporary_folder() as folder:
            file = folder / "pastiche.png"
            report = painter.stylize_file(
                content,
                styles,
                file,
                as_png,
                on_step=on_step,
                masks=masks,
                edit_recipe=partial(_final_recipe, order),
            )
            return PastichePng(file.read_bytes(), report)
    except Cancelled:
        return stylization.incomplete_pastiche(preview, order.options.result_size(*image_files.peek_size(content)))


def _final_recipe(order: Order, recipe: dict[str, Any]) -> dict[str, Any]:
    """Name the format that was asked for: the file is stored as PNG."""
    return recipes.with_credits(recipe, order.attributions) | {"format": order.options.format}


def _refine(
    order: Order,
    library: Library,
    painter: Painter,
    on_step: OnStep,
    resume: Checkpoint | None,
    refine_seconds: float,
) -> Pastiche:
    assert isinstance(order.options, RefineOptions)
    content, styles, masks = order.read_sources(library)
    start = library.picture(order.start) if order.start else None
    options = _limit_seconds(order.options, refine_seconds)
    pastiche = painter.refine(content, styles, options, start=start, on_step=on_step, resume=resume, masks=masks)
    pastiche = replace(pastiche, notes=[*order.notes, *pastiche.notes])
    if resume:
        pastiche = replace(pastiche, seconds=pastiche.seconds + resume.seconds)
    return pastiche if options == order.options else _with_requested_seconds(pastiche, order.options, refine_seconds)


def render_checkpoint(order: Order, library: Library, checkpoint: Checkpoint) -> Pastiche:
    """Make a result of a checkpoint, at the size that was asked for, without the model."""
    assert isinstance(order.options, RefineOptions)
    options = resolve_options(order.options)
    content, styles, masks = order.read_sources(library)
    photo = image_files.read(content, long_side=options.size)
    drawn = masking.read_masks(masks, photo)
    so_far = pixel_ops.resize(image_files.read(checkpoint.picture).rgb, photo.rgb.shape[:2])
    picture = postprocess(so_far, photo, options, drawn)
    notes = [*order.notes, f"It was stopped after step {checkpoint.step} of {options.steps}."]
    recipe = refine_recipe(options, [read_painting(style, options) for style in styles], photo, drawn) | {
        "ended": "stopped"
    }
    if order.start:
        recipe["start"] = "given"
    pastiche = Pastiche(picture, options.encoder, checkpoint.seconds, recipe, complete=False, notes=notes)
    return with_credits(pastiche, order.attributions)


def _limit_seconds(options: RefineOptions, limit: float) -> RefineOptions:
    if options.seconds is not None and options.seconds <= limit:
        return options
    return options.model_copy(update={"seconds": limit})


def _with_requested_seconds(pastiche: Pastiche, options: RefineOptions, limit: float) -> Pastiche:
    """Write the requested time into the recipe, and a note where this server's limit ended the refinement."""
    recipe = {name: value for name, value in pastiche.recipe.items() if name != "seconds"}
    if options.seconds is not None:
        recipe["seconds"] = options.seconds
    notes = pastiche.notes
    if recipe.get("ended") == "time":
        notes = [
            *notes,
            f"This server refines a picture for at most {_format_seconds(limit)}: it ended before its last step.",
        ]
    return replace(pastiche, recipe=recipe, notes=notes)


def _format_seconds(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def small_jpeg(picture: Picture | EightBitPicture | bytes, side: int) -> bytes:
    """Encode a small copy. side: pixels of its long side, at most."""
    source = picture if isinstance(picture, bytes) else pixel_ops.stack_alpha(picture)
    return image_files.encode(image_files.read_eight_bit(source, limit=side), "jpeg", 85)
