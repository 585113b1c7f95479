"""/api/v1/forecast: how large a picture would become, and what painting it would take."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Response, request

from app import current, owners
from app.request_schemas import ForecastQuery
from app.schemas import ForecastAnswer
from model import forecast
from model.errors import InvalidOption

api_forecasts = Blueprint("api_forecasts", __name__, url_prefix="/api/v1/forecast")
_TRIAL = threading.Lock()  # the first one paints a little, and no second one at the same time
_PATIENCE = 2.0  # seconds: whoever waits holds a thread of the server


@api_forecasts.get("", endpoint="forecast")
def foretell() -> Response:
    owners.owner()  # refuses a key that opens nothing
    return _told(_asked()).response()


def _asked() -> ForecastQuery:
    fields: dict[str, Any] = {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()}
    for name in ("width", "height"):
        if name not in fields:
            raise InvalidOption(f"Give the {name} of the photo in pixels, as '{name}'.", name)
    return ForecastQuery.parse(fields)


def _told(asked: ForecastQuery) -> ForecastAnswer:
    """Of what is not loaded yet, or while the trial is under way, only its size: a forecast is not worth a wait."""
    width, height = asked.result_size(asked.width, asked.height, current.settings().result_pixels)
    if current.engine().weights is None or not _TRIAL.acquire(timeout=_PATIENCE):
        return ForecastAnswer(width=width, height=height, seconds=None, memory=None, disk=None, tiled=None)
    try:
        return ForecastAnswer(**vars(forecast.forecast(asked.width, asked.height, asked, asked.masks)))
    finally:
        _TRIAL.release()
