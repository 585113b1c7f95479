"""A recipe -> what a page or a program needs to ask for the same again: options, styles, masks, and what is lost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from app.api.response_schemas import RecipeAnswer, RecipeStyle
from app.failures import Missing
from app.http import context
from app.storage import gallery
from app.storage.records import Style
from app.storage.tables import MAX_LENGTHS
from model.errors import ImageError
from model.imaging import image_files
from model.imaging.image_files import ImageSource
from model.options import RefineOptions, StylizeOptions
from model.pipelines import recipe_builder, stylization
from model.pipelines import recipes as recipe_of
from model.pipelines.recipes import Recipe, RecordedMask
from model.pipelines.recipes import RecordedStyle as Told
from model.pipelines.refine import encoder_sha256
from model.refinement import encoder_registry
from model.style_file import StyleFile

_SHA256_DIGITS = 12  # digits of a sha256
_MAX_VECTOR_LENGTH = 4096  # of a style vector, whichever weights it is for: those that ship have fewer
_DAMAGED_STYLE = "The numbers of the style “{}” are damaged in this recipe: choose that style anew."
_BAKED_OPTIONS: dict[str, Any] = {
    "style_scale": 1.0,
    "match_colours": "none",
}  # what a vector has in its numbers already
_PER_MASK_OPTIONS = {"region_styles", "region_strengths"}  # one for each mask


def from_recipe(recipe: Recipe, styles: Sequence[Style]) -> RecipeAnswer:
    """styles: those that the caller may use."""
    options, notes = recipe_of.to_options(recipe), _weights_notes(recipe)
    found = [_find_style(told, styles, _style_limit(options)) for told in recipe.styles]
    files = [None if notes else _style_file(recipe, told, number) for number, told in enumerate(recipe.styles, 1)]
    notes += [
        _DAMAGED_STYLE.format(_style_name(told))
        for told, here in zip(recipe.styles, found, strict=True)
        if not here and _is_damaged(told)
    ]
    if isinstance(options, RefineOptions):
        notes += _refinement_notes(recipe, all(found))
    elif all(files) and not all(found) and _has_baked_options(options):
        options, found = options.model_copy(update=_BAKED_OPTIONS), [None] * len(found)
        notes.append("Its brush size and matched colours are in the styles themselves now.")
    values = {"method": recipe.method} | options.model_dump(mode="json", exclude_none=True, exclude={"weights"})
    if isinstance(options, StylizeOptions) and recipe.masks:  # said or not: the styles may have another order now
        values["region_styles"] = [style for style, _ in options.resolve_regions(len(recipe.masks), len(recipe.styles))]
    masks = _restore_masks(recipe, values, notes)
    chosen = [_recipe_style(*one) for one in zip(recipe.styles, found, files, strict=True)]
    return RecipeAnswer(recipe=recipe.told(), options=values, styles=chosen, masks=masks, notes=notes)


def _recipe_style(told: Told, here: Style | None, file: StyleFile | None) -> RecipeStyle:
    """By its id in the library; else as the style file that its numbers make."""
    if here:
        return RecipeStyle(id=here.id, name=here.name, weight=told.weight)
    name = _style_name(told)
    if file:
        return RecipeStyle(name=name, file=file.to_bytes().decode(), weight=told.weight)
    return RecipeStyle(name=name, weight=told.weight)


def _style_name(told: Told) -> str:
    return told.name or "Without a name"


def _style_limit(options: StylizeOptions | RefineOptions) -> int:
    """Pixels of a painting's long side, as it was looked at."""
    side = stylization.MAX_STYLE_SIDE if isinstance(options, StylizeOptions) else options.size
    return round(side * max(1.0, options.style_scale))


def _has_baked_options(options: StylizeOptions) -> bool:
    return any(getattr(options, name) != value for name, value in _BAKED_OPTIONS.items())


def _find_style(told: Told, styles: Sequence[Style], limit: int) -> Style | None:
    return next((style for style in styles if _is_same_style(told, style, limit)), None)


def _is_same_style(told: Told, style: Style, limit: int) -> bool:
    if told.sha256 is None:  # it was a vector
        return style.vector is not None and told.vector_sha256 == _vector_sha256(style.vector)
    return told.sha256 == (
        _stored_sha256(style.picture, limit) if style.picture else _shipped_sha256s(limit).get(style.id)
    )


def _vector_sha256(vector: np.ndarray) -> str:
    return hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()


@lru_cache(maxsize=8)
def _shipped_sha256s(limit: int) -> dict[str, str]:
    """A style's id -> the sha256 of its painting's pixels."""
    return {style.id: _painting_sha256(style.file, limit) for style in gallery.shipped() if style.file}


@lru_cache(maxsize=4096)
def _stored_sha256(key: str, limit: int) -> str:
    """Empty where the painting is gone, or is none."""
    try:
        return _painting_sha256(context.library().picture(key), limit)
    except (Missing, ImageError):
        return ""


def _painting_sha256(painting: ImageSource, limit: int) -> str:
    pixels = stylization.read_style(painting, limit)
    return recipe_builder.pixels_sha256(pixels) if isinstance(pixels, np.ndarray) else ""


def _style_file(recipe: Recipe, told: Told, number: int) -> StyleFile | None:
    vector = told.vector_array()
    if vector is None or recipe.weights_sha256 is None or recipe.method == "gatys" or _is_damaged(told):
        return None
    texts = {"name": told.name.strip() or f"Style {number}", "credit": told.credit, "licence": told.licence}
    about = {name: text[: MAX_LENGTHS[name]] for name, text in texts.items()}
    return StyleFile.parse(**about, weights=recipe.weights[:80], weights_sha256=recipe.weights_sha256, vector=vector)


def _is_damaged(told: Told) -> bool:
    """Its numbers are none that a network of ours could have seen in a painting."""
    vector = told.vector_array()
    return vector is not None and not (
        len(vector) <= _MAX_VECTOR_LENGTH and np.abs(vector).max() <= stylization.MAX_VECTOR_VALUE
    )


def _weights_notes(recipe: Recipe) -> list[str]:
    """Empty: they are here."""
    if recipe.method == "gatys":
        known = recipe.weights in encoder_registry.ENCODERS and encoder_registry.find(recipe.weights)
        here = encoder_sha256(recipe.weights) if known else None
    else:
        here = stylization.weights_identity()[1]
    if recipe.weights_sha256 in (None, here):
        return []
    name = f"'{recipe.weights}' ({(recipe.weights_sha256 or '')[:_SHA256_DIGITS]})"
    return [f"It was painted with the weights {name}, which are not on this server: the strokes will be others."]


def _refinement_notes(recipe: Recipe, all_here: bool) -> list[str]:
    began = (recipe.model_extra or {}).get("start") == "given"
    return [
        *(["It was refined from a picture that is not in its recipe."] if began else []),
        *([] if all_here else ["It was refined, and a recipe keeps no paintings: those that are not here are needed."]),
    ]


def _restore_masks(recipe: Recipe, values: dict[str, Any], notes: list[str]) -> list[str]:
    """As words and data URLs; what is lost goes from the lists in `values` too."""
    told = [mask if isinstance(mask, str) else _mask_data_url(mask) for mask in recipe.masks]
    kept = [number for number, mask in enumerate(told) if mask]
    if len(kept) < len(told):
        notes.append(f"{len(told) - len(kept)} of its masks are not in the recipe, being too large: paint them anew.")
        for name in _PER_MASK_OPTIONS & values.keys():
            values[name] = [values[name][number] for number in kept]
    return [mask for mask in told if mask]


def _mask_data_url(mask: RecordedMask) -> str:
    """Empty where it is not there, or is no picture."""
    try:
        png = base64.b64decode(mask.png or "", validate=True)
        image_files.peek_size(png, "mask", most_pixels=context.settings().upload_pixels)
    except (ValueError, ImageError):
        return ""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
