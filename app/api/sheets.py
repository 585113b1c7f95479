"""/api/v1/sheet: one photo in many styles, strengths and brush sizes at once, small, to choose from."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.api.response_schemas import CellAnswer, SheetAnswer
from app.failures import ExceedsSyncLimit
from app.http import context, identity
from app.http.negotiation import picture_or_json
from app.inputs import stylize_request
from app.inputs.stylize_request import SheetInputs, SyncLimitErrors
from app.inputs.synchronous_render import data_url, style_sources
from app.jobs.painter import Painter
from model.imaging import image_files
from model.imaging.formats import OUTPUT_FORMATS
from model.options import Format
from model.pipelines.contact_sheets import ContactSheet

blueprint = Blueprint("api_sheets", __name__, url_prefix="/api/v1/sheet")
_TOO_LARGE = "This sheet takes too long to wait for: ask for fewer pictures, or a smaller 'size'."


@blueprint.post("")
def contact_sheet() -> Response:
    caller = context.for_owner(identity.owner())
    sync_errors = SyncLimitErrors(too_large=ExceedsSyncLimit(_TOO_LARGE, "size"))
    with stylize_request.receive_sheet(request, caller, sync_errors) as read:
        sheet, data, format = caller.engine.run(lambda: _paint_sheet(caller.engine.painter, read()))
    picture = Response(data, mimetype=OUTPUT_FORMATS[format].media_type)
    return picture_or_json(
        picture, lambda: _sheet_answer(sheet, data, format).response(), weights=sheet.weights, seconds=sheet.seconds
    )


def _paint_sheet(painter: Painter, inputs: SheetInputs) -> tuple[ContactSheet, bytes, Format]:
    """Return the sheet, its file and the format of that."""
    options = inputs.options
    names = [style.attribution.name for style in inputs.styles]
    styles, _ = style_sources(painter, inputs.styles, options)
    sheet = painter.make_contact_sheet(inputs.content, styles, options, names)
    return sheet, image_files.encode(sheet.picture, options.format, options.quality), options.format


def _sheet_answer(sheet: ContactSheet, data: bytes, format: Format) -> SheetAnswer:
    height, width = sheet.picture.rgb.shape[:2]
    return SheetAnswer(
        image=data_url(data, format),
        width=width,
        height=height,
        cells=[CellAnswer(**vars(cell)) for cell in sheet.cells],
        seconds=round(sheet.seconds, 3),
        weights=sheet.weights,
    )
