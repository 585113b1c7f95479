"""The photo and the styles of a request: files that were sent, or what the caller has on this server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.failures import Missing
from app.http import context, identity
from app.jobs.order import StyleCredit
from app.storage.records import Result, Style
from app.storage.tables import NAME_LENGTH
from model import style_file
from model.errors import InvalidOption
from model.imaging import image_files
from model.options import StylizeOptions
from model.style_file import StyleFile

RESULT_PREFIX = "result:"  # before a result's id: its picture, or the photo that it was made of
JOB_PREFIX = "job:"  # before a job's id: the picture that it began with


@contextmanager
def invalid_if_deleted(field: str) -> Iterator[None]:
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
    rights: tuple[str, str] | None = None  # credit and licence; None: a painting that was sent, whose name is private

    @property
    def credit(self) -> StyleCredit:
        """What goes into the picture."""
        return (self.name, *self.rights) if self.rights else ("", "", "")


@dataclass(frozen=True)
class ResultPhoto:
    """Of one of the caller's own results. The photo itself may be gone; then a smaller copy stands for it."""

    key: str
    copy: str
    name: str

    def read(self) -> bytes:
        try:
            return context.library().picture(self.key)
        except Missing:
            with invalid_if_deleted("content"):
                return context.library().picture(self.copy)

    @property
    def available_key(self) -> str:
        """The key of what `read` reads."""
        return self.key if context.library().exists(self.key) else self.copy


def find_style(name: str) -> Style | None:
    """By its name or id."""
    if len(name) > NAME_LENGTH:
        return None
    owner = identity.owner()
    try:
        return context.library().style(owner.id if owner else None, name)
    except Missing:
        return None


def require_style(name: str) -> Style:
    if style := find_style(name):
        return style
    raise InvalidOption("There is no style of this name. Use one from the list of styles, or send a painting.", "style")


def require_result(reference: str, field: str) -> Result:
    """`reference`: result:<id>, of one of the caller's own."""
    owner = identity.owner()
    try:
        if owner is None:
            raise Missing("Nobody's results.")
        return context.library().result(owner.id, reference.removeprefix(RESULT_PREFIX))
    except Missing:
        message = "This result is not here any more, or it is not yours. Send the picture itself."
        raise InvalidOption(message, field) from None


def photo_of_result(result: Result) -> ResultPhoto:
    return ResultPhoto(result.order["content"], result.before, result.order["content_name"])


def start_reader(reference: str) -> Callable[[], bytes] | None:
    """Reads the picture to begin with; None where the reference is to neither a result's nor a job's."""
    if reference.startswith(RESULT_PREFIX):
        key = require_result(reference, "start").picture
    elif reference.startswith(JOB_PREFIX):
        key = _job_start_key(reference)
    else:
        return None

    def read() -> bytes:
        with invalid_if_deleted("start"):
            return context.library().picture(key)

    return read


def _job_start_key(reference: str) -> str:
    """The key of the picture that one of the caller's own jobs began with."""
    owner = identity.owner()
    try:
        job = context.jobs().get(reference.removeprefix(JOB_PREFIX))
        if owner is None or job.owner != owner.id or job.order.start is None:
            raise Missing("Another's, or without such a picture.")
    except Missing:
        message = "The picture that this job began with is not here any more, or it is not yours. Send it again."
        raise InvalidOption(message, "start") from None
    return job.order.start


def style_from_library(style: Style, field: str = "style") -> StyleChoice:
    """A vector goes as a style file: that says which weights it is for, and the model refuses others."""
    with invalid_if_deleted(field):
        return StyleChoice(style.name, _style_source(style), style.id, (style.credit, style.licence))


def _style_source(style: Style) -> bytes | Path:
    if style.file:
        return style.file
    if style.picture:
        return context.library().picture(style.picture)
    fields = {name: getattr(style, name) for name in StyleFile.model_fields if name != "kind"}
    return StyleFile.parse(**fields).to_bytes()


def style_from_file(data: bytes, name: str = "") -> StyleChoice:
    """Refuses from its first bytes what is neither a picture nor a style file."""
    if style_file.is_style_file(data):
        file = StyleFile.from_bytes(data)
        return StyleChoice(file.name, data, rights=(file.credit, file.licence))
    peek_size(data, "style")
    return StyleChoice(clean_filename(name) or "Your painting", data)


def peek_size(data: bytes, field: str) -> tuple[int, int]:
    """Width and height of a picture that was sent, as its header tells; refuses what this server does not take."""
    settings = context.settings()
    return image_files.peek_size(data, field, most_bytes=settings.upload_bytes, most_pixels=settings.upload_pixels)


def check_refine_styles(sources: Iterable[bytes | Path]) -> None:
    """To refine takes the pictures of all styles: InvalidOption for a style file. What ships is a picture."""
    if any(isinstance(source, bytes) and style_file.is_style_file(source) for source in sources):
        raise InvalidOption(
            "To refine, the painting itself is needed, and of this style there are only its numbers. Choose another "
            "one, or send the painting.",
            "style",
        )


def check_stylize_styles(sources: Iterable[bytes | Path], options: StylizeOptions) -> None:
    """InvalidOption for what takes a painting where there is a style file."""
    wanted = {"match_colours": options.match_colours != "none", "style_scale": options.style_scale != 1}
    if any(wanted.values()) and any(isinstance(one, bytes) and style_file.is_style_file(one) for one in sources):
        name = next(name for name, asked in wanted.items() if asked)
        sentence = (
            f"'{name}' needs the painting itself, and of this style there are only its numbers. Send the painting."
        )
        raise InvalidOption(sentence, name)


def clean_filename(filename: str) -> str:
    """A file's name without folders, ending, and whatever is neither letter nor digit."""
    stem = re.split(r"[/\\]", filename)[-1].rpartition(".")[0] or filename
    return re.sub(r"[\W_]+", "-", stem).strip("-")[:60]
