"""/api/v1/styles: the styles that ship, and the caller's own."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from app import current, owners, style_uploads, styling
from app.failures import Missing
from app.records import Style
from app.schemas import StyleAnswer, StylesAnswer
from model.vectors import MEDIA_TYPE, SUFFIX

api_styles = Blueprint("api_styles", __name__, url_prefix="/api/v1/styles")


@api_styles.get("")
def styles() -> Response:
    owner = owners.owner()
    found = current.library().styles(owner.id if owner else None)
    return StylesAnswer(styles=[StyleAnswer.of(style) for style in found]).response()


@api_styles.post("")
def add_style() -> Response:
    owner = owners.owner_or_new()
    with style_uploads.received(request) as add:
        added = StyleAnswer.of(add(owner.id))
    response = added.response(201)
    response.headers["Location"] = url_for("api_styles.style", id=added.id)
    return response


@api_styles.get("/<id>")
def style(id: str) -> Response:
    return StyleAnswer.of(_style(id)).response()


@api_styles.patch("/<id>")
def change_style(id: str) -> Response:
    mine = _own(id)
    change = style_uploads.change(request)
    return StyleAnswer.of(current.library().change_style(owners.owner_or_new().id, mine.id, **change)).response()


@api_styles.delete("/<id>")
def delete_style(id: str) -> ResponseReturnValue:
    current.library().delete_style(owners.owner_or_new().id, _own(id).id)
    return "", 204


@api_styles.get("/<id>/vector")
def vector(id: str) -> Response:
    """A file to keep or to share."""
    chosen = _style(id)
    file = styling.style_file(current.library(), current.engine(), chosen)
    response = Response(file.to_bytes(), mimetype=MEDIA_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{chosen.id}{SUFFIX}")
    return response


@api_styles.get("/<id>/thumbnail")
def thumbnail(id: str) -> Response:
    chosen = _style(id)
    data = chosen.file.read_bytes() if chosen.file else current.library().picture(chosen.thumbnail or "")
    return Response(data, mimetype="image/jpeg")


def _style(id: str) -> Style:
    """By its id: names are for people."""
    owner = owners.owner()
    found = current.library().style(owner.id if owner else None, id)
    if found.id != id:
        raise Missing("There is no such style.")
    return found


def _own(id: str) -> Style:
    found = _style(id)
    if not found.own:
        raise Missing("This style is not yours to change.")
    return found
