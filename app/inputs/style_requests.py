"""Requests that add a style to the library or change one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.failures import UnsupportedBody
from app.http.context import Caller
from app.inputs import bodies
from app.inputs.bodies import FormBody, JsonObject, UploadSlots
from app.inputs.picture_fields import as_list, decode_picture, peek_size, read_file
from app.inputs.references import invalid_if_deleted
from app.jobs import style_builder
from app.settings import PictureLimits
from app.storage.records import Style
from model.errors import InvalidOption
from model.style_file import CREDIT_LENGTH, LICENCE_LENGTH, NAME_LENGTH, StyleFile

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
Credit = Annotated[str, Field(max_length=CREDIT_LENGTH)]
Licence = Annotated[str, Field(max_length=LICENCE_LENGTH)]


class StyleChange(BaseModel):
    """What is to be different of one of the caller's own styles; what is left out stays."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Name | None = Field(None, description="Not yet that of another style.")
    credit: Credit | None = Field(None, description="Who made it.")
    licence: Licence | None = Field(None, description="What may be done with it.")


class NewStyle(BaseModel):
    """What is told with the paintings of a new style."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Name = Field(description="Not yet that of another style.")
    credit: Credit = Field("", description="Who made it.")
    licence: Licence = Field("", description="What may be done with it.")
    keep: Literal["picture", "vector"] = Field(
        "picture", description="vector: only its numbers are kept, not the painting; so it is with several paintings."
    )


T = TypeVar("T", bound=BaseModel)
_SLOTS = UploadSlots(2)
_MAX_CHANGE_BYTES = 20_000  # bytes of a body without pictures
_FILE_FIELDS = ("picture", "vector")
_REASONS = {  # pydantic's error types in plain words
    "extra_forbidden": "left out: there is no such field",
    "literal_error": "{expected}",
    "missing": "given",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "given",
    "string_type": "text",
    "string_unicode": "text in Unicode, without halves of characters",
}
_DEFAULT_REASON = "as /docs describes it"


@dataclass(frozen=True)
class _StyleBody:
    fields: dict[str, Any]
    files: dict[str, list[bytes]]  # picture and vector


@contextmanager
def receive(request: Request, caller: Caller) -> Iterator[Callable[[], Style]]:
    """Receive the body, refuse what a form shows at once, and yield the function that adds the style.

    That function works until the end of the block. The caller must be an owner.
    """
    with bodies.receive(request) as body:
        if isinstance(body, FormBody):
            fields = _form_fields(body)
            yield lambda: _add_style(caller, lambda: _StyleBody(fields, _read_form_files(body, caller.limits)))
        else:
            yield lambda: _add_style(caller, lambda: _read_json(body.load()))


def read_change(request: Request) -> dict[str, str]:
    """Return the texts that are to change, by their field."""
    bodies.check_content_encoding(request)
    if request.mimetype != "application/json":
        raise UnsupportedBody("Send application/json with the fields that are to change.")
    request.max_content_length = _MAX_CHANGE_BYTES
    with bodies.receive_json(request) as body:
        return parse_fields(StyleChange, body.load()).model_dump(exclude_none=True)


def parse_fields(model: type[T], fields: Mapping[str, Any]) -> T:
    """Validate the fields; raise InvalidOption with the first one at fault."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        reason = _REASONS.get(first["type"], _DEFAULT_REASON).format(**first.get("ctx", {}))
        raise InvalidOption(f"'{field}' must be {reason}.", field) from None


def _form_fields(form: FormBody) -> dict[str, Any]:
    for name in form.files.keys() - set(_FILE_FIELDS):
        raise InvalidOption("Files are sent as 'picture' or as 'vector', and as nothing else.", name)
    for name, values in form.texts.items():
        if name in _FILE_FIELDS or len(values) > 1:
            how = "as a file" if name in _FILE_FIELDS else "once"
            raise InvalidOption(f"'{name}' must be sent {how}.", name)
    return {name: text for name, [text] in form.texts.items()}


def _read_form_files(form: FormBody, limits: PictureLimits) -> dict[str, list[bytes]]:
    return {name: [read_file(file, limits) for file in form.files.get(name, [])] for name in _FILE_FIELDS}


def _read_json(fields: JsonObject) -> _StyleBody:
    files = {name: as_list(fields.pop(name, None) or []) for name in _FILE_FIELDS}
    return _StyleBody(
        fields, {name: [decode_picture(value, name) for value in values] for name, values in files.items()}
    )


def _add_style(caller: Caller, read: Callable[[], _StyleBody]) -> Style:
    with _SLOTS.slot(caller.patience):
        body = read()
        pictures, files = (body.files[name] for name in _FILE_FIELDS)
        if pictures and files:
            raise InvalidOption("Send paintings or a style file, not both.", "vector")
        with invalid_if_deleted("vector" if files else "picture"):
            if files:
                return _add_from_file(caller, files, body.fields)
            return _add_from_paintings(caller, pictures, body.fields)


def _add_from_paintings(caller: Caller, pictures: list[bytes], fields: dict[str, Any]) -> Style:
    style_builder.check_painting_count(len(pictures))
    about = parse_fields(NewStyle, fields)
    for picture in pictures:
        peek_size(picture, "picture", caller.limits)
    return style_builder.add_painting(
        caller.library, caller.engine, caller.require_owner(), pictures, **about.model_dump()
    )


def _add_from_file(caller: Caller, files: list[bytes], fields: dict[str, Any]) -> Style:
    """Add a style file; texts that are sent with it replace its own, except a form's empty ones."""
    if len(files) > 1:
        raise InvalidOption("Send one style file at a time as 'vector'.", "vector")
    given = {name: value for name, value in fields.items() if value != ""}
    texts = parse_fields(StyleChange, given).model_dump(exclude_none=True)
    file = StyleFile.from_bytes(files[0], "vector").model_copy(update=texts)
    return style_builder.add_file(caller.library, caller.engine, caller.require_owner(), file.to_bytes())
