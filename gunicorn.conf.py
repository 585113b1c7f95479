"""Configuration of gunicorn, as `make run` starts it. HOST and PORT choose the address."""

import os
import socket
import struct
import sys
import time
from contextlib import suppress

from gunicorn.errors import AppImportError
from gunicorn.http.body import Body, LengthReader

_host = os.environ.get("HOST", "127.0.0.1")
_port = os.environ.get("PORT", "8000")
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# Threads, not forks: a process forked after TensorFlow has computed hangs, and each process would load its own model.
# So one worker, which loads TensorFlow after its fork, and nothing loaded before.
worker_class = "gthread"
workers = 1
preload_app = False

# A slow client holds a thread, so there are many: at 16, fifty silent connections kept /healthz waiting for seconds.
# The app itself limits how many pictures are painted at once (STYLE_RENDERS); idle threads cost next to nothing.
threads = 128

# Not of a request, which takes as long as its picture, but of the process without a heartbeat, as while it imports
# TensorFlow from a slow disk.
timeout = 120
# Pictures being painted are finished before a restart; it waits for an upload that stalls only STALL_SECONDS.
graceful_timeout = 120
STALL_SECONDS = 20  # between two pieces of a body
DRAIN_SECONDS = 5  # in which a client that was refused may finish sending

# No header says where the app is mounted, who sent a request or whether it came by TLS: anybody could send it, and
# gunicorn would believe whoever sits on this machine. X-Forwarded-… is read by the app alone, as STYLE_PROXIES says.
# Where the app is mounted below a path, the environment's own SCRIPT_NAME tells it.
forwarder_headers = ""
forwarded_allow_ips = ""
secure_scheme_headers = {}

# Options are sent in bodies, and the only long header is a proxy's.
limit_request_line = 2048
limit_request_fields = 64

# gunicornc is not used, and two servers of one user would share its socket.
control_socket_disable = True

SWITCH_INTERVAL = 0.0005  # seconds, instead of Python's 0.005


def post_fork(server, worker):
    """Let a start that is refused say why, in its own sentence in place of a traceback."""
    load = worker.load_wsgi

    def load_or_say_why():
        try:
            load()
        except ValueError as error:
            from app.failures import CannotStart  # not above: gunicorn reads this file before it knows where the app is

            if isinstance(error, CannotStart):
                raise AppImportError(str(error)) from None
            raise

    worker.load_wsgi = load_or_say_why


def pre_request(worker, req):
    """Wait for no piece of a body for ever: not until a client comes back, nor when told to stop."""
    # Of the kernel, as gunicorn sets Python's own time-out anew for each request; and not of what is sent.
    req.unreader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALL_SECONDS, 0))
    req.body.request = req


def post_request(worker, req, environ, resp):
    """Take in what a client that was refused still sends, for a while: else it may not get to read why."""
    if req.must_close and not req.body.failed:
        with suppress(OSError):  # it has gone
            _drain(req, time.monotonic() + DRAIN_SECONDS)


def _drain(req, deadline):
    while _is_unread(req.body) and (left := deadline - time.monotonic()) > 0:
        req.unreader.sock.settimeout(left)
        req.body.read(1 << 16)


def _closing_after_refusals(app):
    """Let answers that refuse a body before its end say that the connection ends with them."""

    def closing(environ, start_response):
        def start(status, headers, exc_info=None):
            body = environ["wsgi.input"]
            is_ours = isinstance(body, Body)  # a test's client has another kind
            if is_ours and status >= "400" and (body.failed or _is_unread(body)):
                body.request.force_close()
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return closing


def _is_unread(body):
    if isinstance(body.reader, LengthReader):
        return body.reader.length > 0
    return getattr(body.reader, "parser", None) is not None  # in chunks


def post_worker_init(worker):
    """Load the model and start the worker now that the port is open, rather than at the first request."""
    from app import start_background  # not above, either

    # Painting takes Python's lock often and briefly; threads that answer other requests must not keep it for long.
    sys.setswitchinterval(SWITCH_INTERVAL)
    worker.wsgi.extensions["is_stopping"] = lambda: not worker.alive
    worker.wsgi.wsgi_app = _closing_after_refusals(worker.wsgi.wsgi_app)
    start_background(worker.wsgi)


def worker_exit(server, worker):
    """Give the jobs that are being painted back to the queue."""
    if hasattr(worker, "wsgi"):  # else the app could not be loaded
        worker.wsgi.extensions["worker"].stop()
