"""The pages of results: one for each, and the History of all."""

from __future__ import annotations

import io
import json
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from app.failures import Busy, Missing
from app.http import context, downloads, error_handlers, identity, negotiation
from app.http.error_handlers import Problem
from app.inputs import submission
from app.jobs.order import REFINEMENT_METHODS, Order
from app.jobs.queue import Job
from app.pages import facts, page_options, refine_form
from app.pages.template_helpers import duration_text
from app.storage.records import Result
from model.errors import StyleTransferError
from model.imaging import image_files
from model.imaging.formats import OUTPUT_FORMATS
from model.options import RefineOptions, join_words

blueprint = Blueprint("results", __name__)
DISPLAY_SIDE = 1024  # pixels, of the picture in its page
_DISPLAY_QUALITY = 88
_DEFAULT_PRESET = RefineOptions.model_fields["preset"].default


@blueprint.get("/results/<id>")
def result(id: str) -> Response:
    return make_response(_page(_find_result(id)))


@blueprint.post("/results/<id>/refine")
def refine(id: str) -> ResponseReturnValue:
    """Order a refinement of a result, which begins with its picture."""
    result, owner = _find_result(id), identity.owner_or_new()
    try:
        options = refine_form.options_of_result(result, request.form.get("preset", _DEFAULT_PRESET))
        job = submission.submit_refinement(context.for_owner(owner), result, options)
    except StyleTransferError as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page(result, problem))
    return redirect(url_for("job.job", id=job.id), 303)


@blueprint.get("/results/<id>/picture.<format>")
def picture(id: str, format: str) -> Response:
    if format not in OUTPUT_FORMATS:
        names = [f"picture.{name}" for name in OUTPUT_FORMATS]
        raise Missing(f"A result can be had as {join_words(names)}.")
    result = _find_result(id)
    quality = result.order["options"]["quality"]
    data = downloads.encode(context.library().picture(result.picture), format, quality)
    name = f"{_file_stem(result)}-pastiche.{format}"
    return send_file(io.BytesIO(data), OUTPUT_FORMATS[format].media_type, download_name=name)


@blueprint.get("/results/<id>/shown", endpoint="shown")
def display_picture(id: str) -> ResponseReturnValue:
    """Return the picture no larger than its page needs it; a busy server leads to the whole, which takes no turn."""
    data = context.library().picture(_find_result(id).picture)
    try:
        small = context.engine().run(lambda: _display_jpeg(data))
    except Busy:
        return redirect(url_for("results.picture", id=id, format="png"))
    return send_file(io.BytesIO(small), "image/jpeg")


@blueprint.get("/results/<id>/before")
def before(id: str) -> Response:
    return send_file(io.BytesIO(context.library().picture(_find_result(id).before)), "image/jpeg")


@blueprint.get("/results/<id>/thumbnail")
def thumbnail(id: str) -> Response:
    return send_file(io.BytesIO(context.library().picture(_find_result(id).thumbnail)), "image/jpeg")


@blueprint.post("/results/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    context.library().delete_result(identity.owner_or_new().id, id)
    flash("The picture is deleted.")
    return redirect(url_for("results.history"), 303)


@blueprint.get("/history")
def history() -> Response:
    owner, library = identity.owner_or_new().id, context.library()
    results = library.results(owner)
    own = [style for style in library.styles(owner) if style.own]
    return make_response(
        render_template(
            "history.html",
            results=results,
            styles={result.id: _style_names(result) for result in results},
            own_styles=len(own),
            painting=context.jobs().unfinished(owner),
            keep=duration_text(context.settings().keep_hours * 3600),
        )
    )


@blueprint.post("/history/delete")
def delete_everything() -> ResponseReturnValue:
    """Delete all of the owner's, and the cookie with it: what is painted next belongs to a new owner."""
    context.library().delete_everything(identity.owner_or_new().id)
    session.clear()
    flash("Everything is deleted. Nothing of yours is left here.")
    return redirect(url_for("results.history"), 303)


def _page(result: Result, problem: Problem | None = None) -> str:
    job = _find_job(result)
    return render_template(
        "result.html",
        result=result,
        styles=_style_rows(result),
        photo=_file_stem(result),
        format_names=page_options.FORMAT_NAMES,
        lossy_formats=page_options.LOSSY_FORMATS,
        options=result.order["options"],
        facts=_facts(result, job),
        refined=_is_refined(result),
        losses=facts.loss_rows(job),
        offers=refine_form.PRESET_CHOICES,
        default_preset=_DEFAULT_PRESET,
        unpainted=refine_form.styles_without_painting(result, context.library()),
        problem=problem,
        recipe=json.dumps(result.recipe, indent=2, ensure_ascii=False),
        large=max(result.width, result.height) > DISPLAY_SIDE,
        formats=_file_formats(result),
    )


def _find_job(result: Result) -> Job | None:
    try:
        return context.jobs().get(result.id)
    except Missing:
        return None


def _is_refined(result: Result) -> bool:
    return result.order.get("method") in REFINEMENT_METHODS


def _facts(result: Result, job: Job | None) -> list[tuple[str, str]]:
    """Return names and values that the page does not say elsewhere."""
    order = Order.model_validate(result.order)
    return [
        *(facts.refinement_facts(result, job) if _is_refined(result) else ()),
        *facts.option_facts(order),
    ]


def _find_result(id: str) -> Result:
    return context.library().result(identity.owner_or_new().id, id)


def _display_jpeg(data: bytes) -> bytes:
    """Return the picture as a small JPEG; called while a turn is held, since it reads the whole picture."""
    return image_files.encode(downloads.decode(data, limit=DISPLAY_SIDE), "jpeg", _DISPLAY_QUALITY)


def _file_stem(result: Result) -> str:
    return str(result.order.get("content_name") or "photo")


def _style_rows(result: Result) -> list[dict[str, Any]]:
    """Return each style's name, its share in percent where there are several, and its id where the library has it."""
    styles = result.order["styles"]
    weights = result.order["options"].get("weights") or [1.0] * len(styles)
    known = {style.id for style in context.library().styles(result.owner)}
    return [
        {
            "name": style["name"],
            "share": f"{100 * weight / sum(weights):.0f} %" if len(styles) > 1 else "",
            "id": style.get("id") if style.get("id") in known else None,
        }
        for style, weight in zip(styles, weights, strict=True)
    ]


def _style_names(result: Result) -> str:
    return " + ".join(style["name"] for style in result.order["styles"])


def _file_formats(result: Result) -> list[str]:
    """Return the formats that can hold the result, the one that was asked for first."""
    longest = max(result.width, result.height)
    formats = [name for name, format in OUTPUT_FORMATS.items() if longest <= format.longest_side]
    return sorted(formats, key=lambda name: bool(name != result.order["options"]["format"]))
