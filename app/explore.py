"""The page with every control of a refinement. It works with and without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app import accepting, current, errors, mine, owners, uploads
from app.choices import RESULT
from app.controls import Controls
from app.failures import Missing
from app.form import WEIGHT, Form
from app.jobs import Job
from app.stages import field_of
from model.errors import StyleTransferError
from model.options import MAX_STYLES

explore = Blueprint("explore", __name__, url_prefix="/explore")
_LAYERS = (field_of("style", ""), field_of("content", ""))


@explore.get("", endpoint="explore")
def controls() -> Response:
    if earlier := request.args.get("from"):
        return make_response(_from_earlier(mine.job(earlier)))
    return make_response(_page(request.args))


@explore.post("")
def paint_it() -> ResponseReturnValue:
    """The form sent without JavaScript."""
    owner = owners.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        with uploads.received(request) as upload:
            job = accepting.accept(upload, owner)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if errors.wants_json():
            raise
        problem = errors.describe(error)
        return errors.as_page(problem, _page(sent, problem=problem))
    return redirect(url_for("pages.job", id=job.id), 303)


# Without JavaScript a button shows the form anew. It is posted: so many fields are too long for an address.


@explore.post("/preset")
def preset() -> Response:
    """All of the preset's; the pictures stay."""
    pictures = ("content", "style", *(name for name in request.form if name.startswith(WEIGHT)))
    kept = [(name, text) for name, text in request.form.items(multi=True) if name in ("preset", *pictures)]
    return make_response(_page(MultiDict(kept)))


@explore.post("/encoder")
def encoder() -> Response:
    """The encoder's layers; all else stays."""
    kept = [(name, text) for name, text in request.form.items(multi=True) if not name.startswith(_LAYERS)]
    return make_response(_page(MultiDict(kept)))


def _from_earlier(earlier: Job) -> str:
    """Without a result the photo is only here to be sent once more, which takes JavaScript."""
    result = mine.result_of(earlier)
    form = Form.of_order(earlier.order, RESULT + earlier.id if result else "")
    more = {"job": earlier, "photo_name": earlier.order.content_name}
    if result is None:
        more["photo"] = url_for("pages.photo", id=earlier.id)
    return _rendered(form, Controls.of_job(earlier, result), **more)


def _page(fields: MultiDict[str, str], **more: Any) -> str:
    controls = Controls.of_sent(fields)
    with suppress(Missing):
        if controls.origin and not controls.beginning:
            controls = controls.offering(mine.job(controls.origin.removeprefix(RESULT)))
    return _rendered(Form.of_sent(fields), controls, **more)


def _rendered(form: Form, controls: Controls, **more: Any) -> str:
    """To refine takes a picture: styles of which only the numbers are kept are not among the choices."""
    styles = [style for style in current.library().styles(owners.owner_or_new().id) if style.file or style.picture]
    there = {style.id for style in styles}
    return render_template(
        "explore.html",
        form=form,
        controls=controls,
        styles=styles,
        lost=form.styles - there,
        max_bytes=current.settings().upload_bytes,
        max_styles=MAX_STYLES,
        **({"photo": _kept_photo(controls), "photo_name": "your photo"} | more),
    )


def _kept_photo(controls: Controls) -> str | None:
    return url_for("results.before", id=controls.origin.removeprefix(RESULT)) if controls.origin else None
