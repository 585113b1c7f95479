"""The bodies that /api/v1 takes, for the documentation: the options are the models that validate them, and the pictures
beside them, which uploads.py and style_uploads.py read as they arrive, are described here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.compat_schemas import OldNewStyle, OldNewUpload
from app.schemas import NewStyle, StyleChange
from model.options import MAX_STYLES, Number, StylizeOptions

File = Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]
_NAMED = "the name or id of a stored one"


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


Entry = str | StylePicture | StyleName


class StylizeForm(StylizeOptions):
    """A photo, styles and options, as the fields of a form."""

    content: File = Field(
        description="The photo; or the text `result:` and the id of a result of yours, for its photo."
    )
    style: Annotated[list[File], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"The painting, or {_NAMED} as text. May be sent up to {MAX_STYLES} times, names before files."
    )


class StylizeJson(StylizeOptions):
    """A photo, styles and options, as JSON."""

    content: str = Field(
        min_length=1, description="The photo as base64 or a data URL; or `result:` and the id of a result of yours."
    )
    style: str | Annotated[list[Entry], Field(min_length=1, max_length=MAX_STYLES)] = Field(
        description=f"A painting as base64 or a data URL, or {_NAMED}; or a list of those, with or without weights."
    )


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


class OldNewStyleForm(OldNewStyle):
    image: File | None = Field(None, description="The painting.")


class OldNewUploadForm(OldNewUpload):
    image: File = Field(description="The photo.")
