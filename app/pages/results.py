"""A result's page, and the history of all of them."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime
from typing import Any, cast

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
from app.jobs.order import Order
from app.jobs.queue import Job
from app.pages import facts, refine_form
from app.storage.records import Result
from model.errors import StyleTransferError
from model.imaging import image_files
from model.imaging.image_files import MAX_FORMAT_SIDES
from model.options import Format

blueprint = Blueprint("results", __name__)
DISPLAY_SIDE = 1024  # pixels, of the picture in its page
_DISPLAY_QUALITY = 88


@blueprint.get("/results/<id>")
def result(id: str) -> Response:
    return make_response(_page(_find_result(id)))


@blueprint.post("/results/<id>/refine")
def refine(id: str) -> ResponseReturnValue:
    """A refinement of this picture, which begins with it."""
    found, owner = _find_result(id), identity.owner_or_new()
    try:
        options = refine_form.options_of_result(found, request.form.get("preset", "balanced"))
        job = submission.submit_refinement(found, owner, options)
    except StyleTransferError as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page(found, problem))
    return redirect(url_for("job.job", id=job.id), 303)


@blueprint.get("/results/<id>/picture.<format>")
def picture(id: str, format: str) -> Response:
    if format not in MAX_FORMAT_SIDES:
        raise Missing("A result can be had as picture.png, picture.jpeg, picture.webp and picture.tiff.")
    found = _find_result(id)
    quality = found.order["options"]["quality"]
    data = downloads.encode(context.library().picture(found.picture), cast(Format, format), quality)
    return send_file(io.BytesIO(data), f"image/{format}", download_name=f"{_file_stem(found)}-pastiche.{format}")


@blueprint.get("/results/<id>/shown")
def shown(id: str) -> ResponseReturnValue:
    """The picture, no larger than its page needs it; from a busy server the whole, which takes no turn."""
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
    found = library.results(owner)
    own = [style for style in library.styles(owner) if style.own]
    return make_response(
        render_template(
            "history.html",
            results=found,
            styles={one.id: _style_names(one) for one in found},
            own_styles=len(own),
            painting=context.jobs().unfinished(owner),
            keep=duration_text(context.settings().keep_hours * 3600),
        )
    )


@blueprint.post("/history/delete")
def delete_everything() -> ResponseReturnValue:
    """The cookie goes as well: what is painted next is no more this owner's than anybody's."""
    context.library().delete_everything(identity.owner_or_new().id)
    session.clear()
    flash("Everything is deleted. Nothing of yours is left here.")
    return redirect(url_for("results.history"), 303)


@blueprint.app_template_filter()
def short(value: float) -> str:
    """With two digits that say something."""
    return f"{float(f'{value:.1e}'):,.10g}"


@blueprint.app_template_filter()
def left(moment: float) -> str:
    """How long it is until `moment`."""
    return duration_text(moment - time.time())


@blueprint.app_template_filter()
def date(moment: float) -> str:
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then.day} {then:%B %Y, %H:%M} UTC"


@blueprint.app_template_filter()
def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def duration_text(seconds: float) -> str:
    """ "2 days, 23 hours", "5 hours", "12 minutes": never more than there is."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    days, hours = divmod(hours, 24)
    if days:
        return _count_text(days, "day") + (f", {_count_text(hours, 'hour')}" if hours else "")
    return _count_text(hours, "hour") if hours else _count_text(minutes, "minute")


def _count_text(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"


def _page(found: Result, problem: Problem | None = None) -> str:
    job = _find_job(found)
    return render_template(
        "result.html",
        result=found,
        styles=_style_rows(found),
        photo=_file_stem(found),
        options=found.order["options"],
        facts=_facts(found, job),
        refined=_is_refined(found),
        losses=facts.loss_rows(job),
        offers=refine_form.PRESET_CHOICES,
        unpainted=refine_form.styles_without_painting(found, context.library()),
        problem=problem,
        recipe=json.dumps(found.recipe, indent=2, ensure_ascii=False),
        large=max(found.width, found.height) > DISPLAY_SIDE,
        kinds=_file_formats(found),
    )


def _find_job(found: Result) -> Job | None:
    try:
        return context.jobs().get(found.id)
    except Missing:
        return None


def _is_refined(found: Result) -> bool:
    return bool(found.order.get("method") == facts.GATYS)


def _facts(found: Result, job: Job | None) -> list[tuple[str, str]]:
    """What the page itself does not say."""
    order = Order.model_validate(found.order)
    return [
        *(facts.refinement_facts(found, job) if _is_refined(found) else ()),
        *facts.option_facts(order, found.recipe),
    ]


def _find_result(id: str) -> Result:
    return context.library().result(identity.owner_or_new().id, id)


def _display_jpeg(data: bytes) -> bytes:
    """In turn with the paintings, as every reading of a whole picture is."""
    return image_files.encode(downloads.decode(data, limit=DISPLAY_SIDE), "jpeg", _DISPLAY_QUALITY)


def _file_stem(found: Result) -> str:
    return str(found.order.get("content_name") or "photo")


def _style_rows(found: Result) -> list[dict[str, Any]]:
    """Name, share in percent where there are several, and the id of those that the library still has."""
    styles = found.order["styles"]
    weights = found.order["options"].get("weights") or [1.0] * len(styles)
    there = {style.id for style in context.library().styles(found.owner)}
    return [
        {
            "name": style["name"],
            "share": f"{100 * weight / sum(weights):.0f} %" if len(styles) > 1 else "",
            "id": style.get("id") if style.get("id") in there else None,
        }
        for style, weight in zip(styles, weights, strict=True)
    ]


def _style_names(found: Result) -> str:
    return " + ".join(style["name"] for style in found.order["styles"])


def _file_formats(found: Result) -> list[str]:
    """The kinds of file that can hold it, the one that was asked for first."""
    there = [kind for kind, longest in MAX_FORMAT_SIDES.items() if max(found.width, found.height) <= longest]
    return sorted(there, key=lambda kind: bool(kind != found.order["options"]["format"]))
