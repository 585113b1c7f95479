"""/api/v1/sheet: one photo in many styles, strengths and brush sizes at once, small, to choose from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Blueprint, Response, request

from app.api import restore
from app.api.request_schemas import ForecastQuery
from app.api.response_schemas import (
    CellAnswer,
    EncoderAnswer,
    EncodersAnswer,
    ForecastAnswer,
    RecipeAnswer,
    SheetAnswer,
)
from app.failures import ExceedsSyncLimit
from app.http import context, identity
from app.http.negotiation import prefers_json
from app.inputs import bodies, stylize_request
from app.inputs.bodies import FormBody
from app.inputs.render import data_url
from app.inputs.stylize_request import SheetRequest
from model.errors import InvalidOption
from model.imaging import image_files
from model.options import PRESETS
from model.pipelines import contact_sheets, forecast
from model.pipelines import recipes as recipe_of
from model.pipelines.contact_sheets import ContactSheet
from model.refinement.encoder_registry import ENCODERS

api_encoders = Blueprint("api_encoders", __name__, url_prefix="/api/v1/encoders")


@api_encoders.get("")
def encoders() -> Response:
    identity.owner()  # refuses a key that opens nothing
    found = [EncoderAnswer.of(encoder) for encoder in ENCODERS.values()]
    return EncodersAnswer(encoders=found, presets=PRESETS).response()


api_forecasts = Blueprint("api_forecasts", __name__, url_prefix="/api/v1/forecast")
_FORECAST_LOCK = threading.Lock()  # the first one paints a little, and no second one at the same time
_FORECAST_PATIENCE = 2.0  # seconds: whoever waits holds a thread of the server


@api_forecasts.get("", endpoint="forecast")
def get_forecast() -> Response:
    identity.owner()  # refuses a key that opens nothing
    return _forecast_answer(_parse_forecast_query()).response()


def _parse_forecast_query() -> ForecastQuery:
    fields: dict[str, Any] = {name: values if len(values) > 1 else values[0] for name, values in request.args.lists()}
    for name in ("width", "height"):
        if name not in fields:
            raise InvalidOption(f"Give the {name} of the photo in pixels, as '{name}'.", name)
    return ForecastQuery.parse(fields)


def _forecast_answer(asked: ForecastQuery) -> ForecastAnswer:
    """Of what is not loaded yet, or while the trial is under way, only its size: a forecast is not worth a wait."""
    width, height = asked.result_size(asked.width, asked.height, context.settings().result_pixels)
    if context.engine().weights is None or not _FORECAST_LOCK.acquire(timeout=_FORECAST_PATIENCE):
        return ForecastAnswer(width=width, height=height, seconds=None, memory=None, disk=None, tiled=None)
    try:
        return ForecastAnswer(**vars(forecast.estimate(asked.width, asked.height, asked, asked.masks)))
    finally:
        _FORECAST_LOCK.release()


api_recipes = Blueprint("api_recipes", __name__, url_prefix="/api/v1/recipe")
_NO_PICTURE = "There is no picture: add one that was painted here, as 'picture'."


@api_recipes.post("")
def recipe() -> Response:
    owner = identity.owner()
    with bodies.receive(request) as body:
        read = _picture_from_form(body) if isinstance(body, FormBody) else lambda: _picture_from_json(body())
        restored = context.engine().run(lambda: _restore_from_picture(read(), owner.id if owner else None))
    return restored.response()


def _restore_from_picture(picture: bytes, owner: str | None) -> RecipeAnswer:
    image_files.read_bytes(picture, "picture", most_bytes=context.settings().upload_bytes)
    return restore.from_recipe(recipe_of.extract(picture), context.library().styles(owner))


def _picture_from_form(form: FormBody) -> Callable[[], bytes]:
    for name in (form.texts.keys() | form.files.keys()) - {"picture"}:
        _refuse_unknown_field(name)
    files = form.files.get("picture", [])
    if len(files) != 1:
        raise InvalidOption("Send one picture at a time as 'picture'." if files else _NO_PICTURE, "picture")
    return lambda: bodies.read_file(files[0])


def _picture_from_json(fields: dict[str, Any]) -> bytes:
    for name in fields.keys() - {"picture"}:
        _refuse_unknown_field(name)
    return bodies.decode_picture(fields["picture"], "picture") if fields.get("picture") else _refuse_missing_picture()


def _refuse_unknown_field(name: str) -> NoReturn:
    raise InvalidOption(f"'{name}' must be left out: only 'picture' is sent.", name)


def _refuse_missing_picture() -> NoReturn:
    raise InvalidOption(_NO_PICTURE, "picture")


api_sheets = Blueprint("api_sheets", __name__, url_prefix="/api/v1/sheet")


@api_sheets.post("")
def contact_sheet() -> Response:
    identity.owner()  # refuses a key that opens nothing
    with stylize_request.receive_sheet(request) as upload:
        made, data, format = context.engine().run(lambda: _paint_sheet(upload()))
    media_type = f"image/{format}"
    response = _sheet_response(made, data, format) if prefers_json(media_type) else Response(data, mimetype=media_type)
    response.headers["X-Style-Weights"] = made.weights
    response.headers["X-Style-Seconds"] = f"{made.seconds:.2f}"
    response.headers["Vary"] = "Accept"
    return response


def _paint_sheet(upload: SheetRequest) -> tuple[ContactSheet, bytes, str]:
    """With its file, and the kind of that."""
    options = upload.options
    if upload.pixels > context.settings().sync_pixels:
        raise ExceedsSyncLimit(
            "This sheet takes too long to wait for: ask for fewer pictures, or a smaller 'size'.", "size"
        )
    names = [name for name, _, _ in (style.credit for style in upload.styles)]
    made = contact_sheets.make_contact_sheet(upload.content, [style.source for style in upload.styles], options, names)
    return made, image_files.encode(made.picture, options.format, options.quality), options.format


def _sheet_response(made: ContactSheet, data: bytes, format: str) -> Response:
    height, width = made.picture.rgb.shape[:2]
    return SheetAnswer(
        image=data_url(data, format),
        width=width,
        height=height,
        cells=[CellAnswer(**vars(cell)) for cell in made.cells],
        seconds=round(made.seconds, 3),
        weights=made.weights,
    ).response()
