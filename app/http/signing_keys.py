"""The keys that sign cookies: those of STYLE_SECRET_KEY, or one that is made once and kept in the data folder."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.failures import CannotStart
from app.settings import Settings
from app.storage import atomic_files

_log = logging.getLogger(__name__)

_FILE_NAME = "cookie.key"
_MIN_LENGTH = 16  # characters: 64 bits even where they are only hexadecimal digits


def signing_keys(settings: Settings) -> list[str]:
    """Return the keys, the first of which signs and all of which verify; raise CannotStart where one is too short."""
    if settings.secret_key:
        return _parse_keys(settings.secret_key)
    return [_stored_or_new_key(settings.data_dir)]


def stored_key(folder: Path) -> str:
    """Return the key in the data folder; empty where there is none, raise CannotStart where it is no key."""
    file = folder / _FILE_NAME
    try:
        # A power cut may leave a new file without its content, or with zeros in its place.
        key = file.read_bytes().strip(b"\0 \t\r\n")
    except FileNotFoundError:
        return ""
    if key and (len(key) < _MIN_LENGTH or not key.isascii()):
        raise CannotStart(f"{file} holds no key of {_MIN_LENGTH} or more letters. Delete it, and a new one is made.")
    return key.decode("ascii")


def _parse_keys(text: str) -> list[str]:
    """Parse keys separated by commas; the error names a key by its place, never by its letters."""
    keys = [key.strip() for key in text.split(",")]
    for place, key in enumerate(keys, 1):
        if len(key) < _MIN_LENGTH:
            raise CannotStart(f"STYLE_SECRET_KEY: key {place} must have {_MIN_LENGTH} or more characters.")
    return keys


def _stored_or_new_key(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):  # of two processes that start at once, the second takes the first one's key
        key = stored_key(folder)
        if not key:
            if (folder / _FILE_NAME).exists():
                _log.warning("%s was empty: a new key is made, and earlier cookies are not known any more", _FILE_NAME)
            key = secrets.token_hex(32)
            atomic_files.replace(folder, _FILE_NAME, key.encode("ascii"))
    return key


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
