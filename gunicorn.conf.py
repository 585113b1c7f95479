"""How `make run` serves: gunicorn reads this file. HOST and PORT choose the address."""

import os
import sys

_host = os.environ.get("HOST", "127.0.0.1")
_port = os.environ.get("PORT", "8000")
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# Threads, not forks: a process forked after TensorFlow has computed hangs, and each process would load its own model.
# So one worker, which loads TensorFlow after its fork, and nothing loaded before.
worker_class = "gthread"
workers = 1
preload_app = False

# A slow client holds a thread, so there are many: at 16, fifty silent connections kept /healthz waiting for seconds.
# How many pictures are painted at once is the app's to say (STYLE_RENDERS); idle threads cost next to nothing.
threads = 128

# A request may take as long as its picture; this is how long the process may not show any sign of life, and importing
# TensorFlow on a slow disk is such a time.
timeout = 120
# Pictures being painted are finished before a restart.
graceful_timeout = 120

# Options travel in bodies and the only long header is a proxy's, so there is no need to buffer more.
limit_request_line = 2048
limit_request_fields = 64

# Nobody steers this process through gunicornc, and two servers of one user would share its socket.
control_socket_disable = True

SWITCH = 0.0005  # seconds until it is to be handed on, instead of 5 milliseconds


def post_worker_init(worker):
    """The port is open: the model is loaded now, and jobs that an earlier server left are painted, not at a visit."""
    from app import start_background  # not above: gunicorn reads this file before it knows where the app is

    # A picture's threads take Python's lock again and again, for a moment; whoever answers others holds on to it.
    sys.setswitchinterval(SWITCH)
    start_background(worker.wsgi)


def worker_exit(server, worker):
    """What is being painted goes back into the queue."""
    if hasattr(worker, "wsgi"):  # else the app could not be loaded
        worker.wsgi.extensions["worker"].stop()
