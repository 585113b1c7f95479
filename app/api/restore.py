"""Recipes back into requests: the options, styles and masks that ask for the same again, and notes on what is lost."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any, assert_never

import numpy as np

from app.api.response_schemas import RecipeAnswer, RecipeStyle
from app.failures import Missing
from app.http.context import Caller
from app.inputs.synchronous_render import data_url
from app.jobs.painter import Painter
from app.settings import PictureLimits
from app.storage import gallery
from app.storage.library import Library
from app.storage.records import Style
from model.errors import ImageError
from model.imaging import image_files
from model.imaging.image_files import ImageSource
from model.options import BAKED_OPTIONS, Options, RefineOptions, StylizeOptions
from model.pipelines import recipe_builder, recipes, stylization
from model.pipelines.recipes import Recipe, RecordedMask, RecordedStyle
from model.pipelines.refine import encoder_sha256, painting_limit
from model.refinement import encoder_registry
from model.style_file import MAX_LENGTHS, WEIGHTS_NAME_LENGTH, StyleFile, vector_sha256

_MAX_VECTOR_LENGTH = 4096  # of a style vector, whichever weights it is for: those that ship have fewer
_DAMAGED_STYLE = "The numbers of the style “{}” are damaged in this recipe: choose that style anew."
_IMPORTED_STYLE = "The style “{}” is an imported network, which no recipe holds: give its style file."
_PER_MASK_OPTIONS = {"region_styles", "region_strengths"}  # one for each mask


def from_recipe(caller: Caller, recipe: Recipe) -> RecipeAnswer:
    """Return what to send for the same picture, with the styles that the caller may use."""
    options, notes = recipes.to_options(recipe), _weights_notes(caller.engine.painter, recipe)
    known = _find_styles(caller, recipe, _painting_limit(options))
    numbered = enumerate(recipe.styles, 1)
    files = [None if notes else _style_file(recipe, recorded, number) for number, recorded in numbered]
    notes += [
        _DAMAGED_STYLE.format(_style_name(recorded))
        for recorded, here in zip(recipe.styles, known, strict=True)
        if not here and _is_damaged(recorded)
    ]
    notes += [
        _IMPORTED_STYLE.format(_style_name(recorded))
        for recorded, here in zip(recipe.styles, known, strict=True)
        if not here and recorded.is_imported
    ]
    if isinstance(options, RefineOptions):
        notes += _refinement_notes(recipe, all(known))
    elif all(files) and not all(known) and options.option_needing_painting():
        options, known = options.model_copy(update=BAKED_OPTIONS), [None] * len(known)
        notes.append("Its brush size and matched colours are in the styles themselves now.")
    values = {"method": recipe.method} | options.model_dump(mode="json", exclude_none=True, exclude={"weights"})
    if isinstance(options, StylizeOptions) and recipe.masks:  # always, as the styles may have another order now
        values["region_styles"] = [style for style, _ in options.resolve_regions(len(recipe.masks), len(recipe.styles))]
    masks = _restore_masks(caller.limits, recipe, values, notes)
    chosen = [_recipe_style(*one) for one in zip(recipe.styles, known, files, strict=True)]
    return RecipeAnswer(recipe=recipe.to_dict(), options=values, styles=chosen, masks=masks, notes=notes)


def _recipe_style(recorded: RecordedStyle, here: Style | None, file: StyleFile | None) -> RecipeStyle:
    """Return the style by its id in the library, else as the style file that its numbers make."""
    if here:
        return RecipeStyle(id=here.id, name=here.name, weight=recorded.weight)
    name = _style_name(recorded)
    if file:
        return RecipeStyle(name=name, file=file.to_bytes().decode(), weight=recorded.weight)
    return RecipeStyle(name=name, weight=recorded.weight)


def _style_name(recorded: RecordedStyle) -> str:
    return recorded.name or "Without a name"


def _painting_limit(options: Options) -> int:
    """Return the pixels of a painting's long side, as the network saw it."""
    match options:
        case StylizeOptions():
            return stylization.style_limit(options)
        case RefineOptions():
            return painting_limit(options)
        case _:
            assert_never(options)


def _find_styles(caller: Caller, recipe: Recipe, limit: int) -> list[Style | None]:
    """Return each recorded style as the caller's library has it, or None."""
    library, styles = caller.library, caller.library.styles(caller.owner_id)
    return [
        next((style for style in styles if _is_same_style(library, recorded, style, limit)), None)
        for recorded in recipe.styles
    ]


def _is_same_style(library: Library, recorded: RecordedStyle, style: Style, limit: int) -> bool:
    if recorded.is_imported:
        return style.weights_sha256 == recorded.network_sha256
    if recorded.sha256 is None:  # it was a vector
        return style.vector is not None and recorded.vector_sha256 == vector_sha256(style.vector)
    return recorded.sha256 == (
        _stored_sha256(library, style.picture, limit) if style.picture else _shipped_sha256s(limit).get(style.id)
    )


@lru_cache(maxsize=8)
def _shipped_sha256s(limit: int) -> dict[str, str]:
    """Return the sha256 of each shipped painting's pixels, by the style's id."""
    return {style.id: _painting_sha256(style.file, limit) for style in gallery.shipped() if style.file}


@lru_cache(maxsize=4096)
def _stored_sha256(library: Library, key: str, limit: int) -> str:
    """Return the sha256 of a stored painting's pixels; empty where it is gone, or is none."""
    try:
        return _painting_sha256(library.picture(key), limit)
    except (Missing, ImageError):
        return ""


def _painting_sha256(painting: ImageSource, limit: int) -> str:
    pixels = stylization.read_style(painting, limit)
    return recipe_builder.pixels_sha256(pixels) if isinstance(pixels, np.ndarray) else ""


def _style_file(recipe: Recipe, recorded: RecordedStyle, number: int) -> StyleFile | None:
    vector = recorded.vector_array()
    if vector is None or recipe.weights_sha256 is None or recipe.method == "gatys" or _is_damaged(recorded):
        return None
    texts = {"name": recorded.name.strip() or f"Style {number}", "credit": recorded.credit, "licence": recorded.licence}
    about = {name: text[: MAX_LENGTHS[name]] for name, text in texts.items()}
    weights = recipe.weights[:WEIGHTS_NAME_LENGTH]
    return StyleFile.parse(**about, weights=weights, weights_sha256=recipe.weights_sha256, vector=vector)


def _is_damaged(recorded: RecordedStyle) -> bool:
    """Return whether no network could have predicted these numbers from a painting."""
    vector = recorded.vector_array()
    return vector is not None and not (
        len(vector) <= _MAX_VECTOR_LENGTH and np.abs(vector).max() <= stylization.MAX_VECTOR_VALUE
    )


def _weights_notes(painter: Painter, recipe: Recipe) -> list[str]:
    """Return a note where the weights are not on this server."""
    if recipe.method == "gatys":
        known = recipe.weights in encoder_registry.ENCODERS and encoder_registry.find(recipe.weights)
        here = encoder_sha256(recipe.weights) if known else None
    else:
        here = painter.weights_identity()[1]
    if recipe.weights_sha256 in (None, here):
        return []
    name = f"'{recipe.weights}' ({(recipe.weights_sha256 or '')[: recipes.SHA256_DIGITS]})"
    return [f"It was painted with the weights {name}, which are not on this server: the strokes will be others."]


def _refinement_notes(recipe: Recipe, all_here: bool) -> list[str]:
    began = (recipe.model_extra or {}).get("start") == "given"
    return [
        *(["It was refined from a picture that is not in its recipe."] if began else []),
        *([] if all_here else ["It was refined, and a recipe keeps no paintings: those that are not here are needed."]),
    ]


def _restore_masks(limits: PictureLimits, recipe: Recipe, values: dict[str, Any], notes: list[str]) -> list[str]:
    """Return the masks as words and data URLs; those that are lost go from the lists in `values` too."""
    masks = [mask if isinstance(mask, str) else _mask_data_url(limits, mask) for mask in recipe.masks]
    present = [number for number, mask in enumerate(masks) if mask]
    if missing := len(masks) - len(present):
        notes.append(f"{missing} of its masks are not in the recipe, being too large: paint them anew.")
        for name in _PER_MASK_OPTIONS & values.keys():
            values[name] = [values[name][number] for number in present]
    return [mask for mask in masks if mask]


def _mask_data_url(limits: PictureLimits, mask: RecordedMask) -> str:
    """Return the mask as a data URL; empty where it is not recorded, or is no picture."""
    try:
        png = base64.b64decode(mask.png or "", validate=True)
        image_files.peek_size(png, "mask", most_pixels=limits.upload_pixels)
    except (ValueError, ImageError):
        return ""
    return data_url(png, "png")
