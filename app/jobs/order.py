"""What a job is to paint, complete in itself: it stays valid when the styles that it names are deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_serializer, field_validator, model_validator
from pydantic_core import to_json

from app.failures import Missing
from app.storage import gallery
from app.storage.library import Library
from model.imaging.masking import MASK_WORDS
from model.options import OPTIONS_BY_METHOD, Method, Options, RefineOptions, StylizeOptions, TrainOptions

# The methods that paint step by step: their jobs have losses and checkpoints, can be paused, and do not hold up others.
REFINEMENT_METHODS: frozenset[Method] = frozenset({"gatys"})
JobMethod: TypeAlias = Method | Literal["train"]  # a job paints by a method, or trains a style's own network
TRAINING_METHOD: Literal["train"] = "train"
# Those that the fast style transfer and a refinement have in common, besides the weights of the styles and the file's
# format: what is done with the painted pixels afterwards.
SHARED_PAINTING_OPTIONS = ("keep_colours", "keep_light", "match_colours", "feather", "paint")
# Jobs are stored with the digest of their order, which tells whether a request with a known Idempotency-Key is the same
# again. So a new option must leave the digests of stored orders as they are: listed here, it counts only where it
# differs from its default.
_OPTIONS_NEWER_THAN_DIGEST: dict[type[Options], tuple[str, ...]] = {
    StylizeOptions: (
        *(*SHARED_PAINTING_OPTIONS, "steady", "style_scale", "print", "dpi"),
        *("region_styles", "region_strengths", "tiles", "network"),
    ),
    RefineOptions: SHARED_PAINTING_OPTIONS,
}


class Attribution(NamedTuple):
    """A style's name, credit and licence, as a recipe has them; empty for a painting that was sent."""

    name: str = ""
    credit: str = ""
    licence: str = ""


class OrderStyle(BaseModel):
    """One style; `id` is that of the library, which may have deleted it since."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    id: str | None = None
    picture: str | None = None  # key of a picture, or of a style file
    network: str | None = None  # key of a style file with the network that the picture was trained
    shipped: str | None = None  # id in the gallery
    rights: tuple[str, str] | None = None  # credit and licence; None: a painting that was sent, whose name is private

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        if (self.picture is None) == (self.shipped is None):
            raise ValueError("a style is a picture of its own or one that ships")
        return self

    def source(self, library: Library) -> bytes:
        return library.picture(self.picture) if self.picture else _shipped_file(self.shipped).read_bytes()

    def trained_source(self, library: Library) -> bytes | None:
        """Return the style file with the picture's own network, where it was trained one."""
        return library.picture(self.network) if self.network else None

    @property
    def attribution(self) -> Attribution:
        if self.rights:
            return Attribution(self.name, *self.rights)
        for style in gallery.shipped() if self.shipped else ():
            if style.id == self.shipped:
                return Attribution(style.name, style.credit, style.licence)
        return Attribution()


class Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str  # key of the photo
    content_name: str  # the photo's file name, cleaned, without its ending
    styles: list[OrderStyle]
    method: Method = "magenta"
    options: Options  # of the method
    start: str | None = None  # key of the picture that a refinement begins with
    masks: list[str] = []  # of each the key, or its word
    notes: list[str] = []  # come before those of the result

    @field_validator("options", mode="plain")
    @classmethod
    def _parse_options(cls, options: Any, info: ValidationInfo) -> Options:
        return OPTIONS_BY_METHOD[info.data.get("method", "magenta")].model_validate(options)

    @field_serializer("options")
    def _dump_options(self, options: Options) -> dict[str, Any]:
        return options.model_dump(mode="json", exclude_none=True)  # None is a default

    @property
    def digest(self) -> str:
        """Hash the order without names and notes; newer options count only where they differ from their defaults.

        Nor do networks count: a style is the same one before and after it was trained its own.
        """
        left_out: dict[str, Any] = {
            "content_name": True,
            "notes": True,
            "styles": {"__all__": {"name": True, "rights": True, "network": True}},
        }
        if self.method == "magenta":
            left_out |= {"method": True, "start": True}
        if not self.masks:
            left_out["masks"] = True
        dumped = self.model_dump(mode="json", exclude=left_out) | {"options": _dump_for_digest(self.options)}
        return hashlib.sha256(to_json(dumped)).hexdigest()

    def keys(self) -> Iterable[str]:
        """Return the keys of the pictures that must be kept until the job is done."""
        styles, masks = (
            (key for style in self.styles for key in (style.picture, style.network)),
            (mask for mask in self.masks if mask not in MASK_WORDS),
        )
        return {key for key in (self.content, self.start, *styles, *masks) if key}

    def read_sources(self, library: Library) -> tuple[bytes, list[bytes], list[bytes | str]]:
        """Return the photo, the styles and the masks, as `stylize` takes them."""
        styles = [style.source(library) for style in self.styles]
        masks = [mask if mask in MASK_WORDS else library.picture(mask) for mask in self.masks]
        return library.picture(self.content), styles, masks

    @property
    def attributions(self) -> list[Attribution]:
        return [style.attribution for style in self.styles]


class TrainingOrder(BaseModel):
    """A style of the library that is to get a network of its own, and the painting that this learns from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: str  # its id
    name: str
    picture: str  # key of the painting
    method: Literal["train"] = TRAINING_METHOD
    options: TrainOptions

    @field_serializer("options")
    def _dump_options(self, options: TrainOptions) -> dict[str, Any]:
        return options.model_dump(mode="json", exclude_unset=True)

    @property
    def digest(self) -> str:
        """Hash the order without the style's name, and its options as they were given."""
        return hashlib.sha256(to_json(self.model_dump(mode="json", exclude={"name"}))).hexdigest()

    def keys(self) -> Iterable[str]:
        return {self.picture}


def _dump_for_digest(options: Options) -> dict[str, Any]:
    """Dump options in their historical order; newer options only where they differ from their defaults."""
    dumped = options.model_dump(mode="json", exclude_none=True)
    newer = _OPTIONS_NEWER_THAN_DIGEST[type(options)]
    last = ("weights", "format", "quality")
    first = [name for name in dumped if name not in newer and name not in last]
    changed = [name for name in newer if name in dumped and dumped[name] != type(options).model_fields[name].default]
    return {name: dumped[name] for name in (*first, *last, *changed) if name in dumped}


def _shipped_file(id: str | None) -> Path:
    for style in gallery.shipped():
        if style.id == id and style.file:
            return style.file
    raise Missing("This server no longer has the style that was asked for.", "style")
