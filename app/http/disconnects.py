"""Detection of clients that hung up while their request waited for its turn: nothing is painted for them."""

from __future__ import annotations

import socket

from flask import has_request_context, request
from werkzeug.exceptions import ClientDisconnected


def raise_if_disconnected() -> None:
    """Raise ClientDisconnected where the client has closed the connection; only gunicorn shows its socket."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket") if has_request_context() else None
    if connection is not None and _is_closed(connection):
        raise ClientDisconnected


def _is_closed(connection: socket.socket) -> bool:
    """Return whether the other end has closed; an open connection has nothing to read, or the next request."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, ValueError):  # ValueError: one with TLS cannot be looked into
        return False
    except OSError:
        return True
