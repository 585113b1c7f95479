"""Who owns what a request creates: an API key, a browser by its signed cookie, or nobody."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from flask import current_app, request, session
from limits import parse_many

from app.failures import Unauthorized

_NAME_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECRET_PATTERN = re.compile(r"[!-~]{1,200}")  # what travels in a header


@dataclass(frozen=True)
class Owner:
    id: str


@dataclass(frozen=True)
class ApiKey:
    name: str
    quota: str

    @property
    def owner(self) -> Owner:
        """Derive the owner from the key's name, so that it stays the same when the secret is replaced."""
        return Owner(derive_owner_id("key", self.name))


# By the sha256 of their secrets: the time that a look-up takes says nothing of them.
ApiKeys: TypeAlias = Mapping[str, ApiKey]


def owner() -> Owner | None:
    """Return the request's owner, or None without a key and a cookie; raise Unauthorized for an unknown key."""
    if secret := _request_secret():
        return _require_key(secret).owner
    name = session.get("owner")
    return Owner(name) if name else None


def require_valid_key() -> None:
    """Raise Unauthorized for an unknown key; a request without a key is let through."""
    owner()


def owner_or_new() -> Owner:
    """Return the request's owner, or else a new one, whose cookie is set by the response."""
    if known := owner():
        session.modified = "owner" in session  # who still comes keeps what is theirs
        return known
    session["owner"] = uuid.uuid4().hex
    session.permanent = True
    return Owner(session["owner"])


def api_key() -> ApiKey | None:
    """Return the request's key, or None where it has no known one."""
    return _api_keys().get(_secret_digest(_request_secret()))


def derive_owner_id(*parts: str) -> str:
    """Hash `parts` to an owner's id."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def parse_api_keys(text: str) -> ApiKeys:
    """Parse `name:key:quota`, separated by commas or line breaks; a ValueError names the entry, never its key."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    keys: dict[str, ApiKey] = {}
    for number, entry in enumerate(entries, 1):
        name, secret, quota = _parse_entry(number, entry)
        if _secret_digest(secret) in keys or name in {known.name for known in keys.values()}:
            raise ValueError(f"STYLE_API_KEYS: entry {number} has a name or a key that another has. Use each once.")
        keys[_secret_digest(secret)] = ApiKey(name, quota)
    return keys


def _parse_entry(number: int, entry: str) -> tuple[str, str, str]:
    name, _, rest = entry.partition(":")
    secret, _, quota = rest.rpartition(":")
    try:
        if not (_NAME_PATTERN.fullmatch(name) and _SECRET_PATTERN.fullmatch(secret)):
            raise ValueError(name)
        parse_many(quota)
    except ValueError:
        raise ValueError(
            f"STYLE_API_KEYS: entry {number} must be name:key:quota, such as ann:s3cret:1000 per day."
        ) from None
    return name, secret, quota.strip()


def _request_secret() -> str:
    """Return the request's bearer token or X-API-Key, or an empty text; other kinds of Authorization are a proxy's."""
    given = request.authorization
    if given is not None and given.type == "bearer" and given.token:
        return given.token
    return request.headers.get("X-API-Key", "")


def _require_key(secret: str) -> ApiKey:
    known = _api_keys().get(_secret_digest(secret))
    if known is None:
        raise Unauthorized("This API key is not one of this server's. Check it, or send none.")
    return known


def _secret_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _api_keys() -> ApiKeys:
    keys: ApiKeys = current_app.extensions["api_keys"]
    return keys
