"""Whoever sent a request may have hung up while it waited for its turn: then nothing is painted."""

from __future__ import annotations

import socket

from flask import has_request_context, request
from werkzeug.exceptions import ClientDisconnected


def raise_if_disconnected() -> None:
    """Raises ClientDisconnected where the other end has closed the line; only gunicorn shows us the line."""
    line: socket.socket | None = request.environ.get("gunicorn.socket") if has_request_context() else None
    if line is not None and _is_closed(line):
        raise ClientDisconnected


def _is_closed(line: socket.socket) -> bool:
    """A line that is open has nothing more to read, or the next request."""
    try:
        return not line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, ValueError):  # ValueError: one with TLS cannot be looked into
        return False
    except OSError:
        return True
