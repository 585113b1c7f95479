"""Rate limits of one client, and the other sites whose pages may use the API."""

from __future__ import annotations

import time
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, request
from flask_cors import CORS
from flask_limiter import Limit, Limiter
from flask_limiter.util import get_remote_address
from limits import parse_many

from app.http import context, identity
from app.settings import Settings

_VIEW_RATE = "300 per minute"  # many more than somebody looks at
_RENDERING_ENDPOINTS = (  # endpoints whose answers take a painter's turn, most of the time
    *("api_jobs.job_result", "api_styles.vector"),
    *("results.picture", "results.shown", "styles.vector"),
)
_FORECAST_ENDPOINT = "api_forecasts.forecast"
_FORECAST_RATE = "600 per minute"  # one for each stop of a slider, and more
_TRAINING_ENDPOINTS = ("api_styles.train_network", "styles.train_network")
_TRAINING_RATE = "20 per hour"  # they take minutes each; besides, one counts as a picture
_FREE_SUFFIXES = ("/cancel", "/delete", "/pause", "/explore/preset", "/explore/encoder")  # ends of addresses
_EXPOSED_HEADERS = ["Location", "Retry-After", "X-Style-Weights", "X-Style-Seconds"]


def register(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    app.extensions["api_keys"] = identity.parse_api_keys(settings.api_keys)
    _check_rate(settings.rate_limit)
    _add_limiter(app, settings.queue_url if settings.queue_url.startswith("redis") else "memory://")
    if settings.cors_origins:
        CORS(app, resources=r"/api/*", origins=_parse_origins(settings.cors_origins), expose_headers=_EXPOSED_HEADERS)


def _add_limiter(app: Flask, storage: str) -> None:
    pictures = Limit(_picture_rate, key_function=_client_id, scope="pictures", shared=True, exempt_when=_is_free)
    views = Limit(
        _view_rate,
        key_function=_client_id,
        scope="looks",
        shared=True,
        exempt_when=lambda: request.endpoint not in _RENDERING_ENDPOINTS or request.method == "OPTIONS",
        deduct_when=_was_rendered,
    )
    forecasts = Limit(
        lambda: _FORECAST_RATE if _picture_rate() else "",
        key_function=_client_id,
        scope="forecasts",
        shared=True,
        exempt_when=lambda: request.endpoint != _FORECAST_ENDPOINT or request.method == "OPTIONS",
    )
    trainings = Limit(
        lambda: _TRAINING_RATE if _picture_rate() else "",
        key_function=_client_id,
        scope="trainings",
        shared=True,
        exempt_when=lambda: request.endpoint not in _TRAINING_ENDPOINTS or request.method == "OPTIONS",
    )
    limiter = Limiter(
        get_remote_address,
        default_limits=[pictures, views, forecasts, trainings],
        storage_uri=storage,
        in_memory_fallback_enabled=True,  # without its Redis the server counts by itself
    )
    limiter.init_app(app)

    @app.after_request
    def set_retry_after(response: Response) -> Response:
        # The extension's own header would come with every answer and speak of the quota's end, not of this refusal's.
        if (limit := limiter.current_limit) and limit.breached:
            response.headers["Retry-After"] = str(max(1, round(limit.reset_at - time.time())))
        return response


def _is_free() -> bool:
    """Return whether the request counts against no limit: only what paints or stores does."""
    return request.method not in ("POST", "PATCH") or request.path.endswith(_FREE_SUFFIXES)


def _was_rendered(response: Response) -> bool:
    """Return whether the answer took a turn; a stored picture is a PNG, and goes out as it is."""
    return response.status_code == 200 and response.mimetype != "image/png"


def _client_id() -> str:
    """Return whom a request counts for: its key, or its address where it has no known key."""
    key = identity.api_key()
    return f"key {key.name}" if key else f"address {client_address()}"


def client_address() -> str:
    """Return the client's address; of IPv6 its network, as who has one address has all 2**64 of it."""
    given = get_remote_address()
    try:
        parsed = ip_address(given)
    except ValueError:  # what a proxy says may be anything
        return given
    if not isinstance(parsed, IPv6Address):
        return given
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def _picture_rate() -> str:
    key = identity.api_key()
    return key.quota if key else context.settings().rate_limit


def _view_rate() -> str:
    return _VIEW_RATE if _picture_rate() else ""


def _check_rate(rate: str) -> None:
    try:
        if rate:
            parse_many(rate)
    except ValueError:
        raise ValueError(f"STYLE_RATE_LIMIT={rate!r}: give a number and a time, such as 600 per minute.") from None


def _parse_origins(text: str) -> list[str]:
    return [origin.strip().rstrip("/") for origin in text.split(",") if origin.strip()]
