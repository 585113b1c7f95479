"""The bodies that /api/v1 takes, for the documentation: the options are the models that validate them; the pictures
beside them, which app/inputs reads as they arrive, are described here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.inputs.style_requests import NewStyle, StyleChange
from model.imaging.formats import OUTPUT_FORMATS
from model.options import (
    MAX_MASKS,
    MAX_STYLES,
    START_WORDS,
    LayerWeightsOption,
    Number,
    RefineOptions,
    SheetOptions,
    Start,
    StylizeOptions,
    TrainOptions,
    Whole,
    join_words,
)

_LINK_DESCRIPTION = (
    "Name or id of a stored style, or a picture as a data URL. Never an address: the server fetches nothing."
)


class OldNewStyle(BaseModel):
    """A painting to keep, in the older site's fields: with `image` or `link`. Other fields are ignored."""

    name: str | None = Field(None, description="Not yet that of another style.", min_length=1, max_length=80)
    title: str | None = Field(None, description="The same as `name`, which counts where both are sent.")
    image: str | None = Field(None, description="The painting.")
    link: str | None = Field(None, description=_LINK_DESCRIPTION)


class OldNewUpload(BaseModel):
    """A photo to paint, in the older site's fields: with `style` or `link`. Other fields are ignored."""

    image: str = Field(description="The photo.")
    style: str | None = Field(None, description="Name or id of a stored style.")
    link: str | None = Field(None, description=_LINK_DESCRIPTION)


File = Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]
_MAX_SIDE = 200_000  # pixels, of a photo's side
_STORED_STYLE = "the name or id of a stored one"
_RESULT_REFERENCE = "`result:` and the id of a result of yours"
_JOB_REFERENCE = "`job:` and the id of a job of yours that began with a picture, for that one"
_FORMAT_NAMES = join_words([format.name for format in OUTPUT_FORMATS.values()], "or")
_START_WORD = "A word: " + ", ".join(f"`{word}`" for word in START_WORDS)


def _start_schema(schema: dict[str, str]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"enum": list(START_WORDS), "type": "string"}, schema]})


class StylePicture(BaseModel):
    """One of several styles, as a picture."""

    model_config = ConfigDict(extra="forbid")

    image: str = Field(min_length=1, description="Base64 or a data URL.")
    weight: Number = Field(1.0, ge=0, le=1000, description="How much of it; only ratios count.")


class StyleName(BaseModel):
    """One of several styles, from the library."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="Name or id of a stored style.")
    weight: Number = Field(1.0, ge=0, le=1000, description="How much of it; only ratios count.")


StyleEntry = str | StylePicture | StyleName


_MASK_DESCRIPTION = (
    "Where the paint goes: a picture, white where it does, of the photo's proportions; or a word: `alpha` for the "
    "photo's own, `everywhere` for all of it. Without one the whole picture is painted; else the photo stays where "
    f"no mask is, and later masks lie on top. Up to {MAX_MASKS}"
)
MaskForm = Annotated[list[File], Field(max_length=MAX_MASKS, description=f"{_MASK_DESCRIPTION}, words before files.")]
MaskJson = Annotated[
    str | Annotated[list[str], Field(max_length=MAX_MASKS)],
    Field(description=f"{_MASK_DESCRIPTION}, as base64, data URLs and words."),
]


class StylizeForm(StylizeOptions):
    """A photo, styles and options, as the fields of a form."""

    content: File = Field(description=f"The photo; or the text {_RESULT_REFERENCE}, for its photo.")
    style: Annotated[list[File], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"The painting, or {_STORED_STYLE} as text. "
        f"May be sent up to {MAX_STYLES} times, names before files."
    )
    mask: MaskForm = []  # noqa: RUF012
    method: Literal["magenta"] = Field("magenta", description="In one go, within seconds.")


class StylizeJson(StylizeOptions):
    """A photo, styles and options, as JSON."""

    content: str = Field(min_length=1, description=f"The photo as base64 or a data URL; or {_RESULT_REFERENCE}.")
    style: str | Annotated[list[StyleEntry], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"A painting as base64 or a data URL, or {_STORED_STYLE}; "
        "or a list of those, with or without weights."
    )
    mask: MaskJson = []  # noqa: RUF012
    method: Literal["magenta"] = Field("magenta", description="In one go, within seconds.")


class SheetForm(SheetOptions):
    """A photo, styles and what of each is to be shown, as the fields of a form."""

    content: File = Field(description=f"The photo; or the text {_RESULT_REFERENCE}, for its photo.")
    style: Annotated[list[File], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"A painting, or {_STORED_STYLE} as text. May be sent up to {MAX_STYLES} times, names before files."
    )


class SheetJson(SheetOptions):
    """A photo, styles and what of each is to be shown, as JSON."""

    content: str = Field(min_length=1, description=f"The photo as base64 or a data URL; or {_RESULT_REFERENCE}.")
    style: str | Annotated[list[str], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"A painting as base64 or a data URL, or {_STORED_STYLE}; or a list of those."
    )


class RecipeForm(BaseModel):
    """A picture that was painted here, or on a server like this one."""

    model_config = ConfigDict(extra="forbid")

    picture: File = Field(description=f"As it was downloaded: {_FORMAT_NAMES}.")


class RecipeJson(BaseModel):
    """A picture that was painted here, or on a server like this one, as JSON."""

    model_config = ConfigDict(extra="forbid")

    picture: str = Field(min_length=1, description="As it was downloaded, as base64 or a data URL.")


class ForecastQuery(StylizeOptions):
    """A photo's size, and what is asked for. Whatever changes neither size nor time may be sent as well."""

    width: Annotated[Whole, Field(ge=1, le=_MAX_SIDE)] = Field(description="Of the photo, in pixels.")
    height: Annotated[Whole, Field(ge=1, le=_MAX_SIDE)] = Field(description="Of the photo, in pixels.")
    masks: Annotated[Whole, Field(ge=0, le=MAX_MASKS)] = Field(0, description="How many there will be.")


LayersText = Annotated[LayerWeightsOption, WithJsonSchema({"type": "string"})]
LayersJson = Annotated[
    LayerWeightsOption,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}},
                {"type": "array", "items": {"type": "string"}},
                {"type": "string"},
            ]
        }
    ),
]


class RefineForm(RefineOptions):
    """What is to be refined, as the fields of a form. What is left out is as the preset has it; the defaults here are
    those of the preset `balanced`."""

    content: File = Field(description=f"The photo; or the text {_RESULT_REFERENCE}, for its photo.")
    style: Annotated[list[File], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"The painting, or {_STORED_STYLE} as text, whose painting is here. "
        f"May be sent up to {MAX_STYLES} times, names before files."
    )
    mask: MaskForm = []  # noqa: RUF012
    method: Literal["gatys"] = Field(description="By optimisation: step by step, within minutes.")
    start: Annotated[Start, _start_schema({"type": "string", "format": "binary"})] = Field(
        "pastiche",
        description=f"{_START_WORD}; or a picture as a file; or the text {_RESULT_REFERENCE}, or {_JOB_REFERENCE}.",
    )
    content_layers: LayersText = Field(
        None,
        description="Where content is compared: name:weight,… from 0 to 1. Left out: where the encoder does well. Or a "
        "field for each layer, `content-layer-` and its name.",
    )
    style_layers: LayersText = Field(
        None, description="Where style is compared, likewise. Or a field for each, `style-layer-` and its name."
    )


class RefineJson(RefineOptions):
    """What is to be refined, as JSON. What is left out is as the preset has it; the defaults here are those of the
    preset `balanced`."""

    content: str = Field(min_length=1, description=f"The photo as base64 or a data URL; or {_RESULT_REFERENCE}.")
    style: str | Annotated[list[StyleEntry], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"A painting as base64 or a data URL, or {_STORED_STYLE}, whose painting is here; "
        "or a list of those, with or without weights."
    )
    mask: MaskJson = []  # noqa: RUF012
    method: Literal["gatys"] = Field(description="By optimisation: step by step, within minutes.")
    start: Annotated[Start, _start_schema({"type": "string"})] = Field(
        "pastiche",
        description=f"{_START_WORD}; or a picture as base64 or a data URL; "
        f"or {_RESULT_REFERENCE}, or {_JOB_REFERENCE}.",
    )
    content_layers: LayersJson = Field(
        None,
        description="Where content is compared: names with weights from 0 to 1, or names alone. Left out: where the "
        "encoder does well.",
    )
    style_layers: LayersJson = Field(None, description="Where style is compared, likewise.")


class PaintingForm(NewStyle):
    """A new style from a painting, or the average of several."""

    picture: Annotated[list[File], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"The painting. Up to {MAX_STYLES} of them become one style, their average."
    )


class PaintingJson(NewStyle):
    """A new style from a painting, or the average of several, as JSON."""

    picture: str | Annotated[list[str], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description="The painting as base64 or a data URL, or a list of them, which become one style, their average."
    )


class StyleFileForm(StyleChange):
    """A style from a file that was exported from a server like this one. Words sent with it replace the file's own."""

    vector: File = Field(description="The style file.")


class StyleFileJson(StyleChange):
    """A style from a file that was exported, as JSON. Words sent with it replace the file's own."""

    vector: str = Field(min_length=1, description="The style file as base64 or a data URL.")


def _train_field(name: str) -> Any:
    return TrainOptions.model_fields[name]


class TrainStyle(BaseModel):
    """How a style's own network is to be trained; with `minutes` or `seconds`, not both."""

    model_config = ConfigDict(extra="forbid")

    minutes: Number | None = Field(None, gt=0, description="Time that it may take; left out: what the server allows.")
    seconds: Number = Field(480.0, gt=0, description="The same in seconds, in place of minutes.")
    steps: Whole = _train_field("steps")
    size: Whole = _train_field("size")
    content_weight: Number = _train_field("content_weight")
    noise_weight: Number = _train_field("noise_weight")
    flat_weight: Number = _train_field("flat_weight")


class OldNewStyleForm(OldNewStyle):
    image: File | None = Field(None, description="The painting.")


class OldNewUploadForm(OldNewUpload):
    image: File = Field(description="The photo.")
