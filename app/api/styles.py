"""/api/v1/styles: the styles that ship, and the caller's own."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from app.api.job_answers import accepted_response
from app.api.response_schemas import StyleAnswer, StylesAnswer
from app.failures import Missing
from app.http import context, identity
from app.inputs import style_requests, training_requests
from app.jobs import style_builder
from app.storage.records import Style
from model.style_file import MEDIA_TYPE, SUFFIX

blueprint = Blueprint("api_styles", __name__, url_prefix="/api/v1/styles")


@blueprint.get("")
def styles() -> Response:
    owner = identity.owner()
    library = context.library()
    return StylesAnswer(
        styles=[StyleAnswer.of(style) for style in library.styles(owner.id if owner else None)]
    ).response()


@blueprint.post("")
def add_style() -> Response:
    owner = identity.owner_or_new()
    with style_requests.receive(request, context.for_owner(owner)) as add:
        added = StyleAnswer.of(add())
    response = added.response(201)
    response.headers["Location"] = url_for("api_styles.style", id=added.id)
    return response


@blueprint.get("/<id>")
def style(id: str) -> Response:
    return StyleAnswer.of(_find_style(id)).response()


@blueprint.patch("/<id>")
def change_style(id: str) -> Response:
    own = _find_own_style(id)
    change = style_requests.read_change(request)
    return StyleAnswer.of(context.library().change_style(identity.owner_or_new().id, own.id, **change)).response()


@blueprint.delete("/<id>")
def delete_style(id: str) -> ResponseReturnValue:
    owner, own = identity.owner_or_new().id, _find_own_style(id)
    context.jobs().delete_training(owner, own.id)
    context.library().delete_style(owner, own.id)
    return "", 204


@blueprint.get("/<id>/vector")
def vector(id: str) -> Response:
    """Return the style file, to keep or to share."""
    chosen = _find_style(id)
    file = style_builder.export_file(context.library(), context.engine(), chosen)
    response = Response(file.to_bytes(), mimetype=MEDIA_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{chosen.id}{SUFFIX}")
    return response


@blueprint.post("/<id>/network")
def train_network(id: str) -> Response:
    caller, chosen = context.for_owner(identity.owner()), _find_style(id)
    options = training_requests.read_options(request, context.settings().train_seconds)
    return accepted_response(training_requests.submit(caller, chosen, options, request.headers.get("Idempotency-Key")))


@blueprint.delete("/<id>/network")
def forget_network(id: str) -> Response:
    """Take its own network from a style, which the shared one paints then."""
    own = _find_own_style(id)
    return StyleAnswer.of(context.library().forget_network(identity.owner_or_new().id, own.id)).response()


@blueprint.get("/<id>/thumbnail")
def thumbnail(id: str) -> Response:
    chosen = _find_style(id)
    data = chosen.file.read_bytes() if chosen.file else context.library().picture(chosen.thumbnail or "")
    return Response(data, mimetype="image/jpeg")


def _find_style(id: str) -> Style:
    """Find a style by its id; names are for people."""
    owner = identity.owner()
    style = context.library().style(owner.id if owner else None, id)
    if style.id != id:
        raise Missing("There is no such style.")
    return style


def _find_own_style(id: str) -> Style:
    return context.require_own(_find_style(id), "This style is not yours to change.")
