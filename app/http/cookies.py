"""The cookie by which a browser's things are its own, and what pages of other sites may not do with it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

from app.failures import CrossSiteRequest
from app.settings import Settings

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_COOKIE_LIFETIME = timedelta(days=365)  # since the last page that was opened


class _SessionInterface(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        """Over HTTPS for HTTPS alone; on one's own machine there may be none."""
        return request.is_secure


def register(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    app.config.update(
        SECRET_KEY=settings.signing_key(),
        SESSION_COOKIE_NAME="owner",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # else it goes out with every picture
        PERMANENT_SESSION_LIFETIME=_COOKIE_LIFETIME,
    )
    app.session_interface = _SessionInterface()
    invited = {origin.strip() for origin in settings.cors_origins.split(",")}
    app.before_request(lambda: _refuse_cross_site(invited))


def _refuse_cross_site(invited: set[str]) -> None:
    """A form on another site must not post here in a visitor's name, nor have them given a new one.

    Browsers say where a request comes from; programs say nothing, and have no cookie that could be misused.
    """
    if request.method in _SAFE_METHODS or (
        request.path.startswith("/api/") and invited & {"*", request.headers.get("Origin")}
    ):
        return
    told = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = told in ("cross-site", "same-site") if told else origin and urlsplit(origin).netloc != request.host
    if foreign:
        raise CrossSiteRequest("This was sent by a page of another site. Please do it on this one.")
