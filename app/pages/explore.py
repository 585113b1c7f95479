"""The Explore page, with every control of a refinement. It works with and without JavaScript."""

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
from app.inputs.picture_fields import WEIGHT_PREFIX
from app.inputs.references import RESULT_PREFIX
from app.inputs.stylize_request import LAYER_PREFIXES
from app.jobs.queue import Job
from app.pages import page_options, picture_inputs
from app.pages.create_form import FormValues
from app.pages.refine_form import Controls
from model.errors import StyleTransferError

blueprint = Blueprint("explore", __name__, url_prefix="/explore")


@blueprint.get("", endpoint="explore")
def controls() -> Response:
    if earlier := request.args.get("from"):
        return make_response(_page_from_job(context.own_job(earlier)))
    return make_response(_page_from_fields(request.args))


@blueprint.post("")
def paint_it() -> ResponseReturnValue:
    """Take the form as it is sent without JavaScript."""
    owner = identity.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        caller = context.for_owner(owner)
        with stylize_request.receive(request, caller) as read:
            job = submission.submit(caller, read)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page_from_fields(sent, problem=problem))
    return redirect(url_for("job.job", id=job.id), 303)


@blueprint.post("/preset")
def preset() -> Response:
    """Return the page with all of the preset's controls; the pictures stay."""
    pictures = ("content", "style", *(name for name in request.form if name.startswith(WEIGHT_PREFIX)))
    fields = [(name, text) for name, text in request.form.items(multi=True) if name in ("preset", *pictures)]
    return make_response(_page_from_fields(MultiDict(fields)))


@blueprint.post("/encoder")
def encoder() -> Response:
    """Return the page with the encoder's layers; all else stays."""
    layer_prefixes = tuple(LAYER_PREFIXES.values())
    fields = [(name, text) for name, text in request.form.items(multi=True) if not name.startswith(layer_prefixes)]
    return make_response(_page_from_fields(MultiDict(fields)))


def _page_from_job(earlier: Job) -> str:
    """Fill the page as a job was ordered. Without a result its photo is sent once more, which takes JavaScript."""
    result = context.result_of_job(earlier)
    form = FormValues.of_order(earlier.order, RESULT_PREFIX + earlier.id if result else "")
    more = {"job": earlier, "photo_name": earlier.order.content_name}
    if result is None:
        more["photo"] = url_for("job.photo", id=earlier.id)
    return _render(form, Controls.of_job(earlier, result), **more)


def _page_from_fields(fields: MultiDict[str, str], **more: Any) -> str:
    controls = Controls.of_fields(fields)
    with suppress(Missing):
        if controls.origin and not controls.start_job:
            controls = controls.with_start_of(context.own_job(controls.origin.removeprefix(RESULT_PREFIX)))
    return _render(FormValues.of_fields(fields), controls, **more)


def _render(form: FormValues, controls: Controls, **more: Any) -> str:
    """Render the page. Refining takes a picture: styles of which only the numbers are kept are not offered."""
    styles = [style for style in context.library().styles(identity.owner_or_new().id) if style.file or style.picture]
    return render_template(
        "explore.html",
        form=form,
        controls=controls,
        styles=styles,
        missing_styles=form.styles - {style.id for style in styles},
        layer_limits=page_options.layer_limits(),
        **(picture_inputs.template_variables(controls.origin) | more),
    )
