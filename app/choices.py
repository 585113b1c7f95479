"""The photo and the styles of a request: files that were sent, or what the caller has on this server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app import current, owners
from app.failures import Missing
from app.records import Style
from app.tables import NAME_LENGTH
from model import images, vectors
from model.errors import InvalidOption
from model.vectors import StyleFile

RESULT = "result:"  # before a result's id: the photo that it was made of


@contextmanager
def still_there(field: str) -> Iterator[None]:
    """For what was there when the request began: InvalidOption where somebody has deleted it since."""
    try:
        yield
    except Missing:
        message = f"What '{field}' stood for has been deleted meanwhile. Choose another, or send it again."
        raise InvalidOption(message, field) from None


@dataclass(frozen=True)
class StyleChoice:
    name: str
    source: bytes | Path  # a picture, or a style file
    id: str | None = None  # in the library


@dataclass(frozen=True)
class Photo:
    """Of one of the caller's own results. The photo itself may be gone; then a smaller copy stands for it."""

    key: str
    copy: str
    name: str

    def read(self) -> bytes:
        try:
            return current.library().picture(self.key)
        except Missing:
            with still_there("content"):
                return current.library().picture(self.copy)


def known_style(name: str) -> Style | None:
    """By its name or id."""
    if len(name) > NAME_LENGTH:
        return None
    owner = owners.owner()
    try:
        return current.library().style(owner.id if owner else None, name)
    except Missing:
        return None


def named_style(name: str) -> Style:
    if style := known_style(name):
        return style
    raise InvalidOption("There is no style of this name. Use one from the list of styles, or send a painting.", "style")


def photo_of(reference: str) -> Photo:
    """`reference`: result:<id>."""
    owner = owners.owner()
    try:
        if owner is None:
            raise Missing("Nobody's results.")
        result = current.library().result(owner.id, reference.removeprefix(RESULT))
    except Missing:
        message = "This result is not here any more, or it is not yours. Send the photo itself."
        raise InvalidOption(message, "content") from None
    return Photo(result.order["content"], result.before, result.order["content_name"])


def of_library(style: Style, field: str = "style") -> StyleChoice:
    """A vector goes as a style file: that says which weights it is for, and the model refuses others."""
    if style.file:
        return StyleChoice(style.name, style.file, style.id)
    if style.picture:
        with still_there(field):
            return StyleChoice(style.name, current.library().picture(style.picture), style.id)
    fields = {name: getattr(style, name) for name in StyleFile.model_fields if name != "kind"}
    return StyleChoice(style.name, StyleFile.parse(**fields).to_bytes(), style.id)


def of_file(data: bytes, name: str = "") -> StyleChoice:
    """Refuses from its first bytes what is neither a picture nor a style file."""
    if vectors.looks_like_one(data):
        return StyleChoice(StyleFile.from_bytes(data).name, data)
    images.peek(data, "style")
    return StyleChoice(cleaned(name) or "Your painting", data)


def cleaned(filename: str) -> str:
    """A file's name without folders, ending, and whatever is neither letter nor digit."""
    stem = re.split(r"[/\\]", filename)[-1].rpartition(".")[0] or filename
    return re.sub(r"[\W_]+", "-", stem).strip("-")[:60]
