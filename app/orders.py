"""What is to be painted, as it is written into a job: everything it takes, whatever happens to the styles it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_serializer, field_validator, model_validator

from app import gallery
from app.failures import Missing
from app.library import Library
from model.options import RefineOptions, StylizeOptions

Method = Literal["magenta", "gatys"]
Options = StylizeOptions | RefineOptions
OPTIONS: dict[Method, type[StylizeOptions] | type[RefineOptions]] = {"magenta": StylizeOptions, "gatys": RefineOptions}


class OrderStyle(BaseModel):
    """One style; `id` is what the library called it, where it may have been deleted since."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    id: str | None = None
    picture: str | None = None  # key of a picture, or of a style file
    shipped: str | None = None  # id in the gallery

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.picture is None) == (self.shipped is None):
            raise ValueError("a style is a picture of its own or one that ships")
        return self

    def source(self, library: Library) -> bytes:
        return library.picture(self.picture) if self.picture else _shipped(self.shipped)


class Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str  # key of the photo
    content_name: str  # the photo's file name, cleaned, without its ending
    styles: list[OrderStyle]
    method: Method = "magenta"
    options: Options  # of the method
    start: str | None = None  # key of the picture that a refinement begins with

    @field_validator("options", mode="plain")
    @classmethod
    def _of_method(cls, options: Any, info: ValidationInfo) -> Options:
        return OPTIONS[info.data.get("method", "magenta")].model_validate(options)

    @field_serializer("options")
    def _plain(self, options: Options) -> dict[str, Any]:
        return options.model_dump(mode="json", exclude_none=True)  # None is a default, and not to be sent

    @property
    def digest(self) -> str:
        """The same for the same order, whatever its files are called; of a pastiche as before there were methods."""
        left_out: dict[str, Any] = {"content_name": True, "styles": {"__all__": {"name": True}}}
        if self.method == "magenta":
            left_out |= {"method": True, "start": True}
        return hashlib.sha256(self.model_dump_json(exclude=left_out).encode()).hexdigest()

    def keys(self) -> Iterable[str]:
        """Of the pictures that must be there until this is painted."""
        return {key for key in (self.content, self.start, *(style.picture for style in self.styles)) if key}

    def sources(self, library: Library) -> tuple[bytes, list[bytes]]:
        """The photo and the styles, as `stylize` takes them."""
        return library.picture(self.content), [style.source(library) for style in self.styles]


def _shipped(id: str | None) -> bytes:
    for style in gallery.shipped():
        if style.id == id and style.file:
            return style.file.read_bytes()
    raise Missing("This server no longer has the style that was asked for.", "style")
