"""Request -> pictures and options: the only reader of form, files and JSON."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn, TypeVar

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import MalformedRequest, UnsupportedBody
from model.errors import InvalidOption
from model.images import MAX_BYTES
from model.options import MAX_STYLES, StylizeOptions

T = TypeVar("T")
LIMITS = {
    "MAX_CONTENT_LENGTH": 70_000_000,  # a photo and a painting of 25 MB each, as base64 in JSON
    "MAX_FORM_MEMORY_SIZE": 100_000,  # bytes of text; pictures come as files
    "MAX_FORM_PARTS": 40,  # a photo, the styles, a weight for each, and the options
}
_MOST_COMMAS = 200  # in a JSON body: 8 data URLs, their weights and the options need no 50, and base64 has none
_MISSING = {
    "content": "There is no photo: add one as 'content'.",
    "style": "There is no painting: add at least one as 'style'.",
}


@dataclass(frozen=True)
class Upload:
    content: bytes
    styles: list[bytes]
    options: StylizeOptions


# A slow client costs a thread and room on the disk, and nothing that others wait for: the body is received before it
# has a place in the queue, and what is large comes into memory once it has a turn. So the number of renders bounds the
# memory, however many send. With no place free it is still read to its end: a server that answers and hangs up while a
# browser sends is taken for one that cannot be reached.
@contextmanager
def received(request: Request) -> Iterator[Callable[[], Upload]]:
    """Until the end of the block, a function that reads what was sent; the pictures are not decoded here."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")
    if request.mimetype == "multipart/form-data":
        with request:  # closes the unnamed files that hold large uploads
            options = _form_options(request)  # small, so that their mistakes are told without a wait
            yield lambda: _from_form(request, options)
    elif request.mimetype == "application/json":
        with TemporaryFile() as body:
            shutil.copyfileobj(request.stream, body)
            body.seek(0)
            yield lambda: _from_json(request, body)
    else:
        raise UnsupportedBody("Send multipart/form-data with files, or application/json with base64.")


def chosen(request: Request) -> dict[str, str]:
    """The form's text fields, to show it again as it was filled in."""
    try:
        return request.form.to_dict()
    except RequestEntityTooLarge:
        return {}


def _options(request: Request, fields: dict[str, Any]) -> StylizeOptions:
    for name in request.args:
        raise InvalidOption("Options are sent in the body, not in the address.", name)
    return StylizeOptions.parse(fields)


def _form_options(request: Request) -> StylizeOptions:
    fields: dict[str, Any] = {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}
    for name in _MISSING.keys() & fields.keys():
        raise InvalidOption(f"'{name}' must be sent as a file.", name)
    for name in request.files.keys() - _MISSING.keys():
        raise InvalidOption("Files are sent as 'content' and 'style', and as nothing else.", name)
    return _options(request, fields)


def _from_form(request: Request, options: StylizeOptions) -> Upload:
    return Upload(_only_one(_files(request, "content")), _checked(_files(request, "style"), options), options)


def _files(request: Request, name: str) -> list[bytes]:
    """A file input left empty is sent as an empty file."""
    read = (file.stream.read(MAX_BYTES + 1) for file in request.files.getlist(name))
    return [data for data in read if data] or _missing(name)


def _only_one(pictures: list[bytes]) -> bytes:
    if len(pictures) > 1:
        raise InvalidOption("Send one photo at a time as 'content'.", "content")
    return pictures[0]


def _checked(styles: list[T], options: StylizeOptions) -> list[T]:
    options.blend_weights(len(styles))
    return styles


def _from_json(request: Request, body: IO[bytes]) -> Upload:
    fields = _parse(body.read())
    content = fields.pop("content", None) or _missing("content")
    styles, weights = _styles(fields.pop("style", None) or _missing("style"))
    if weights is not None:
        if fields.get("weights") is not None:
            raise InvalidOption("Give the weights once: in 'style' or in 'weights'.", "weights")
        fields["weights"] = weights
    options = _options(request, fields)
    _checked(styles, options)
    return Upload(_picture(content, "content"), [_picture(style, "style") for style in styles], options)


def _parse(body: bytes) -> dict[str, Any]:
    if body.count(b",") > _MOST_COMMAS:  # as Python objects, [{},{},…] would take 25 times its size
        raise MalformedRequest("The JSON has more entries than a photo, paintings and options come to.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON in UTF-8, with each name once.") from None
    if not isinstance(value, dict):
        raise MalformedRequest("The JSON must be an object with 'content' and 'style'.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _styles(value: Any) -> tuple[list[Any], list[Any] | None]:
    """`value`: a picture, or a list of pictures or of {"image", "weight"} -> the pictures, the weights if any."""
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_STYLES:
        raise InvalidOption(f"Give between 1 and {MAX_STYLES} styles, not {len(entries)}.", "style")
    pairs = [_entry(entry) for entry in entries]
    weighted = any(isinstance(entry, dict) for entry in entries)
    return [image for image, _ in pairs], [weight for _, weight in pairs] if weighted else None


def _entry(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, dict):
        return entry, 1.0
    if not {"image"} <= entry.keys() <= {"image", "weight"}:
        raise InvalidOption("Each entry of 'style' has an 'image' and may have a 'weight', nothing else.", "style")
    return entry["image"], entry.get("weight", 1.0)


def _picture(value: Any, field: str) -> bytes:
    """Base64 or a data URL -> bytes. Never an address: the server fetches nothing."""
    if not isinstance(value, str):
        raise InvalidOption(f"'{field}' must be a picture as base64 or a data URL.", field)
    if value.startswith("data:"):
        return _data_url(value, field)
    try:
        return _base64(value)
    except ValueError:
        raise InvalidOption(f"'{field}' is neither base64 nor a data URL; addresses are not fetched.", field) from None


def _data_url(value: str, field: str) -> bytes:
    head, comma, data = value.partition(",")
    try:
        if not (comma and head.endswith(";base64")):
            raise ValueError(head)
        return _base64(data)
    except ValueError:
        raise MalformedRequest(f"'{field}' is a broken data URL: it must be data:image/…;base64,….", field) from None


def _base64(text: str) -> bytes:
    """ValueError on anything that is not base64; line breaks are allowed."""
    data = base64.b64decode(text.encode("ascii").translate(None, b" \t\r\n"), validate=True)
    if not data:
        raise ValueError("empty")
    return data


def _missing(name: str) -> NoReturn:
    raise InvalidOption(_MISSING[name], name)
