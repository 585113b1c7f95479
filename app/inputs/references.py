"""What a request names instead of sending it: styles of the library, the caller's own results and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.failures import Missing
from app.http.context import Caller
from app.jobs.order import Attribution
from app.storage.library import Library
from app.storage.records import Result, Style
from model.errors import InvalidOption
from model.style_file import NAME_LENGTH, StyleFile

RESULT_PREFIX = "result:"  # before a result's id: its picture, or the photo that it was made of
JOB_PREFIX = "job:"  # before a job's id: the picture that it began with


@contextmanager
def invalid_if_deleted(field: str) -> Iterator[None]:
    """Raise InvalidOption where what was there when the request began has been deleted since."""
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
    credit_and_licence: tuple[str, str] | None = None  # None: a painting that was sent, whose name is private
    trained: bytes | None = None  # a style file with the network that the picture was trained

    @property
    def attribution(self) -> Attribution:
        return Attribution(self.name, *self.credit_and_licence) if self.credit_and_licence else Attribution()


@dataclass(frozen=True)
class ResultPhoto:
    """The photo of one of the caller's results. It may be gone; then a smaller copy stands for it."""

    key: str
    copy: str
    name: str

    @classmethod
    def of(cls, result: Result) -> ResultPhoto:
        return cls(result.order["content"], result.before, result.order["content_name"])

    def read(self, library: Library) -> bytes:
        try:
            return library.picture(self.key)
        except Missing:
            with invalid_if_deleted("content"):
                return library.picture(self.copy)

    def available_key(self, library: Library) -> str:
        """Return the key of what `read` reads."""
        return self.key if library.exists(self.key) else self.copy


def find_style(caller: Caller, name: str) -> Style | None:
    """Find a style by its name or id."""
    if len(name) > NAME_LENGTH:
        return None
    try:
        return caller.library.style(caller.owner_id, name)
    except Missing:
        return None


def require_style(caller: Caller, name: str) -> Style:
    if style := find_style(caller, name):
        return style
    raise InvalidOption("There is no style of this name. Use one from the list of styles, or send a painting.", "style")


def require_result(caller: Caller, reference: str, field: str) -> Result:
    """Return one of the caller's own results. reference: result:<id>"""
    try:
        return caller.library.result(caller.require_owner(), reference.removeprefix(RESULT_PREFIX))
    except Missing:
        message = "This result is not here any more, or it is not yours. Send the picture itself."
        raise InvalidOption(message, field) from None


def start_key(caller: Caller, reference: str) -> str | None:
    """Return the key of the picture to begin with; None for a reference to neither a result nor a job."""
    if reference.startswith(RESULT_PREFIX):
        return require_result(caller, reference, "start").picture
    return _job_start_key(caller, reference) if reference.startswith(JOB_PREFIX) else None


def _job_start_key(caller: Caller, reference: str) -> str:
    """Return the key of the picture that one of the caller's own jobs began with."""
    try:
        job = caller.jobs.get(reference.removeprefix(JOB_PREFIX))
        if caller.owner_id is None or job.owner != caller.owner_id or job.order.start is None:
            raise Missing("Another's, or without such a picture.")
    except Missing:
        message = "The picture that this job began with is not here any more, or it is not yours. Send it again."
        raise InvalidOption(message, "start") from None
    return job.order.start


def style_from_library(library: Library, style: Style, field: str = "style") -> StyleChoice:
    """Read a style; a vector becomes a style file, which says for which weights it is."""
    with invalid_if_deleted(field):
        trained = _style_file(library, style) if style.picture and style.network else None
        rights = style.credit, style.licence
        return StyleChoice(style.name, _style_source(library, style), style.id, rights, trained)


def _style_source(library: Library, style: Style) -> bytes | Path:
    if style.file:
        return style.file
    if style.picture:
        return library.picture(style.picture)
    return _style_file(library, style)


def _style_file(library: Library, style: Style) -> bytes:
    """Return the style's vector, and its network if it has one, as a style file."""
    names = ("name", "credit", "licence", "vector", "weights", "weights_sha256")
    fields = {name: getattr(style, name) for name in names}
    if style.network:
        return StyleFile.with_network(library.picture(style.network), **fields).to_bytes()
    return StyleFile.parse(**fields).to_bytes()
