"""Recipes: their schema, read back from a result's file and turned into options again."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.errors import ImageError, NoRecipe, StyleTransferError
from model.imaging import image_files
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.image_files import FileSource
from model.imaging.metadata import MAX_TEXT_BYTES, RECIPE_VERSION, find_recipe
from model.options import MAX_MASKS, MAX_STYLES, OPTIONS_BY_METHOD, Method, Options, StylizeOptions
from model.style_file import CREDIT_LENGTH, LICENCE_LENGTH, MAX_LENGTHS, NAME_LENGTH, vector_from_bytes

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
RecipeLike: TypeAlias = "Recipe | Mapping[str, Any]"

SHA256_DIGITS = 12  # of the weights' hash, in messages
_PILLOW_NAMES = [format.pillow_name for format in OUTPUT_FORMATS.values()]  # of the files that carry recipes


class _RecipePart(BaseModel):
    """A model that keeps unknown fields, so that a recipe of a later version of this schema is not cut short."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


class RecordedStyle(_RecipePart):
    weight: float = Field(1.0, ge=0, le=1000)
    sha256: Sha256 | None = None  # of the painting's pixels as they were looked at
    vector: str | None = None  # base64 of little-endian float32
    vector_sha256: Sha256 | None = None
    network_sha256: Sha256 | None = None  # of the file of the style's own network, which painted
    name: str = Field("", max_length=NAME_LENGTH)
    credit: str = Field("", max_length=CREDIT_LENGTH)
    licence: str = Field("", max_length=LICENCE_LENGTH)

    @model_validator(mode="after")
    def _check_vector(self) -> Self:
        if self.vector is not None and not matches_sha256(
            decode_strict_base64(self.vector), self.vector_sha256, multiple=4
        ):
            raise ValueError("a style vector is damaged")
        return self

    @property
    def is_imported(self) -> bool:
        """Tell whether an imported network painted, of which a recipe has nothing but the hash."""
        return self.network_sha256 is not None and self.vector_sha256 is None

    def vector_array(self) -> np.ndarray | None:
        """Return the vector as (n,) float32; None where the recipe has only its hash."""
        return None if self.vector is None else vector_from_bytes(decode_strict_base64(self.vector))


class RecordedMask(_RecipePart):
    sha256: Sha256  # of the mask's lightness
    png: str | None = None  # base64

    @model_validator(mode="after")
    def _check_png(self) -> Self:
        if self.png is not None and not decode_strict_base64(self.png).startswith(b"\x89PNG"):
            raise ValueError("a mask is damaged")
        return self


class Recipe(_RecipePart):
    """A recipe. The options of its method are fields of it too, by their names: see `to_options`."""

    recipe: Annotated[int, Field(ge=1)] = RECIPE_VERSION
    method: Method
    weights: str = Field(max_length=200)
    weights_sha256: Sha256 | None = None
    start_weights: str = Field("", max_length=200)  # of the pastiche that a refinement began with
    start_weights_sha256: Sha256 | None = None
    width: int = Field(ge=1, le=1_000_000)
    height: int = Field(ge=1, le=1_000_000)
    content_sha256: Sha256 | None = None
    styles: list[RecordedStyle] = Field(min_length=1, max_length=MAX_STYLES)
    masks: list[RecordedMask | Literal["alpha", "everywhere"]] = Field([], max_length=MAX_MASKS)
    mix: list[Annotated[float, Field(ge=0, le=100)]] | None = None  # what steady strength came to
    versions: dict[str, str] = {}
    left_out: list[str] = []

    @model_validator(mode="after")
    def _check_mix(self) -> Self:
        if self.mix is not None and len(self.mix) != max(1, len(self.masks)):
            raise ValueError("shares are missing")
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the flat dict that the recipe was read from, without fields that it does not have."""
        return self.model_dump(mode="json", exclude_none=True, exclude_unset=True)


def with_credits(recipe: Mapping[str, Any], credits: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the recipe with each style's name, credit and licence, in their order; empty ones add nothing."""
    if not credits:
        return dict(recipe)
    fields = [_credit_fields(*credit) for credit in credits]
    return {**recipe, "styles": [style | about for style, about in zip(recipe["styles"], fields, strict=True)]}


def _credit_fields(name: str, credit: str, licence: str) -> dict[str, str]:
    texts = {"name": name, "credit": credit, "licence": licence}
    return {key: text[: MAX_LENGTHS[key]] for key, text in texts.items() if text}


def extract(source: FileSource) -> Recipe:
    """Read the recipe that a PNG, JPEG, WebP or TIFF carries; only its header is read.

    Raises NoRecipe where there is none, or one that is broken or newer than this program.
    """
    try:
        with image_files.open_header(source, _PILLOW_NAMES) as image:
            text = find_recipe(image)
    except ImageError as error:
        raise _no_recipe(str(error)) from error
    if text is None:
        raise _no_recipe(
            "it was not made here, or lost it on its way. Use the file as it was downloaded, not a copy of it."
        )
    return _parse_text(text)


def _parse_text(text: str) -> Recipe:
    broken = "what it carries is damaged or incomplete. Use the file as it was downloaded, not a copy of it."
    if len(text) > MAX_TEXT_BYTES:
        raise _no_recipe(broken)
    try:
        recipe = Recipe.model_validate_json(text)
    except ValidationError as error:
        raise _no_recipe(broken) from error
    if recipe.recipe > RECIPE_VERSION:
        raise _no_recipe(
            "it was made by a newer version of this program, which writes more than this one can read. Update."
        )
    try:
        to_options(recipe)
    except StyleTransferError as error:
        raise _no_recipe(f"one of its values is out of range. {error}") from error
    return recipe


def _no_recipe(reason: str) -> NoRecipe:
    return NoRecipe(f"This picture has no recipe: {reason}", "picture")


def to_options(recipe: RecipeLike) -> Options:
    """Return the options as they were asked for; raise InvalidOption for values that no option takes."""
    recipe = as_recipe(recipe)
    kind = OPTIONS_BY_METHOD[recipe.method]
    extra = recipe.model_extra or {}
    values = {name: extra[name] for name in kind.model_fields if name in extra and name != "weights"}
    if len(recipe.styles) > 1:
        values["weights"] = [style.weight for style in recipe.styles]
    if recipe.method == "gatys":
        values = {"size": max(recipe.width, recipe.height)} | values
        values |= {"start": "pastiche"} if values.get("start") == "given" else {}
    options: Options = kind.parse(values)
    options.blend_weights(len(recipe.styles))
    if isinstance(options, StylizeOptions):
        options.resolve_regions(len(recipe.masks), len(recipe.styles))
    return options


def as_recipe(recipe: RecipeLike) -> Recipe:
    """Validate a mapping; raise NoRecipe for what is none."""
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return Recipe.model_validate(recipe)
    except ValidationError as error:
        raise _no_recipe("it is no recipe, or a damaged one. Use one that was made here.") from error


def decode_strict_base64(text: str) -> bytes:
    """Decode strict base64; raise ValueError for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def matches_sha256(data: bytes, sha256: str | None, multiple: int = 1) -> bool:
    """Tell whether data is there, of a length that is a multiple, and has this hash; None matches any."""
    return bool(data) and len(data) % multiple == 0 and sha256 in (None, hashlib.sha256(data).hexdigest())
