"""The page with every control of a refinement. It works with and without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app.failures import Missing
from app.http import context, error_handlers, identity, negotiation
from app.inputs import stylize_request, submission
from app.inputs.references import RESULT_PREFIX
from app.jobs.queue import Job
from app.pages.create_form import WEIGHT_PREFIX, FormValues
from app.pages.refine_form import Controls, layer_field
from model.errors import StyleTransferError
from model.options import MAX_STYLES

blueprint = Blueprint("explore", __name__, url_prefix="/explore")
_LAYER_PREFIXES = (layer_field("style", ""), layer_field("content", ""))


@blueprint.get("", endpoint="explore")
def controls() -> Response:
    if earlier := request.args.get("from"):
        return make_response(_page_from_job(context.own_job(earlier)))
    return make_response(_page_from_fields(request.args))


@blueprint.post("")
def paint_it() -> ResponseReturnValue:
    """The form sent without JavaScript."""
    owner = identity.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        with stylize_request.receive(request) as upload:
            job = submission.submit(upload, owner)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page_from_fields(sent, problem=problem))
    return redirect(url_for("job.job", id=job.id), 303)


@blueprint.post("/preset")
def preset() -> Response:
    """All of the preset's; the pictures stay."""
    pictures = ("content", "style", *(name for name in request.form if name.startswith(WEIGHT_PREFIX)))
    kept = [(name, text) for name, text in request.form.items(multi=True) if name in ("preset", *pictures)]
    return make_response(_page_from_fields(MultiDict(kept)))


@blueprint.post("/encoder")
def encoder() -> Response:
    """The encoder's layers; all else stays."""
    kept = [(name, text) for name, text in request.form.items(multi=True) if not name.startswith(_LAYER_PREFIXES)]
    return make_response(_page_from_fields(MultiDict(kept)))


def _page_from_job(earlier: Job) -> str:
    """Without a result the photo is only here to be sent once more, which takes JavaScript."""
    result = context.result_of_job(earlier)
    form = FormValues.of_order(earlier.order, RESULT_PREFIX + earlier.id if result else "")
    more = {"job": earlier, "photo_name": earlier.order.content_name}
    if result is None:
        more["photo"] = url_for("job.photo", id=earlier.id)
    return _render(form, Controls.of_job(earlier, result), **more)


def _page_from_fields(fields: MultiDict[str, str], **more: Any) -> str:
    controls = Controls.of_fields(fields)
    with suppress(Missing):
        if controls.origin and not controls.beginning:
            controls = controls.with_beginning(context.own_job(controls.origin.removeprefix(RESULT_PREFIX)))
    return _render(FormValues.of_fields(fields), controls, **more)


def _render(form: FormValues, controls: Controls, **more: Any) -> str:
    """To refine takes a picture: styles of which only the numbers are kept are not among the choices."""
    styles = [style for style in context.library().styles(identity.owner_or_new().id) if style.file or style.picture]
    there = {style.id for style in styles}
    return render_template(
        "explore.html",
        form=form,
        controls=controls,
        styles=styles,
        lost=form.styles - there,
        max_bytes=context.settings().upload_bytes,
        max_styles=MAX_STYLES,
        **({"photo": _photo_url(controls), "photo_name": "your photo"} | more),
    )


def _photo_url(controls: Controls) -> str | None:
    return url_for("results.before", id=controls.origin.removeprefix(RESULT_PREFIX)) if controls.origin else None
