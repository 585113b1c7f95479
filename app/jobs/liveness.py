"""Detection of dead workers on this machine, at once and for sure; those of other machines lose their leases."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import uuid
from functools import cache
from pathlib import Path


class Heartbeat:
    """A worker's name, and an abstract socket of that name, which the kernel removes when the process ends."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX) if _machine_id() else None
        self.name = f"{_machine_id() or 'elsewhere'}-{uuid.uuid4().hex}"
        if self._socket:
            self._socket.bind(_socket_address(self.name))

    def end(self) -> None:
        if self._socket:
            self._socket.close()


def is_dead(worker: str) -> bool:
    """Tell whether a worker has died; False also where that cannot be known."""
    machine = _machine_id()
    if machine is None or not worker.startswith(f"{machine}-"):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(_socket_address(worker))
        except OSError:
            return False
        return True


def _socket_address(name: str) -> str:
    return f"\0style-transfer/{name}"


@cache
def _machine_id() -> str | None:
    """Return a name for this boot of Linux and its network namespace, which share such sockets; None elsewhere."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        network = os.readlink("/proc/self/ns/net")
    except OSError:
        return None
    return hashlib.sha256(f"{platform.node()} {boot} {network}".encode()).hexdigest()[:16]
