"""What the server must be able to do before it takes work: each is tried, not assumed."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.http.signing_keys import stored_key
from app.settings import Settings
from app.storage.library import Library

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 5.0  # that a caller waits for a check that another one is at


class Check:
    """One thing that is tried, at most once in `seconds`: anybody may ask, as often as they like."""

    def __init__(self, problem: str, seconds: float, attempt: Callable[[], None]) -> None:
        """problem: a sentence for the public, where the attempt raises."""
        self._problem = problem
        self._seconds = seconds
        self._attempt = attempt
        self._lock = threading.Lock()
        self._next_time = 0.0
        self._failed = False

    def problem(self) -> str | None:
        """Return the sentence, or None where all is well."""
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            return self._problem  # it hangs
        try:
            if time.monotonic() >= self._next_time:
                self._failed = not self._succeeds()
                self._next_time = time.monotonic() + self._seconds
        finally:
            self._lock.release()
        return self._problem if self._failed else None

    def _succeeds(self) -> bool:
        try:
            self._attempt()
        except Exception:
            _log.exception("not ready: %s", self._problem)
            return False
        return True


def storage_checks(settings: Settings, library: Library, key: str) -> list[Check]:
    """Return the checks of all that is stored. key: what cookies are signed with."""
    return [
        Check("The database cannot be written.", 1, library.check_writable),
        Check("The database is damaged.", 60, library.check_intact),
        Check("Pictures cannot be stored.", 10, library.check_store),
        Check("The disk is nearly full.", 1, lambda: _check_disks(settings)),
        Check("The key that signs cookies is lost.", 1, lambda: _check_key(settings, key)),
    ]


def problems(checks: Sequence[Check]) -> list[str]:
    """Return a sentence for each check that fails."""
    return [sentence for check in checks if (sentence := check.problem())]


def _check_disks(settings: Settings) -> None:
    for folder in (settings.data_dir, Path(tempfile.gettempdir())):  # uploads are received in the second
        free = shutil.disk_usage(folder).free
        if free < settings.free_megabytes * 1e6:
            raise OSError(
                f"{folder}: {free / 1e6:.0f} MB are free, and STYLE_FREE_MEGABYTES={settings.free_megabytes:g}"
            )


def _check_key(settings: Settings, key: str) -> None:
    if not settings.secret_key and stored_key(settings.data_dir) != key:
        raise OSError(f"{settings.data_dir} does not hold the key that this process signs with")
