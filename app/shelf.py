"""The styles' pages: the gallery that ships, and one's own beside it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app import current, errors, owners, style_uploads, styling
from app.failures import Missing
from app.records import Style
from model.errors import StyleTransferError
from model.options import MAX_STYLES
from model.vectors import MEDIA_TYPE, SUFFIX

shelf = Blueprint("shelf", __name__, url_prefix="/styles")


@shelf.get("")
def styles() -> Response:
    return make_response(_gallery())


@shelf.post("", defaults={"form": "painting"})
@shelf.post("/import", defaults={"form": "import"})
def add(form: str) -> ResponseReturnValue:
    """Paintings, or a style file: as the API takes them."""

    def sent(owner: str) -> Style:
        with style_uploads.received(request) as added:
            return added(owner)

    return _kept(form, sent)


@shelf.post("/average")
def average() -> ResponseReturnValue:
    def averaged(owner: str) -> Style:
        library = current.library()
        chosen = [library.style(owner, id) for id in request.form.getlist("styles")[: MAX_STYLES + 1]]
        return styling.add_average(library, current.engine(), owner, chosen, **_words())

    return _kept("average", averaged)


@shelf.get("/<id>")
def style(id: str) -> Response:
    return make_response(_one(_style(id)))


@shelf.post("/<id>")
def change(id: str) -> ResponseReturnValue:
    mine = _own(id)
    try:
        changed = current.library().change_style(owners.owner_or_new().id, mine.id, **_words())
    except StyleTransferError as error:
        return _refused(error, lambda problem: _one(mine, problem=problem))
    flash(f"“{changed.name}” is saved.")
    return redirect(url_for("shelf.style", id=mine.id), 303)


@shelf.post("/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    mine = _own(id)
    current.library().delete_style(owners.owner_or_new().id, mine.id)
    flash(f"“{mine.name}” is deleted.")
    return redirect(url_for("shelf.styles"), 303)


@shelf.get("/<id>/vector")
def vector(id: str) -> Response:
    """The style as a file to keep or to share."""
    chosen = _style(id)
    data = styling.style_file(current.library(), current.engine(), chosen).to_bytes()
    name = f"{chosen.name}{SUFFIX}".replace("/", "-")
    return send_file(io.BytesIO(data), MEDIA_TYPE, as_attachment=True, download_name=name)


@shelf.get("/<id>/thumbnail")
def thumbnail(id: str) -> ResponseReturnValue:
    return _picture(_style(id), "thumbnail")


@shelf.get("/<id>/picture")
def picture(id: str) -> ResponseReturnValue:
    return _picture(_style(id), "picture")


def _picture(chosen: Style, which: Literal["picture", "thumbnail"]) -> ResponseReturnValue:
    if not chosen.own:
        return redirect(url_for("static", filename=f"styles/{chosen.id}.jpg"))
    key = getattr(chosen, which)
    if key is None:
        raise Missing("Of this style only its numbers are kept, not the painting.")
    return send_file(io.BytesIO(current.library().picture(key)), "image/jpeg")


def _style(id: str) -> Style:
    return current.library().style(owners.owner_or_new().id, id)


def _own(id: str) -> Style:
    """Those that ship belong to everybody, and change for nobody."""
    chosen = _style(id)
    if not chosen.own:
        raise Missing("There is no such style of yours.")
    return chosen


def _words() -> dict[str, str]:
    return {field: request.form.get(field, "").strip() for field in ("name", "credit", "licence")}


def _kept(form: str, work: Callable[[str], Style]) -> ResponseReturnValue:
    """To the style that `work` added; or to the page as it was, with what was wrong beside the field of `form`."""
    owner = owners.owner_or_new().id
    try:
        added = work(owner)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        return _refused(error, lambda problem: _gallery(problem=problem, form=form))
    flash(f"“{added.name}” is one of your styles now.")
    return redirect(url_for("shelf.style", id=added.id), 303)


def _refused(error: Exception, page: Callable[[errors.Problem], str]) -> Response:
    if errors.wants_json():
        raise error
    problem = errors.describe(error)
    return errors.as_page(problem, page(problem))


def _gallery(**more: Any) -> str:
    everything = current.library().styles(owners.owner_or_new().id)
    return render_template(
        "styles.html",
        shipped=[one for one in everything if not one.own],
        own=[one for one in everything if one.own],
        sent=_sent(),
        most=MAX_STYLES,
        max_bytes=current.settings().upload_bytes,
        **more,
    )


def _one(chosen: Style, **more: Any) -> str:
    return render_template("style.html", style=chosen, sent=_sent(), **more)


def _sent() -> MultiDict[str, str]:
    """The fields of a form, to show it again as it was filled in."""
    try:
        return request.form
    except RequestEntityTooLarge:
        return MultiDict()
