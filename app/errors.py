"""Exception -> status, code and a sentence for the public; JSON for programs, a page for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from model.errors import (
    BrokenImage,
    DeviceUnavailable,
    ImageTooLarge,
    InvalidOption,
    StyleTransferError,
    UnsupportedImage,
    WeightsError,
)


class MalformedRequest(StyleTransferError):
    """The body cannot be read as what it says it is."""


class UnsupportedBody(StyleTransferError):
    """The body is of a kind that this interface does not take."""


class Busy(StyleTransferError):
    """More requests than the server takes at once."""


_NO_MODEL = "The model is not available on this server at the moment."
# None: the exception's own sentence is fit for the public.
_LIBRARY: dict[type[Exception], tuple[int, str, str | None]] = {
    InvalidOption: (422, "invalid_option", None),
    BrokenImage: (422, "broken_image", None),
    UnsupportedImage: (415, "unsupported_image", None),
    ImageTooLarge: (413, "image_too_large", None),
    MalformedRequest: (400, "malformed_request", None),
    UnsupportedBody: (415, "unsupported_body", None),
    Busy: (503, "busy", None),
    WeightsError: (503, "model_unavailable", _NO_MODEL),
    DeviceUnavailable: (503, "model_unavailable", _NO_MODEL),
}
_HTTP = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "That is more than one request may carry. Send fewer or smaller pictures.",
}
_UNEXPECTED = "Something went wrong on the server. It has been written down; please try again."
_RETRY_AFTER = "5"  # seconds, a few pictures' worth
_LONGEST = 300  # characters of a message: some quote what was sent


@dataclass(frozen=True)
class Problem:
    status: int
    code: str
    message: str
    field: str | None = None
    headers: dict[str, str] | None = None


def describe(error: Exception) -> Problem:
    """What the public may know of `error`; the rest goes to the log."""
    if isinstance(error, HTTPException):
        return _of_http(error)
    row = next((_LIBRARY[kind] for kind in type(error).__mro__ if kind in _LIBRARY), None)
    if row is None or row[2] is not None:
        current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    status, code, sentence = row or (500, "internal_error", _UNEXPECTED)
    field: str | None = None if sentence else getattr(error, "field", None)
    message = sentence or str(error).removeprefix(f"{field}: ")  # the answer names the field beside the sentence
    headers = {"Retry-After": _RETRY_AFTER} if status == 503 else None
    return Problem(status, code, _shortened(message[:1].upper() + message[1:]), field and _shortened(field), headers)


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    message = _HTTP.get(status) or error.description or error.name
    return Problem(status, error.name.lower().replace(" ", "_"), _shortened(message), None, headers)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def wants_json() -> bool:
    kinds = ["text/html", "application/json"]
    return request.path.startswith("/api/") or request.accept_mimetypes.best_match(kinds) == "application/json"


def as_json(problem: Problem) -> Response:
    body: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.field:
        body["field"] = problem.field
    return _with_status(jsonify(error=body), problem)


def as_page(problem: Problem, html: str) -> Response:
    return _with_status(make_response(html), problem)


def _with_status(response: Response, problem: Problem) -> Response:
    response.status_code = problem.status
    response.headers.update(problem.headers or {})
    return response


def _answer(error: Exception) -> Response | HTTPException:
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        return error  # a redirect
    problem = describe(error)
    if wants_json():
        return as_json(problem)
    return as_page(problem, render_template("error.html", problem=problem))


def register(app: Flask) -> None:
    app.register_error_handler(Exception, _answer)
