"""/api/v1/forecast: size, time and memory of a picture before it is painted."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Response, request

from app.api.request_schemas import ForecastQuery
from app.api.response_schemas import ForecastAnswer
from app.http import context, identity
from app.http.context import Caller
from model.errors import InvalidOption

blueprint = Blueprint("api_forecasts", __name__, url_prefix="/api/v1/forecast")
_LOCK = threading.Lock()  # the first forecast paints a little, and no second one at the same time
_PATIENCE = 2.0  # seconds: whoever waits holds a thread of the server


@blueprint.get("")
def forecast() -> Response:
    caller = context.for_owner(identity.owner())
    return _forecast_answer(caller, _parse_query()).response()


def _parse_query() -> ForecastQuery:
    fields: dict[str, Any] = {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()}
    for name in ("width", "height"):
        if name not in fields:
            raise InvalidOption(f"Give the {name} of the photo in pixels, as '{name}'.", name)
    return ForecastQuery.parse(fields)


def _forecast_answer(caller: Caller, query: ForecastQuery) -> ForecastAnswer:
    """Return the forecast; while the model is not loaded yet or another forecast is under way, only the size."""
    width, height = query.result_size(query.width, query.height, caller.limits.result_pixels)
    if caller.engine.weights is None or not _LOCK.acquire(timeout=_PATIENCE):
        return ForecastAnswer(width=width, height=height, seconds=None, memory=None, disk=None, tiled=None)
    try:
        estimate = caller.engine.painter.estimate(query.width, query.height, query, query.masks)
        return ForecastAnswer(**vars(estimate))
    finally:
        _LOCK.release()
