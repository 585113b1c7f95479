"""Bodies of requests -> fields, files and JSON, and what is in them -> bytes, with no more memory than they take."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, NoReturn, TypeAlias

from flask import Request
from werkzeug.datastructures import FileStorage

from app.failures import Busy, MalformedRequest, UnsupportedBody
from app.http import context
from app.settings import Settings
from model.errors import InvalidOption

_MAX_COMMAS = 200  # in a JSON body: 16 data URLs, their weights and the options need no 100, and base64 has none


@dataclass(frozen=True)
class FormBody:
    """By name, in the order they were sent."""

    texts: dict[str, list[str]]
    files: dict[str, list[FileStorage]]  # without the inputs left empty, which are sent as empty files


JsonBody: TypeAlias = dict[str, Any]


def size_limits(settings: Settings) -> dict[str, int]:
    """Of whole requests, as Flask's configuration."""
    return {
        "MAX_CONTENT_LENGTH": round(2.8 * settings.upload_bytes),  # a photo and a painting, as base64 in JSON
        "MAX_FORM_MEMORY_SIZE": 100_000,  # bytes of text; pictures come as files
        "MAX_FORM_PARTS": 500,  # a photo, options, and the pages' weights for each layer and style of a full library
    }


@contextmanager
def receive(request: Request) -> Iterator[FormBody | Callable[[], JsonBody]]:
    """Until the end of the block, a form; or a function that reads JSON, which may take much memory."""
    check_content_encoding(request)
    if request.mimetype == "multipart/form-data":
        with request:  # closes the unnamed files that hold large uploads
            yield _parse_form(request)
    elif request.mimetype == "application/json":
        with receive_json(request) as read:
            yield read
    else:
        raise UnsupportedBody("Send multipart/form-data with files, or application/json with base64.")


def read_file(file: FileStorage) -> bytes:
    """One byte more than may be, of what is too large."""
    return file.stream.read(context.settings().upload_bytes + 1)


def check_content_encoding(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")


@contextmanager
def receive_json(request: Request) -> Iterator[Callable[[], JsonBody]]:
    """Receives the body into a file without a name; the function reads it."""
    with TemporaryFile() as body:
        shutil.copyfileobj(request.stream, body)
        body.seek(0)
        yield lambda: _parse_json(body.read())


def decode_picture(value: Any, field: str) -> bytes:
    """Base64 or a data URL -> bytes. Never an address: the server fetches nothing."""
    if not isinstance(value, str):
        raise InvalidOption(f"'{field}' must be a picture as base64 or a data URL.", field)
    if value.startswith("data:"):
        return _decode_data_url(value, field)
    try:
        return _decode_base64(value)
    except ValueError:
        raise InvalidOption(f"'{field}' is neither base64 nor a data URL; addresses are not fetched.", field) from None


def _parse_form(request: Request) -> FormBody:
    files = {name: [file for file in sent if not _is_empty(file)] for name, sent in request.files.lists()}
    return FormBody(dict(request.form.lists()), files)


def _is_empty(file: FileStorage) -> bool:
    empty = not file.stream.read(1)
    file.stream.seek(0)
    return empty


def _parse_json(body: bytes) -> JsonBody:
    if body.count(b",") > _MAX_COMMAS:  # as Python objects, [{},{},…] would take 25 times its size
        raise MalformedRequest("The JSON has more entries than a photo, paintings and options come to.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique_fields, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON in UTF-8, with each name once.") from None
    if not isinstance(value, dict):
        raise MalformedRequest('The JSON must be an object: {"name": value, …}.')
    return value


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields := dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _decode_data_url(value: str, field: str) -> bytes:
    head, comma, data = value.partition(",")
    try:
        if not (comma and head.endswith(";base64")):
            raise ValueError(head)
        return _decode_base64(data)
    except ValueError:
        raise MalformedRequest(f"'{field}' is a broken data URL: it must be data:image/…;base64,….", field) from None


def _decode_base64(text: str) -> bytes:
    """ValueError on anything that is not base64; line breaks are allowed."""
    data = base64.b64decode(text.encode("ascii").translate(None, b" \t\r\n"), validate=True)
    if not data:
        raise ValueError("empty")
    return data


class UploadSlots:
    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def slot(self) -> Iterator[None]:
        if not self._places.acquire(timeout=context.settings().patience):
            raise Busy("The server is busy taking in other pictures. Please try again in a few seconds.")
        try:
            yield
        finally:
            self._places.release()
