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

from app import accepting, current, encoding, errors, owners, refinements, wishes
from app.errors import Problem
from app.failures import Busy, Missing
from app.jobs import Job
from app.orders import Order
from app.records import Result
from model import images
from model.errors import StyleTransferError
from model.images import LONGEST
from model.options import Format

results = Blueprint("results", __name__)
SHOWN_SIDE = 1024  # pixels, of the picture in its page
_SHOWN_QUALITY = 88


@results.get("/results/<id>")
def result(id: str) -> Response:
    return make_response(_page(_found(id)))


@results.post("/results/<id>/refine")
def refine(id: str) -> ResponseReturnValue:
    """A refinement of this picture, which begins with it."""
    found, owner = _found(id), owners.owner_or_new()
    try:
        options = refinements.asked(found, request.form.get("preset", "balanced"))
        job = accepting.accept_refinement(found, owner, options)
    except StyleTransferError as error:
        if errors.wants_json():
            raise
        problem = errors.describe(error)
        return errors.as_page(problem, _page(found, problem))
    return redirect(url_for("pages.job", id=job.id), 303)


@results.get("/results/<id>/picture.<format>")
def picture(id: str, format: str) -> Response:
    if format not in LONGEST:
        raise Missing("A result can be had as picture.png, picture.jpeg, picture.webp and picture.tiff.")
    found = _found(id)
    quality = found.order["options"]["quality"]
    data = encoding.encoded(current.library().picture(found.picture), cast(Format, format), quality)
    return send_file(io.BytesIO(data), f"image/{format}", download_name=f"{_stem(found)}-pastiche.{format}")


@results.get("/results/<id>/shown")
def shown(id: str) -> ResponseReturnValue:
    """The picture, no larger than its page needs it; from a busy server the whole, which takes no turn."""
    data = current.library().picture(_found(id).picture)
    try:
        small = current.engine().run(lambda: _small(data))
    except Busy:
        return redirect(url_for("results.picture", id=id, format="png"))
    return send_file(io.BytesIO(small), "image/jpeg")


@results.get("/results/<id>/before")
def before(id: str) -> Response:
    return send_file(io.BytesIO(current.library().picture(_found(id).before)), "image/jpeg")


@results.get("/results/<id>/thumbnail")
def thumbnail(id: str) -> Response:
    return send_file(io.BytesIO(current.library().picture(_found(id).thumbnail)), "image/jpeg")


@results.post("/results/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    current.library().delete_result(owners.owner_or_new().id, id)
    flash("The picture is deleted.")
    return redirect(url_for("results.history"), 303)


@results.get("/history")
def history() -> Response:
    owner, library = owners.owner_or_new().id, current.library()
    found = library.results(owner)
    own = [style for style in library.styles(owner) if style.own]
    return make_response(
        render_template(
            "history.html",
            results=found,
            styles={one.id: _named(one) for one in found},
            own_styles=len(own),
            painting=current.jobs().unended(owner),
            keep=in_words(current.settings().keep_hours * 3600),
        )
    )


@results.post("/history/delete")
def delete_everything() -> ResponseReturnValue:
    """The cookie goes as well: what is painted next is no more this owner's than anybody's."""
    current.library().delete_everything(owners.owner_or_new().id)
    session.clear()
    flash("Everything is deleted. Nothing of yours is left here.")
    return redirect(url_for("results.history"), 303)


@results.app_template_filter()
def short(value: float) -> str:
    """With two digits that say something."""
    return f"{float(f'{value:.1e}'):,.10g}"


@results.app_template_filter()
def left(moment: float) -> str:
    """How long it is until `moment`."""
    return in_words(moment - time.time())


@results.app_template_filter()
def date(moment: float) -> str:
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then.day} {then:%B %Y, %H:%M} UTC"


@results.app_template_filter()
def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def in_words(seconds: float) -> str:
    """ "2 days, 23 hours", "5 hours", "12 minutes": never more than there is."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    days, hours = divmod(hours, 24)
    if days:
        return _counted(days, "day") + (f", {_counted(hours, 'hour')}" if hours else "")
    return _counted(hours, "hour") if hours else _counted(minutes, "minute")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"


def _page(found: Result, problem: Problem | None = None) -> str:
    job = _job(found)
    return render_template(
        "result.html",
        result=found,
        styles=_styles(found),
        photo=_stem(found),
        options=found.order["options"],
        facts=_facts(found, job),
        refined=_is_refined(found),
        losses=refinements.losses(job),
        offers=refinements.OFFERS,
        unpainted=refinements.unpainted(found, current.library()),
        problem=problem,
        recipe=json.dumps(found.recipe, indent=2, ensure_ascii=False),
        large=max(found.width, found.height) > SHOWN_SIDE,
        kinds=_kinds(found),
    )


def _job(found: Result) -> Job | None:
    try:
        return current.jobs().get(found.id)
    except Missing:
        return None


def _is_refined(found: Result) -> bool:
    return bool(found.order.get("method") == refinements.GATYS)


def _facts(found: Result, job: Job | None) -> list[tuple[str, str]]:
    """What the page itself does not say."""
    order = Order.model_validate(found.order)
    return [*(refinements.facts(found, job) if _is_refined(found) else ()), *wishes.told(order, found.recipe)]


def _found(id: str) -> Result:
    return current.library().result(owners.owner_or_new().id, id)


def _small(data: bytes) -> bytes:
    """In turn with the paintings, as every reading of a whole picture is."""
    return images.encode(encoding.stored(data, limit=SHOWN_SIDE), "jpeg", _SHOWN_QUALITY)


def _stem(found: Result) -> str:
    return str(found.order.get("content_name") or "photo")


def _styles(found: Result) -> list[dict[str, Any]]:
    """Name, share in percent where there are several, and the id of those that the library still has."""
    styles = found.order["styles"]
    weights = found.order["options"].get("weights") or [1.0] * len(styles)
    there = {style.id for style in current.library().styles(found.owner)}
    return [
        {
            "name": style["name"],
            "share": f"{100 * weight / sum(weights):.0f} %" if len(styles) > 1 else "",
            "id": style.get("id") if style.get("id") in there else None,
        }
        for style, weight in zip(styles, weights, strict=True)
    ]


def _named(found: Result) -> str:
    return " + ".join(style["name"] for style in found.order["styles"])


def _kinds(found: Result) -> list[str]:
    """The kinds of file that can hold it, the one that was asked for first."""
    there = [kind for kind, longest in LONGEST.items() if max(found.width, found.height) <= longest]
    return sorted(there, key=lambda kind: bool(kind != found.order["options"]["format"]))
