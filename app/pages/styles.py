"""The pages of styles: those that ship, and the owner's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app.failures import AlreadyTraining, Missing
from app.http import context, error_handlers, identity, negotiation
from app.http.context import Caller
from app.inputs import style_requests, training_requests
from app.jobs import style_builder
from app.jobs.queue import Job
from app.pages.page_options import PICTURE_KINDS
from app.pages.template_helpers import duration_text
from app.storage.records import Style
from model.errors import StyleTransferError
from model.options import MAX_STYLES
from model.style_file import MAX_LENGTHS, MEDIA_TYPE, SUFFIX

blueprint = Blueprint("styles", __name__, url_prefix="/styles")


@blueprint.get("")
def styles() -> Response:
    return make_response(_styles_page())


@blueprint.post("", defaults={"form": "painting"})
@blueprint.post("/import", defaults={"form": "import"})
def add(form: str) -> ResponseReturnValue:
    """Add a style from paintings or from a style file, as the API does."""

    def add_received(caller: Caller) -> Style:
        with style_requests.receive(request, caller) as add_style:
            return add_style()

    return _add_style(form, add_received)


@blueprint.post("/average")
def average() -> ResponseReturnValue:
    def add_average(caller: Caller) -> Style:
        library, owner = caller.library, caller.require_owner()
        chosen = [library.style(owner, id) for id in request.form.getlist("styles")[: MAX_STYLES + 1]]
        return style_builder.add_average(library, caller.engine, owner, chosen, **_style_details())

    return _add_style("average", add_average)


@blueprint.get("/<id>")
def style(id: str) -> Response:
    return make_response(_style_page(_find_style(id)))


@blueprint.post("/<id>")
def change(id: str) -> ResponseReturnValue:
    own = _find_own_style(id)
    try:
        changed = context.library().change_style(identity.owner_or_new().id, own.id, **_style_details())
    except StyleTransferError as error:
        return _refusal_page(error, lambda problem: _style_page(own, problem=problem))
    flash(f"“{changed.name}” is saved.")
    return redirect(url_for("styles.style", id=own.id), 303)


@blueprint.post("/<id>/network")
def train_network(id: str) -> ResponseReturnValue:
    """Have a network trained for the style, or lead to the job that does so already."""
    own, caller = _find_own_style(id), context.for_owner(identity.owner_or_new())
    job: Job | None
    try:
        job = training_requests.submit(caller, own, training_requests.parse_options({}, _training_seconds()))
    except AlreadyTraining:
        job = caller.jobs.training_of(caller.require_owner(), own.id)
    except StyleTransferError as error:
        return _refusal_page(error, lambda problem: _style_page(own, problem=problem))
    return redirect(url_for("job.job", id=job.id) if job else url_for("styles.style", id=own.id), 303)


@blueprint.post("/<id>/network/delete")
def forget_network(id: str) -> ResponseReturnValue:
    own = _find_own_style(id)
    try:
        context.library().forget_network(identity.owner_or_new().id, own.id)
    except StyleTransferError as error:
        return _refusal_page(error, lambda problem: _style_page(own, problem=problem))
    flash(f"The network of “{own.name}” is forgotten: the one for all styles paints it again.")
    return redirect(url_for("styles.style", id=own.id), 303)


@blueprint.post("/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    own, owner = _find_own_style(id), identity.owner_or_new().id
    context.jobs().delete_training(owner, own.id)
    context.library().delete_style(owner, own.id)
    flash(f"“{own.name}” is deleted.")
    return redirect(url_for("styles.styles"), 303)


@blueprint.get("/<id>/vector")
def vector(id: str) -> Response:
    """Return the style as a file to keep or to share."""
    chosen = _find_style(id)
    data = style_builder.export_file(context.library(), context.engine(), chosen).to_bytes()
    name = f"{chosen.name}{SUFFIX}".replace("/", "-")
    return send_file(io.BytesIO(data), MEDIA_TYPE, as_attachment=True, download_name=name)


@blueprint.get("/<id>/thumbnail")
def thumbnail(id: str) -> ResponseReturnValue:
    return _picture_response(_find_style(id), "thumbnail")


@blueprint.get("/<id>/picture")
def picture(id: str) -> ResponseReturnValue:
    return _picture_response(_find_style(id), "picture")


def _picture_response(chosen: Style, which: Literal["picture", "thumbnail"]) -> ResponseReturnValue:
    if not chosen.own:
        return redirect(url_for("static", filename=f"styles/{chosen.id}.jpg"))
    key = getattr(chosen, which)
    if key is None:
        raise Missing("Of this style only its numbers are kept, not the painting.")
    return send_file(io.BytesIO(context.library().picture(key)), "image/jpeg")


def _find_style(id: str) -> Style:
    return context.library().style(identity.owner_or_new().id, id)


def _find_own_style(id: str) -> Style:
    """Return a style that its owner may change; those that ship change for nobody."""
    return context.require_own(_find_style(id), "There is no such style of yours.")


def _style_details() -> dict[str, str]:
    return {field: request.form.get(field, "").strip() for field in ("name", "credit", "licence")}


def _add_style(form: str, work: Callable[[Caller], Style]) -> ResponseReturnValue:
    """Lead to the style that `work` adds; where it is refused, show `form` again with the problem beside its field."""
    caller = context.for_owner(identity.owner_or_new())
    try:
        added = work(caller)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        return _refusal_page(error, lambda problem: _styles_page(problem=problem, form=form))
    flash(f"“{added.name}” is one of your styles now.")
    return redirect(url_for("styles.style", id=added.id), 303)


def _refusal_page(error: Exception, page: Callable[[error_handlers.Problem], str]) -> Response:
    if negotiation.wants_json():
        raise error
    problem = error_handlers.describe(error)
    return error_handlers.as_page(problem, page(problem))


def _styles_page(**more: Any) -> str:
    everything = context.library().styles(identity.owner_or_new().id)
    return render_template(
        "styles.html",
        shipped=[one for one in everything if not one.own],
        own=[one for one in everything if one.own],
        training_time=duration_text(_training_seconds()),
        sent=_sent_fields(),
        lengths=MAX_LENGTHS,
        picture_kinds=PICTURE_KINDS,
        max_styles=MAX_STYLES,
        max_bytes=context.settings().upload_bytes,
        **more,
    )


def _style_page(chosen: Style, **more: Any) -> str:
    return render_template(
        "style.html",
        style=chosen,
        training=context.jobs().training_of(identity.owner_or_new().id, chosen.id) if chosen.own else None,
        training_time=duration_text(_training_seconds()),
        trained_time=duration_text(chosen.training.seconds) if chosen.training else "",
        sent=_sent_fields(),
        lengths=MAX_LENGTHS,
        **more,
    )


def _training_seconds() -> float:
    return context.settings().train_seconds


def _sent_fields() -> MultiDict[str, str]:
    """Return the fields of the form, to show it again as it was filled in."""
    try:
        return request.form
    except RequestEntityTooLarge:
        return MultiDict()
