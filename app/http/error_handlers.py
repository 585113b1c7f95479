"""Answers to requests that fail: JSON for programs, a page for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template
from werkzeug.exceptions import HTTPException, SecurityError

from app import failures
from app.failures import Busy
from app.http import negotiation

_HTTP_MESSAGES = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "That is more than one request may carry. Send fewer or smaller pictures.",
    429: "That is more than this server does for one client in such a short time. Please wait a little.",
}


@dataclass(frozen=True)
class Problem:
    status: int
    code: str
    message: str
    field: str | None = None
    headers: dict[str, str] | None = None


def describe(error: Exception) -> Problem:
    """Return what the public may know of `error`; the rest goes to the log."""
    if isinstance(error, SecurityError):
        return Problem(400, "unknown_host", "This server does not go by the name in your request.")
    if isinstance(error, HTTPException):
        return _describe_http(error)
    status = failures.status(error)
    headers = {"Retry-After": str(getattr(error, "retry_after", Busy.retry_after))} if status == 503 else None
    return Problem(status, **failures.public_error(error), headers=headers)


def _describe_http(error: HTTPException) -> Problem:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    message = _HTTP_MESSAGES.get(status) or error.description or error.name
    return Problem(status, error.name.lower().replace(" ", "_"), failures.shorten(message), None, headers)


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


def _handle(error: Exception) -> Response | HTTPException:
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        return error  # a redirect
    problem = describe(error)
    # Without a name of the site's own, no page with its links can be built.
    if negotiation.wants_json() or isinstance(error, SecurityError):
        return as_json(problem)
    return as_page(problem, render_template("error.html", problem=problem))


def register(app: Flask) -> None:
    app.register_error_handler(Exception, _handle)
