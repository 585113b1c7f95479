"""Bodies of requests: forms and JSON, received to disk and read with no more memory than they take."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn, TypeAlias

from flask import Request
from werkzeug.datastructures import FileStorage

from app.failures import Busy, MalformedRequest, UnsupportedBody
from app.settings import Settings

_MAX_COMMAS = 200  # in a JSON body: 16 data URLs, their weights and the options need no 100, and base64 has none


JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class FormBody:
    """A form's fields by name, in the order they were sent."""

    texts: dict[str, list[str]]
    files: dict[str, list[FileStorage]]  # without the inputs left empty, which are sent as empty files


@dataclass(frozen=True)
class JsonBody:
    """JSON that has been received, and takes no memory before it is loaded."""

    file: IO[bytes]

    def load(self) -> JsonObject:
        return _parse_json(self.file.read())


def size_limits(settings: Settings) -> dict[str, int]:
    """Return the limits of whole requests, as Flask's configuration."""
    return {
        "MAX_CONTENT_LENGTH": round(2.8 * settings.upload_bytes),  # a photo and a painting, as base64 in JSON
        "MAX_FORM_MEMORY_SIZE": 100_000,  # bytes of text; pictures come as files
        "MAX_FORM_PARTS": 500,  # a photo, options, and the pages' weights for each layer and style of a full library
    }


@contextmanager
def receive(request: Request) -> Iterator[FormBody | JsonBody]:
    """Receive the body to disk; it is there until the end of the block."""
    check_content_encoding(request)
    if request.mimetype == "multipart/form-data":
        with request:  # closes the unnamed files that hold large uploads
            yield _parse_form(request)
    elif request.mimetype == "application/json":
        with receive_json(request) as body:
            yield body
    else:
        raise UnsupportedBody("Send multipart/form-data with files, or application/json with base64.")


def check_content_encoding(request: Request) -> None:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")


@contextmanager
def receive_json(request: Request) -> Iterator[JsonBody]:
    """Receive the body into a file without a name, which is there until the end of the block."""
    with TemporaryFile() as file:
        shutil.copyfileobj(request.stream, file)
        file.seek(0)
        yield JsonBody(file)


def _parse_form(request: Request) -> FormBody:
    files = {name: [file for file in sent if not _is_empty(file)] for name, sent in request.files.lists()}
    return FormBody(dict(request.form.lists()), files)


def _is_empty(file: FileStorage) -> bool:
    empty = not file.stream.read(1)
    file.stream.seek(0)
    return empty


def _parse_json(body: bytes) -> JsonObject:
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


class UploadSlots:
    """A bound on the bodies that are in memory at a time."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def slot(self, patience: float) -> Iterator[None]:
        """Hold one of the places; raise Busy after `patience` seconds without one."""
        if not self._places.acquire(timeout=patience):
            raise Busy("The server is busy taking in other pictures. Please try again in a few seconds.")
        try:
            yield
        finally:
            self._places.release()
