"""A recipe -> what a page or a program needs to ask for the same again: options, styles, masks, and what is lost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from app import current, gallery
from app.failures import Missing
from app.records import Style
from app.schemas import RecipeAnswer, RecipeStyle
from app.tables import LENGTHS
from model import encoder_layers, images, ingredients, transfer
from model import recipe as recipe_of
from model.errors import ImageError
from model.images import ImageSource
from model.options import RefineOptions, StylizeOptions
from model.recipe import Drawn, Recipe
from model.recipe import Style as Told
from model.refine import encoder_sha256
from model.vectors import StyleFile

_SHOWN = 12  # digits of a sha256
_MOST_NUMBERS = 4096  # of a style vector, whichever weights it is for: those that ship have fewer
_SPOILT = "The numbers of the style “{}” are damaged in this recipe: choose that style anew."
_BAKED: dict[str, Any] = {"style_scale": 1.0, "match_colours": "none"}  # what a vector has in its numbers already
_LISTED = {"region_styles", "region_strengths"}  # one for each mask


def restored(recipe: Recipe, styles: Sequence[Style]) -> RecipeAnswer:
    """styles: those that the caller may use."""
    options, notes = recipe_of.options(recipe), _weights_notes(recipe)
    found = [_here(told, styles, _limit(options)) for told in recipe.styles]
    files = [None if notes else _file(recipe, told, number) for number, told in enumerate(recipe.styles, 1)]
    notes += [
        _SPOILT.format(_name(told))
        for told, here in zip(recipe.styles, found, strict=True)
        if not here and _is_spoilt(told)
    ]
    if isinstance(options, RefineOptions):
        notes += _refinement_notes(recipe, all(found))
    elif all(files) and not all(found) and _is_baked(options):
        options, found = options.model_copy(update=_BAKED), [None] * len(found)
        notes.append("Its brush size and matched colours are in the styles themselves now.")
    values = {"method": recipe.method} | options.model_dump(mode="json", exclude_none=True, exclude={"weights"})
    if isinstance(options, StylizeOptions) and recipe.masks:  # said or not: the styles may have another order now
        values["region_styles"] = [style for style, _ in options.regions(len(recipe.masks), len(recipe.styles))]
    masks = _masks(recipe, values, notes)
    chosen = [_style(*one) for one in zip(recipe.styles, found, files, strict=True)]
    return RecipeAnswer(recipe=recipe.told(), options=values, styles=chosen, masks=masks, notes=notes)


def _style(told: Told, here: Style | None, file: StyleFile | None) -> RecipeStyle:
    """By its id in the library; else as the style file that its numbers make."""
    if here:
        return RecipeStyle(id=here.id, name=here.name, weight=told.weight)
    name = _name(told)
    if file:
        return RecipeStyle(name=name, file=file.to_bytes().decode(), weight=told.weight)
    return RecipeStyle(name=name, weight=told.weight)


def _name(told: Told) -> str:
    return told.name or "Without a name"


def _limit(options: StylizeOptions | RefineOptions) -> int:
    """Pixels of a painting's long side, as it was looked at."""
    side = transfer.STYLE_LIMIT if isinstance(options, StylizeOptions) else options.size
    return round(side * max(1.0, options.style_scale))


def _is_baked(options: StylizeOptions) -> bool:
    return any(getattr(options, name) != value for name, value in _BAKED.items())


def _here(told: Told, styles: Sequence[Style], limit: int) -> Style | None:
    return next((style for style in styles if _is_same(told, style, limit)), None)


def _is_same(told: Told, style: Style, limit: int) -> bool:
    if told.sha256 is None:  # it was a vector
        return style.vector is not None and told.vector_sha256 == _sha256_of_vector(style.vector)
    return told.sha256 == (_sha256_of_own(style.picture, limit) if style.picture else _shipped(limit).get(style.id))


def _sha256_of_vector(vector: np.ndarray) -> str:
    return hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()


@lru_cache(maxsize=8)
def _shipped(limit: int) -> dict[str, str]:
    """A style's id -> the sha256 of its painting's pixels."""
    return {style.id: _sha256(style.file, limit) for style in gallery.shipped() if style.file}


@lru_cache(maxsize=4096)
def _sha256_of_own(key: str, limit: int) -> str:
    """Empty where the painting is gone, or is none."""
    try:
        return _sha256(current.library().picture(key), limit)
    except (Missing, ImageError):
        return ""


def _sha256(painting: ImageSource, limit: int) -> str:
    pixels = transfer.read_style(painting, limit)
    return ingredients.sha256(pixels) if isinstance(pixels, np.ndarray) else ""


def _file(recipe: Recipe, told: Told, number: int) -> StyleFile | None:
    vector = told.numbers()
    if vector is None or recipe.weights_sha256 is None or recipe.method == "gatys" or _is_spoilt(told):
        return None
    texts = {"name": told.name.strip() or f"Style {number}", "credit": told.credit, "licence": told.licence}
    about = {name: text[: LENGTHS[name]] for name, text in texts.items()}
    return StyleFile.parse(**about, weights=recipe.weights[:80], weights_sha256=recipe.weights_sha256, vector=vector)


def _is_spoilt(told: Told) -> bool:
    """Its numbers are none that a network of ours could have seen in a painting."""
    vector = told.numbers()
    return vector is not None and not (len(vector) <= _MOST_NUMBERS and np.abs(vector).max() <= transfer.LARGEST)


def _weights_notes(recipe: Recipe) -> list[str]:
    """Empty: they are here."""
    if recipe.method == "gatys":
        known = recipe.weights in encoder_layers.ENCODERS and encoder_layers.find(recipe.weights)
        here = encoder_sha256(recipe.weights) if known else None
    else:
        here = transfer.identity()[1]
    if recipe.weights_sha256 in (None, here):
        return []
    name = f"'{recipe.weights}' ({(recipe.weights_sha256 or '')[:_SHOWN]})"
    return [f"It was painted with the weights {name}, which are not on this server: the strokes will be others."]


def _refinement_notes(recipe: Recipe, all_here: bool) -> list[str]:
    began = (recipe.model_extra or {}).get("start") == "given"
    return [
        *(["It was refined from a picture that is not in its recipe."] if began else []),
        *([] if all_here else ["It was refined, and a recipe keeps no paintings: those that are not here are needed."]),
    ]


def _masks(recipe: Recipe, values: dict[str, Any], notes: list[str]) -> list[str]:
    """As words and data URLs; what is lost goes from the lists in `values` too."""
    told = [mask if isinstance(mask, str) else _data_url(mask) for mask in recipe.masks]
    kept = [number for number, mask in enumerate(told) if mask]
    if len(kept) < len(told):
        notes.append(f"{len(told) - len(kept)} of its masks are not in the recipe, being too large: paint them anew.")
        for name in _LISTED & values.keys():
            values[name] = [values[name][number] for number in kept]
    return [mask for mask in told if mask]


def _data_url(mask: Drawn) -> str:
    """Empty where it is not there, or is no picture."""
    try:
        png = base64.b64decode(mask.png or "", validate=True)
        images.peek(png, "mask", most_pixels=current.settings().upload_pixels)
    except (ValueError, ImageError):
        return ""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
