"""/api/v1/sheet: one photo in many styles, strengths and brush sizes at once, small, to choose from."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app import current, owners, uploads
from app.failures import TooLong
from app.negotiation import json_preferred
from app.painting import data_url
from app.schemas import CellAnswer, SheetAnswer
from app.uploads import SheetUpload
from model import images, sheet
from model.sheet import Sheet

api_sheets = Blueprint("api_sheets", __name__, url_prefix="/api/v1/sheet")


@api_sheets.post("")
def contact_sheet() -> Response:
    owners.owner()  # refuses a key that opens nothing
    with uploads.received_sheet(request) as upload:
        made, data, format = current.engine().run(lambda: _made(upload()))
    media_type = f"image/{format}"
    response = _as_json(made, data, format) if json_preferred(media_type) else Response(data, mimetype=media_type)
    response.headers["X-Style-Weights"] = made.weights
    response.headers["X-Style-Seconds"] = f"{made.seconds:.2f}"
    response.headers["Vary"] = "Accept"
    return response


def _made(upload: SheetUpload) -> tuple[Sheet, bytes, str]:
    """With its file, and the kind of that."""
    options = upload.options
    if upload.pixels > current.settings().sync_pixels:
        raise TooLong("This sheet takes too long to wait for: ask for fewer pictures, or a smaller 'size'.", "size")
    names = [name for name, _, _ in (style.credit for style in upload.styles)]
    made = sheet.contact_sheet(upload.content, [style.source for style in upload.styles], options, names)
    return made, images.encode(made.picture, options.format, options.quality), options.format


def _as_json(made: Sheet, data: bytes, format: str) -> Response:
    height, width = made.picture.rgb.shape[:2]
    return SheetAnswer(
        image=data_url(data, format),
        width=width,
        height=height,
        cells=[CellAnswer(**vars(cell)) for cell in made.cells],
        seconds=round(made.seconds, 3),
        weights=made.weights,
    ).response()
