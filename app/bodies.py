"""Bodies of requests -> fields, files and JSON, and what is in them -> bytes, with no more memory than they take."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, NoReturn, TypeAlias

from flask import Request
from werkzeug.datastructures import FileStorage

from app import current
from app.failures import MalformedRequest, UnsupportedBody
from app.settings import Settings
from model.errors import InvalidOption

_MOST_COMMAS = 200  # in a JSON body: 16 data URLs, their weights and the options need no 100, and base64 has none


@dataclass(frozen=True)
class Form:
    """By name, in the order they were sent."""

    texts: dict[str, list[str]]
    files: dict[str, list[FileStorage]]  # without the inputs left empty, which are sent as empty files


Json: TypeAlias = dict[str, Any]


def limits(settings: Settings) -> dict[str, int]:
    """Of whole requests, as Flask's configuration."""
    return {
        "MAX_CONTENT_LENGTH": round(2.8 * settings.upload_bytes),  # a photo and a painting, as base64 in JSON
        "MAX_FORM_MEMORY_SIZE": 100_000,  # bytes of text; pictures come as files
        "MAX_FORM_PARTS": 500,  # a photo, options, and the pages' weights for each layer and style of a full library
    }


@contextmanager
def received(request: Request) -> Iterator[Form | Callable[[], Json]]:
    """Until the end of the block, a form; or a function that reads JSON, which may take much memory."""
    check_encoding(request)
    if request.mimetype == "multipart/form-data":
        with request:  # closes the unnamed files that hold large uploads
            yield _form(request)
    elif request.mimetype == "application/json":
        with json_body(request) as read:
            yield read
    else:
        raise UnsupportedBody("Send multipart/form-data with files, or application/json with base64.")


def contents(file: FileStorage) -> bytes:
    """One byte more than may be, of what is too large."""
    return file.stream.read(current.settings().upload_bytes + 1)


def check_encoding(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")


@contextmanager
def json_body(request: Request) -> Iterator[Callable[[], Json]]:
    """Receives the body into a file without a name; the function reads it."""
    with TemporaryFile() as body:
        shutil.copyfileobj(request.stream, body)
        body.seek(0)
        yield lambda: _parse(body.read())


def picture(value: Any, field: str) -> bytes:
    """Base64 or a data URL -> bytes. Never an address: the server fetches nothing."""
    if not isinstance(value, str):
        raise InvalidOption(f"'{field}' must be a picture as base64 or a data URL.", field)
    if value.startswith("data:"):
        return _data_url(value, field)
    try:
        return _base64(value)
    except ValueError:
        raise InvalidOption(f"'{field}' is neither base64 nor a data URL; addresses are not fetched.", field) from None


def _form(request: Request) -> Form:
    files = {name: [file for file in sent if not _is_empty(file)] for name, sent in request.files.lists()}
    return Form(dict(request.form.lists()), files)


def _is_empty(file: FileStorage) -> bool:
    empty = not file.stream.read(1)
    file.stream.seek(0)
    return empty


def _parse(body: bytes) -> Json:
    if body.count(b",") > _MOST_COMMAS:  # as Python objects, [{},{},…] would take 25 times its size
        raise MalformedRequest("The JSON has more entries than a photo, paintings and options come to.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON in UTF-8, with each name once.") from None
    if not isinstance(value, dict):
        raise MalformedRequest('The JSON must be an object: {"name": value, …}.')
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


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
