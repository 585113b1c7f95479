"""The cookie that says who owns what, and the refusal of requests that other sites' pages send with it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

from app.failures import CrossSiteRequest
from app.http.signing_keys import signing_keys
from app.settings import Settings

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_COOKIE_LIFETIME = timedelta(days=365)  # since the last page that was opened


class _SessionInterface(SecureCookieSessionInterface):
    def get_cookie_name(self, app: Flask) -> str:
        """Return a name under which browsers take no cookie from a neighbour's domain, where TLS allows it."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return True over HTTPS; on one's own machine there may be none."""
        return request.is_secure


def register(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    key, *earlier_keys = signing_keys(settings)
    app.config.update(
        SECRET_KEY=key,
        SECRET_KEY_FALLBACKS=earlier_keys,
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
    """Raise CrossSiteRequest for what another site's page posts here in a visitor's name.

    Browsers say where a request comes from; programs say nothing, and have no cookie that could be misused.
    """
    if request.method in _SAFE_METHODS or (
        request.path.startswith("/api/") and invited & {"*", request.headers.get("Origin")}
    ):
        return
    fetch_site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if fetch_site:
        is_foreign = fetch_site in ("cross-site", "same-site")
    else:
        is_foreign = bool(origin) and urlsplit(origin).netloc != request.host
    if is_foreign:
        raise CrossSiteRequest("This was sent by a page of another site. Please do it on this one.")
