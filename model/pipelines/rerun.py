"""Rerunning a recipe: the same picture again, or the same treatment of another photo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from model.errors import InvalidOption, WeightsError, WeightsMissing
from model.imaging import image_files, masking
from model.imaging.image_files import ImageSource
from model.options import (
    BAKED_OPTIONS,
    DEFAULT_DPI,
    MIN_SIDE,
    OPTIONS_BY_METHOD,
    Format,
    Options,
    RefineOptions,
    StylizeOptions,
    pluralise,
)
from model.pipelines import recipe_builder, recipes, refine, stylization
from model.pipelines.recipes import Recipe, RecipeLike, RecordedStyle
from model.pipelines.stylization import ModelPath, Pastiche, StylizeReport
from model.progress import OnStep
from model.style_file import StyleFile, vector_to_bytes
from model.weights import registry, style_networks

ResultT = TypeVar("ResultT", Pastiche, StylizeReport)


def rerun(
    recipe: RecipeLike,
    content: ImageSource,
    styles: Sequence[ImageSource] = (),
    masks: Sequence[ImageSource] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    start: ImageSource | None = None,
) -> Pastiche:
    """Make the picture of a recipe again: with the same photo, weights and machine, to the last pixel.

    styles, masks: needed where the recipe has only their hashes, as refinements have of their paintings; those that are
    given must be the same. start: the picture that a refinement began with, where one was given. The notes say what is
    different.

    Raises WeightsMissing for weights that are not on this machine, and InvalidOption for other paintings or masks.
    """
    recipe, content, options, masks = _prepare(recipe, content, masks)
    if isinstance(options, RefineOptions):
        pastiche = _rerun_refine(recipe, options, content, styles, masks, model_path, on_step, start)
    else:
        paint = stylization.stylize
        pastiche = _rerun_stylize(paint, recipe, options, content, styles, masks, model_path, on_step)
    notes = [*pastiche.notes, *_describe_differences(recipe, pastiche.recipe)]
    return replace(pastiche, recipe=_keep_recorded_options(recipe, pastiche.recipe), notes=notes)


def rerun_file(
    recipe: RecipeLike,
    content: ImageSource,
    output: Path,
    format: Format,
    styles: Sequence[ImageSource] = (),
    masks: Sequence[ImageSource] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> StylizeReport:
    """Rerun into a file, where a large result is never in memory as a whole; for stylizations, not refinements."""
    recipe, content, options, masks = _prepare(recipe, content, masks)
    if isinstance(options, RefineOptions):
        raise InvalidOption("This is the recipe of a refinement, which is not written piece by piece.", "picture")
    options = options.model_copy(update={"format": format})
    paint = partial(stylization.stylize_file, output=output, edit_recipe=partial(_keep_recorded_options, recipe))
    report: StylizeReport = _rerun_stylize(paint, recipe, options, content, styles, masks, model_path, on_step)
    return replace(report, notes=[*report.notes, *_describe_differences(recipe, report.recipe)])


def _prepare(
    recipe: RecipeLike, content: ImageSource, masks: Sequence[ImageSource]
) -> tuple[Recipe, ImageSource, Options, list[ImageSource]]:
    """Return the validated recipe, the photo as something that can be read twice, the options, and the masks."""
    recipe = recipes.as_recipe(recipe)
    if "frames" in (recipe.model_extra or {}):
        sentence = "This is the recipe of a clip, and only still pictures are made again from theirs."
        raise InvalidOption(sentence, "picture")
    if not isinstance(content, np.ndarray | Image.Image):
        content = image_files.read_bytes(content)
    options = _at_recipe_size(recipes.to_options(recipe), recipe, image_files.source_size(content))
    if masks and len(masks) != len(recipe.masks):
        sentence = f"This recipe has {pluralise(len(recipe.masks), 'mask')}, not {len(masks)}: give none, or all."
        raise InvalidOption(sentence, "mask")
    return recipe, content, options, [_choose_mask(recipe, number, masks) for number in range(len(recipe.masks))]


def _rerun_stylize(
    paint: Callable[..., ResultT],
    recipe: Recipe,
    options: StylizeOptions,
    content: ImageSource,
    styles: Sequence[ImageSource],
    masks: Sequence[ImageSource],
    model_path: ModelPath,
    on_step: OnStep | None,
) -> ResultT:
    _check_styles(recipe, styles, stylization.style_limit(options))
    weights = _find_weights(recipe.weights, recipe.weights_sha256, model_path)
    recorded = [source for style in recipe.styles if (source := _recorded_source(recipe, style)) is not None]
    if len(recorded) == len(recipe.styles):
        styles, options = recorded, _apply_recorded_mix(options, recipe)
    if not styles:
        sentence = (
            "This recipe has only the hashes of its styles, or of their networks: give them too, in their order; where "
            "a network was imported, its style file."
        )
        raise InvalidOption(sentence, "style")
    return paint(content, styles, options=options, model_path=weights, on_step=on_step, masks=masks)


def _recorded_source(recipe: Recipe, style: RecordedStyle) -> ImageSource | None:
    """Return the recorded vector, with the network if one painted; None where the recipe or this machine lacks it."""
    vector = style.vector_array()
    if vector is None or style.network_sha256 is None:
        return vector
    network = style_networks.find_shipped(style.network_sha256)
    if network is None:
        return None
    weights = {"weights": recipe.weights, "weights_sha256": recipe.weights_sha256}
    return StyleFile.with_network(network, name=style.name or "style", vector=vector, **weights).to_bytes()


def _apply_recorded_mix(options: StylizeOptions, recipe: Recipe) -> StylizeOptions:
    """Return options for the recorded vectors, which include brush size, colours and steady strength already."""
    changes = dict(BAKED_OPTIONS)
    if options.steady and recipe.mix:
        mixed = {"region_strengths": recipe.mix} if recipe.masks else {"strength": recipe.mix[0]}
        changes |= {"steady": False} | mixed
    return options.model_copy(update=changes)


def _rerun_refine(
    recipe: Recipe,
    options: RefineOptions,
    content: ImageSource,
    styles: Sequence[ImageSource],
    masks: Sequence[ImageSource],
    model_path: ModelPath,
    on_step: OnStep | None,
    start: ImageSource | None,
) -> Pastiche:
    if not styles:
        raise InvalidOption("A refinement keeps only the hashes of its paintings: give them, in their order.", "style")
    if start is None and (recipe.model_extra or {}).get("start") == "given":
        raise InvalidOption("This refinement began with a picture that was given: give it as start.", "start")
    _check_styles(recipe, styles, refine.painting_limit(options))
    if recipe.weights_sha256 and refine.encoder_sha256(recipe.weights) != recipe.weights_sha256:
        raise _missing_weights(recipe.weights, recipe.weights_sha256)
    if start is None and recipe.start_weights_sha256:
        model_path = _find_weights(recipe.start_weights, recipe.start_weights_sha256, model_path)
    return refine.refine(content, styles, options, start, on_step, model_path, masks=masks)


def _at_recipe_size(options: Options, recipe: Recipe, photo: tuple[int, int]) -> Options:
    """Return options that give the recipe's size, where the photo has its proportions."""
    if isinstance(options, StylizeOptions) and options.result_size(*photo) == (recipe.width, recipe.height):
        return options
    side = max(recipe.width, recipe.height)
    scale = side / max(photo)
    off = abs(photo[0] * scale - recipe.width), abs(photo[1] * scale - recipe.height)
    if side < MIN_SIDE or max(off) > 1:
        return options
    if isinstance(options, StylizeOptions) and options.print:
        return options.model_copy(update={"size": side, "print": None, "dpi": options.dpi or DEFAULT_DPI})
    return options.model_copy(update={"size": side})


def _check_styles(recipe: Recipe, styles: Sequence[ImageSource], limit: int) -> None:
    """Raise InvalidOption for paintings other than those of the recipe."""
    if styles and len(styles) != len(recipe.styles):
        sentence = f"This recipe has {pluralise(len(recipe.styles), 'style')}, not {len(styles)}: give none, or all."
        raise InvalidOption(sentence, "style")
    for number, (style, recorded) in enumerate(zip(styles, recipe.styles, strict=False), 1):
        if not _is_same_style(style, recorded, limit):
            name = f" ({recorded.name})" if recorded.name else ""
            sentence = f"Style {number}{name} is not the one that this picture was made with: give that one."
            raise InvalidOption(sentence, "style")


def _is_same_style(style: ImageSource, recorded: RecordedStyle, limit: int) -> bool:
    read = stylization.read_style(style, limit)
    if recorded.is_imported:
        return isinstance(read, StyleFile) and read.network_sha256 == recorded.network_sha256
    if stylization.is_painting(read):
        return recorded.sha256 in (None, recipe_builder.pixels_sha256(read))
    vector = read if isinstance(read, np.ndarray) else read.vector
    return recipes.matches_sha256(vector_to_bytes(vector), recorded.vector_sha256)


def _choose_mask(recipe: Recipe, number: int, given: Sequence[ImageSource]) -> ImageSource:
    """Return the recipe's mask, or the given one if it is the same; raise InvalidOption otherwise."""
    recorded = recipe.masks[number]
    if isinstance(recorded, str):
        mask: ImageSource = recorded
    elif given:
        mask = given[number]
    elif recorded.png is not None:
        mask = recipes.decode_strict_base64(recorded.png)
        image_files.peek_size(mask, "mask", most_pixels=masking.MAX_RECIPE_PNG_PIXELS)
    else:
        raise InvalidOption(f"This recipe has only the hash of mask {number + 1}: give all its masks too.", "mask")
    if not isinstance(recorded, str) and _hash_mask(mask) != recorded.sha256:
        raise InvalidOption(f"Mask {number + 1} is not the one of this recipe: give that one.", "mask")
    return mask


def _hash_mask(mask: ImageSource) -> str | None:
    pixels_or_word = masking.read(mask).pixels_or_word
    return None if isinstance(pixels_or_word, str) else masking.mask_sha256(pixels_or_word)


def _find_weights(name: str, sha256: str | None, model_path: ModelPath) -> ModelPath:
    """Find the recipe's weights on this machine; raise WeightsMissing where they are not."""
    for place in _candidate_weights(name) if model_path is None else [model_path]:
        try:
            if stylization.weights_identity(place)[1] == sha256:
                return place
        except WeightsError:
            if model_path is not None:
                raise
    raise _missing_weights(name, sha256)


def _candidate_weights(likely: str) -> Iterator[str]:
    """Yield the names of the weights on this machine, the likely one first, since each must be loaded to compare."""
    names = sorted(registry.ENTRIES, key=lambda name: name not in likely)
    return (name for name in names if registry.find(name))


def _missing_weights(name: str, sha256: str | None) -> WeightsMissing:
    digits = (sha256 or "")[: recipes.SHA256_DIGITS]
    return WeightsMissing(
        f"This picture was made with the weights '{name}' ({digits}), which are not those here: put their file into "
        "the folder named by STYLE_MODEL_DIR, or give it as model_path.",
        "model_path",
    )


def _keep_recorded_options(recipe: Recipe, new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new recipe with the options and styles of the old one."""
    old, kind = recipe.to_dict(), OPTIONS_BY_METHOD[recipe.method]
    kept = {*kind.model_fields, "styles", "mix"} - {"weights"}
    return {key: value for key, value in new.items() if key not in kept} | {k: old[k] for k in old if k in kept}


def _describe_differences(recipe: Recipe, new: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on why this is not, or may not be, the same picture."""
    if (new["width"], new["height"]) != (recipe.width, recipe.height):
        yield f"The photo has other proportions than that of the recipe, which gave {recipe.width} x {recipe.height}."
    elif recipe.content_sha256 not in (None, new.get("content_sha256")):
        yield "This is not the photo that the recipe was made with, so the result is another picture."
    if (recipe.model_extra or {}).get("ended") == "stopped" and new.get("ended") != "stopped":
        yield "The recipe is of a refinement that was stopped early; this one went on to its last step."
    others = [
        name for name, version in new.get("versions", {}).items() if recipe.versions.get(name, version) != version
    ]
    if others:
        yield f"The recipe was made with other versions of {', '.join(others)}: pixels may differ a little."
