"""The pages for people: one form, which works with and without JavaScript."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from app import engine, errors, uploads
from app.painting import paint, preview
from app.uploads import Upload
from model.errors import StyleTransferError
from model.images import MAX_BYTES
from model.options import DEFAULT_SIDE, StylizeOptions

pages = Blueprint("pages", __name__)
_SIZES = [512, 1024, 2048, 3072]  # pixels, a choice of long sides


@pages.get("/")
def form() -> Response:
    return make_response(_index())


@pages.post("/")
def painted() -> Response:
    """The form sent without JavaScript. Both pictures are in the page that comes back: the server keeps neither."""
    try:
        with uploads.received(request) as upload:
            shown = engine.current().run(lambda: _shown(upload()))
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if errors.wants_json():
            raise
        problem = errors.describe(error)
        return errors.as_page(problem, _index(problem=problem))
    return make_response(_index(**shown))


def _shown(upload: Upload) -> dict[str, Any]:
    painting = paint(upload)
    return {"painting": painting, "before": preview(upload.content), "after": preview(painting.array)}


def _index(**more: Any) -> str:
    return render_template(
        "index.html",
        options=StylizeOptions.model_fields,
        chosen=uploads.chosen(request),
        sizes=_SIZES,
        default_side=DEFAULT_SIDE,
        max_bytes=MAX_BYTES,
        **more,
    )
