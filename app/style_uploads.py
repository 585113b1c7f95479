"""Request -> a style in the library: the reader of the bodies that add one or change one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError

from app import bodies, choices, current, styling
from app.bodies import Form
from app.choices import still_there
from app.failures import UnsupportedBody
from app.records import Style
from app.room import Room
from app.schemas import NewStyle, StyleChange
from model.errors import InvalidOption
from model.options import MAX_STYLES
from model.vectors import StyleFile

T = TypeVar("T", bound=BaseModel)
_ROOM = Room(2)
_SMALL = 20_000  # bytes of a body without pictures
_FILES = ("picture", "vector")
_REASONS = {  # pydantic's error types in plain words
    "extra_forbidden": "left out: there is no such field",
    "literal_error": "{expected}",
    "missing": "given",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "given",
    "string_type": "text",
    "string_unicode": "text in Unicode, without halves of characters",
}
_OTHERWISE = "as /docs describes it"


@dataclass(frozen=True)
class _Sent:
    fields: dict[str, Any]
    files: dict[str, list[bytes]]  # picture and vector


@contextmanager
def received(request: Request) -> Iterator[Callable[[str], Style]]:
    """Until the end of the block, a function that adds what was sent to an owner's styles."""
    with bodies.received(request) as body:
        if isinstance(body, Form):
            fields = _fields(body)
            yield lambda owner: _add(owner, lambda: _Sent(fields, _files(body)))
        else:
            yield lambda owner: _add(owner, lambda: _from_json(body()))


def change(request: Request) -> dict[str, str]:
    """The words that are to be others."""
    bodies.check_encoding(request)
    if request.mimetype != "application/json":
        raise UnsupportedBody("Send application/json with the fields that are to change.")
    request.max_content_length = _SMALL
    with bodies.json_body(request) as body:
        return parse(StyleChange, body()).model_dump(exclude_none=True)


def parse(model: type[T], fields: Mapping[str, Any]) -> T:
    """InvalidOption names the first field at fault."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        reason = _REASONS.get(first["type"], _OTHERWISE).format(**first.get("ctx", {}))
        raise InvalidOption(f"'{field}' must be {reason}.", field) from None


def _fields(form: Form) -> dict[str, Any]:
    for name in form.files.keys() - set(_FILES):
        raise InvalidOption("Files are sent as 'picture' or as 'vector', and as nothing else.", name)
    for name, values in form.texts.items():
        if name in _FILES or len(values) > 1:
            how = "as a file" if name in _FILES else "once"
            raise InvalidOption(f"'{name}' must be sent {how}.", name)
    return {name: text for name, [text] in form.texts.items()}


def _files(form: Form) -> dict[str, list[bytes]]:
    return {name: [bodies.contents(file) for file in form.files.get(name, [])] for name in _FILES}


def _from_json(fields: dict[str, Any]) -> _Sent:
    sent = {name: fields.pop(name, None) or [] for name in _FILES}
    listed = {name: value if isinstance(value, list) else [value] for name, value in sent.items()}
    return _Sent(fields, {name: [bodies.picture(value, name) for value in values] for name, values in listed.items()})


def _add(owner: str, read: Callable[[], _Sent]) -> Style:
    with _ROOM.place():
        sent = read()
        pictures, files = (sent.files[name] for name in _FILES)
        if pictures and files:
            raise InvalidOption("Send paintings or a style file, not both.", "vector")
        with still_there("vector" if files else "picture"):
            return _add_file(owner, files, sent.fields) if files else _add_painting(owner, pictures, sent.fields)


def _add_painting(owner: str, pictures: list[bytes], fields: dict[str, Any]) -> Style:
    if not 1 <= len(pictures) <= MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} paintings as 'picture', or a 'vector'.", "picture")
    about = parse(NewStyle, fields)
    for picture in pictures:
        choices.peek(picture, "picture")
    return styling.add_painting(current.library(), current.engine(), owner, pictures, **about.model_dump())


def _add_file(owner: str, files: list[bytes], fields: dict[str, Any]) -> Style:
    """The words that come with it take the place of the file's own; a form's empty fields are none."""
    if len(files) > 1:
        raise InvalidOption("Send one style file at a time as 'vector'.", "vector")
    given = {name: value for name, value in fields.items() if value != ""}
    words = parse(StyleChange, given).model_dump(exclude_none=True)
    file = StyleFile.from_bytes(files[0], "vector").model_copy(update=words)
    return styling.add_file(current.library(), current.engine(), owner, file.to_bytes())
