"""How a pastiche was made: read back from its file, turned into options again, and done over."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model import images, regions, transfer
from model.errors import ImageError, InvalidOption, NoRecipe, StyleTransferError, WeightsError, WeightsMissing
from model.images import FileSource, ImageSource
from model.metadata import FORMAT, KEYWORD, MOST_TEXT, Embedded, find, metadata
from model.options import DPI, MAX_MASKS, MAX_STYLES, MIN_SIDE, Format, RefineOptions, StylizeOptions, counted
from model.progress import OnStep
from model.transfer import ModelPath, Pastiche, Report

__all__ = ["KEYWORD", "Embedded", "Recipe", "credited", "extract", "metadata", "options", "rerun", "rerun_file"]

KINDS = ["PNG", "JPEG", "WEBP", "TIFF"]
_LONGEST = {"name": 80, "credit": 200, "licence": 200}  # letters, as in a style file
_SHOWN = 12  # digits of a sha256

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Options: TypeAlias = StylizeOptions | RefineOptions
Given: TypeAlias = "Recipe | Mapping[str, Any]"
T = TypeVar("T", Pastiche, Report)


class _Part(BaseModel):
    """What a later version of the same format adds is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


class Style(_Part):
    weight: float = Field(1.0, ge=0, le=1000)
    sha256: Hash | None = None  # of the painting's pixels as they were looked at
    vector: str | None = None  # base64 of little-endian float32
    vector_sha256: Hash | None = None
    name: str = Field("", max_length=_LONGEST["name"])
    credit: str = Field("", max_length=_LONGEST["credit"])
    licence: str = Field("", max_length=_LONGEST["licence"])

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.vector is not None and not _matches(_decoded(self.vector), self.vector_sha256, multiple=4):
            raise ValueError("a style vector is damaged")
        return self

    def numbers(self) -> np.ndarray | None:
        """The vector as (n,) float32, where it is there."""
        return None if self.vector is None else np.frombuffer(_decoded(self.vector), "<f4")


class Drawn(_Part):
    sha256: Hash  # of the mask's lightness
    png: str | None = None  # base64

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.png is not None and not _decoded(self.png).startswith(b"\x89PNG"):
            raise ValueError("a mask is damaged")
        return self


class Recipe(_Part):
    """Beside these fields, each option by its name."""

    recipe: Annotated[int, Field(ge=1)] = FORMAT
    method: Literal["magenta", "gatys"]
    weights: str = Field(max_length=200)
    weights_sha256: Hash | None = None
    start_weights: str = Field("", max_length=200)  # of the pastiche that a refinement began with
    start_weights_sha256: Hash | None = None
    width: int = Field(ge=1, le=1_000_000)
    height: int = Field(ge=1, le=1_000_000)
    content_sha256: Hash | None = None
    styles: list[Style] = Field(min_length=1, max_length=MAX_STYLES)
    masks: list[Drawn | Literal["alpha", "everywhere"]] = Field([], max_length=MAX_MASKS)
    mix: list[Annotated[float, Field(ge=0, le=100)]] | None = None  # found for each mask, or for all
    versions: dict[str, str] = {}
    left_out: list[str] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mix is not None and len(self.mix) != max(1, len(self.masks)):
            raise ValueError("shares are missing")
        return self

    def told(self) -> dict[str, Any]:
        """As a flat dict again, without what it does not say."""
        return self.model_dump(mode="json", exclude_none=True, exclude_unset=True)


def credited(recipe: Mapping[str, Any], credits: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """With each style's name, credit and licence, in the order of the styles; empty ones change nothing."""
    if not credits:
        return dict(recipe)
    told = [_credit(*credit) for credit in credits]
    return {**recipe, "styles": [style | about for style, about in zip(recipe["styles"], told, strict=True)]}


def _credit(name: str, credit: str, licence: str) -> dict[str, str]:
    texts = {"name": name, "credit": credit, "licence": licence}
    return {key: text[: _LONGEST[key]] for key, text in texts.items() if text}


def extract(source: FileSource) -> Recipe:
    """What a PNG, JPEG, WebP or TIFF carries; only its header is read.

    Raises NoRecipe where there is none, or one that is broken or newer than this program.
    """
    try:
        with images.header(source, KINDS) as image:
            text = find(image)
    except ImageError as error:
        raise _none(str(error)) from error
    if text is None:
        raise _none("it was not made here, or lost it on its way. Use the file as it was downloaded, not a copy of it.")
    return _parsed(text)


def _parsed(text: str) -> Recipe:
    broken = "what it carries is damaged or incomplete. Use the file as it was downloaded, not a copy of it."
    if len(text) > MOST_TEXT:
        raise _none(broken)
    try:
        recipe = Recipe.model_validate_json(text)
    except ValidationError as error:
        raise _none(broken) from error
    if recipe.recipe > FORMAT:
        raise _none("it was made by a newer version of this program, which writes more than this one can read. Update.")
    try:
        options(recipe)
    except StyleTransferError as error:
        raise _none(f"one of its values is out of range. {error}") from error
    return recipe


def _none(reason: str) -> NoRecipe:
    return NoRecipe(f"This picture has no recipe: {reason}", "picture")


def options(recipe: Given) -> Options:
    """As they were asked for; InvalidOption for values that no option takes."""
    recipe = _recipe(recipe)
    kind = StylizeOptions if recipe.method == "magenta" else RefineOptions
    extra = recipe.model_extra or {}
    values = {name: extra[name] for name in kind.model_fields if name in extra and name != "weights"}
    if len(recipe.styles) > 1:
        values["weights"] = [style.weight for style in recipe.styles]
    if recipe.method == "gatys":
        values = {"size": max(recipe.width, recipe.height)} | values
        values |= {"start": "pastiche"} if values.get("start") == "given" else {}
    found: Options = kind.parse(values)
    found.blend_weights(len(recipe.styles))
    if isinstance(found, StylizeOptions):
        found.regions(len(recipe.masks), len(recipe.styles))
    return found


def _recipe(recipe: Given) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return Recipe.model_validate(recipe)
    except ValidationError as error:
        raise _none("it is no recipe, or a damaged one. Use one that was made here.") from error


def rerun(
    recipe: Given,
    content: ImageSource,
    styles: Sequence[ImageSource] = (),
    masks: Sequence[ImageSource] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    start: ImageSource | None = None,
) -> Pastiche:
    """The same again: with the same photo, weights and machine, to the last pixel. The notes say what is different.

    styles, masks: only where the recipe has no more than their hashes, as refinements have of their paintings; those
    that are given must be the same. start: the picture that a refinement began with, where that was given too.

    Raises WeightsMissing for weights that are not here, and InvalidOption for other paintings or masks.
    """
    recipe, content, chosen, drawn = _again(recipe, content, masks)
    if isinstance(chosen, RefineOptions):
        done = _refined(recipe, chosen, content, styles, drawn, model_path, on_step, start)
    else:
        done = _stylized(transfer.stylize, recipe, chosen, content, styles, drawn, model_path, on_step)
    return replace(done, recipe=_same(recipe, done.recipe), notes=[*done.notes, *_differences(recipe, done.recipe)])


def rerun_file(
    recipe: Given,
    content: ImageSource,
    output: Path,
    format: Format,
    styles: Sequence[ImageSource] = (),
    masks: Sequence[ImageSource] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> Report:
    """As `rerun`, into a file, where a large result is never in memory as a whole. For pastiches, not refinements."""
    recipe, content, chosen, drawn = _again(recipe, content, masks)
    if isinstance(chosen, RefineOptions):
        raise InvalidOption("This is the recipe of a refinement, which is not written piece by piece.", "picture")
    chosen = chosen.model_copy(update={"format": format})
    paint = partial(transfer.stylize_file, output=output, retold=partial(_same, recipe))
    done: Report = _stylized(paint, recipe, chosen, content, styles, drawn, model_path, on_step)
    return replace(done, notes=[*done.notes, *_differences(recipe, done.recipe)])


def _again(
    recipe: Given, content: ImageSource, masks: Sequence[ImageSource]
) -> tuple[Recipe, ImageSource, Options, list[ImageSource]]:
    """The recipe, the photo to be read more than once, the options for it, and the masks."""
    recipe = _recipe(recipe)
    if "frames" in (recipe.model_extra or {}):
        sentence = "This is the recipe of a clip, and only still pictures are made again from theirs."
        raise InvalidOption(sentence, "picture")
    if not isinstance(content, np.ndarray | Image.Image):
        content = images.contents(content)
    chosen = _sized(options(recipe), recipe, images.sides(content))
    if masks and len(masks) != len(recipe.masks):
        sentence = f"This recipe has {counted(len(recipe.masks), 'mask')}, not {len(masks)}: give none, or all."
        raise InvalidOption(sentence, "mask")
    return recipe, content, chosen, [_mask(recipe, number, masks) for number in range(len(recipe.masks))]


def _stylized(
    paint: Callable[..., T],
    recipe: Recipe,
    options: StylizeOptions,
    content: ImageSource,
    styles: Sequence[ImageSource],
    masks: Sequence[ImageSource],
    model_path: ModelPath,
    on_step: OnStep | None,
) -> T:
    _check_styles(recipe, styles, round(transfer.STYLE_LIMIT * max(1.0, options.style_scale)))
    weights = _weights(recipe.weights, recipe.weights_sha256, model_path)
    vectors = [vector for style in recipe.styles if (vector := style.numbers()) is not None]
    if len(vectors) == len(recipe.styles):
        styles, options = vectors, _solved(options, recipe)
    if not styles:
        raise InvalidOption("This recipe has only the hashes of its paintings: give them too, in their order.", "style")
    return paint(content, styles, options=options, model_path=weights, on_step=on_step, masks=masks)


def _solved(options: StylizeOptions, recipe: Recipe) -> StylizeOptions:
    """Vectors hold the brush size and the colours of their paintings already, the mix what steady strength came to."""
    done: dict[str, Any] = {"style_scale": 1.0, "match_colours": "none"}
    if options.steady and recipe.mix:
        mixed = {"region_strengths": recipe.mix} if recipe.masks else {"strength": recipe.mix[0]}
        done |= {"steady": False} | mixed
    return options.model_copy(update=done)


def _refined(
    recipe: Recipe,
    options: RefineOptions,
    content: ImageSource,
    styles: Sequence[ImageSource],
    masks: Sequence[ImageSource],
    model_path: ModelPath,
    on_step: OnStep | None,
    start: ImageSource | None,
) -> Pastiche:
    from model.refine import encoder_sha256, refine

    if not styles:
        raise InvalidOption("A refinement keeps only the hashes of its paintings: give them, in their order.", "style")
    if start is None and (recipe.model_extra or {}).get("start") == "given":
        raise InvalidOption("This refinement began with a picture that was given: give it as start.", "start")
    _check_styles(recipe, styles, round(options.size * max(1.0, options.style_scale)))
    if recipe.weights_sha256 and encoder_sha256(recipe.weights) != recipe.weights_sha256:
        raise _unknown(recipe.weights, recipe.weights_sha256)
    if start is None and recipe.start_weights_sha256:
        model_path = _weights(recipe.start_weights, recipe.start_weights_sha256, model_path)
    return refine(content, styles, options, start, on_step, model_path, masks=masks)


def _sized(options: Options, recipe: Recipe, photo: tuple[int, int]) -> Options:
    """At the size of the recipe, where the photo has its proportions."""
    if isinstance(options, StylizeOptions) and options.result_size(*photo) == (recipe.width, recipe.height):
        return options
    side = max(recipe.width, recipe.height)
    scale = side / max(photo)
    off = abs(photo[0] * scale - recipe.width), abs(photo[1] * scale - recipe.height)
    if side < MIN_SIDE or max(off) > 1:
        return options
    if isinstance(options, StylizeOptions) and options.print:
        return options.model_copy(update={"size": side, "print": None, "dpi": options.dpi or DPI})
    return options.model_copy(update={"size": side})


def _check_styles(recipe: Recipe, styles: Sequence[ImageSource], limit: int) -> None:
    """Raises InvalidOption for paintings other than those of the recipe."""
    if styles and len(styles) != len(recipe.styles):
        sentence = f"This recipe has {counted(len(recipe.styles), 'style')}, not {len(styles)}: give none, or all."
        raise InvalidOption(sentence, "style")
    for number, (style, told) in enumerate(zip(styles, recipe.styles, strict=False), 1):
        if not _is_same_style(style, told, limit):
            name = f" ({told.name})" if told.name else ""
            sentence = f"Style {number}{name} is not the one that this picture was made with: give that one."
            raise InvalidOption(sentence, "style")


def _is_same_style(style: ImageSource, told: Style, limit: int) -> bool:
    from model import ingredients, transfer

    readied = transfer.read_style(style, limit)
    if isinstance(readied, np.ndarray) and readied.ndim == 3:
        return told.sha256 in (None, ingredients.sha256(readied))
    vector = readied if isinstance(readied, np.ndarray) else readied.vector
    return _matches(vector.astype("<f4").tobytes(), told.vector_sha256)


def _mask(recipe: Recipe, number: int, given: Sequence[ImageSource]) -> ImageSource:
    """The mask that was given, if it is the same one, or the one that the recipe has."""
    told = recipe.masks[number]
    if isinstance(told, str):
        mask: ImageSource = told
    elif given:
        mask = given[number]
    elif told.png is not None:
        mask = _decoded(told.png)
        images.peek(mask, "mask", most_pixels=regions.KEPT_PIXELS)
    else:
        raise InvalidOption(f"This recipe has only the hash of mask {number + 1}: give all its masks too.", "mask")
    if not isinstance(told, str) and _mask_sha256(mask) != told.sha256:
        raise InvalidOption(f"Mask {number + 1} is not the one of this recipe: give that one.", "mask")
    return mask


def _mask_sha256(mask: ImageSource) -> str | None:
    light = regions.read(mask).light
    return None if isinstance(light, str) else regions.sha256(light)


def _weights(name: str, sha256: str | None, model_path: ModelPath) -> ModelPath:
    """Where these weights of a recipe are on this machine."""
    for place in _places(name) if model_path is None else [model_path]:
        try:
            if transfer.identity(place)[1] == sha256:
                return place
        except WeightsError:
            if model_path is not None:
                raise
    raise _unknown(name, sha256)


def _places(likely: str) -> Iterator[str]:
    """The most likely first, since each must be loaded to know."""
    from model import weights

    names = sorted(weights.TABLE, key=lambda name: name not in likely)
    return (name for name in names if weights.find(name))


def _unknown(name: str, sha256: str | None) -> WeightsMissing:
    digits = (sha256 or "")[:_SHOWN]
    return WeightsMissing(
        f"This picture was made with the weights '{name}' ({digits}), which are not those here: put their file into "
        "the folder named by STYLE_MODEL_DIR, or give it as model_path.",
        "model_path",
    )


def _same(recipe: Recipe, new: Mapping[str, Any]) -> dict[str, Any]:
    """The new recipe, with the options and styles as the old one has them."""
    old, kind = recipe.told(), StylizeOptions if recipe.method == "magenta" else RefineOptions
    kept = {*kind.model_fields, "styles", "mix"} - {"weights"}
    return {key: value for key, value in new.items() if key not in kept} | {k: old[k] for k in old if k in kept}


def _differences(recipe: Recipe, new: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on why this is not, or may not be, the same picture."""
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


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _matches(data: bytes, sha256: str | None, multiple: int = 1) -> bool:
    return bool(data) and len(data) % multiple == 0 and sha256 in (None, hashlib.sha256(data).hexdigest())
