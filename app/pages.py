"""The pages for people: what is to be painted, and how far it is. They work with and without JavaScript."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app import accepting, current, errors, owners, uploads
from app.choices import RESULT
from app.failures import Missing
from app.form import Form
from app.jobs import Job
from app.painting import paint, preview
from app.records import Style
from app.uploads import Upload
from model.errors import InvalidOption, StyleTransferError
from model.images import MAX_BYTES
from model.options import DEFAULT_SIDE, MAX_STYLES

pages = Blueprint("pages", __name__)
_SIZES = [512, 1024, 2048, 3072, 4096]  # pixels, a choice of long sides
_NO_STORE = "no_store"
_AHEAD = {0: "Next in line.", 1: "1 picture is ahead of yours."}
_TOO_LONG = "This is too large to be painted while you wait. Choose a smaller one, or let the server keep it."


@pages.app_context_processor
def _promise() -> dict[str, str]:
    """Every page says how long things are kept."""
    hours = round(current.settings().keep_hours)
    return {"kept_for": f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "an hour"}


@pages.get("/")
def create() -> Response:
    owner = owners.owner_or_new().id
    if earlier := request.args.get("from"):
        return make_response(_from_earlier(_mine(earlier)))
    return make_response(_page(owner, Form(styles=frozenset(request.args.getlist("style")))))


@pages.post("/")
def paint_it() -> ResponseReturnValue:
    """The form sent without JavaScript."""
    owner = owners.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        if _NO_STORE in sent:
            return _painted_at_once(sent)
        with uploads.received(request) as upload:
            job = accepting.accept(upload, owner)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if errors.wants_json():
            raise
        problem = errors.describe(error)
        return errors.as_page(problem, _page(owner.id, Form.of_sent(sent), problem=problem))
    return redirect(url_for("pages.job", id=job.id), 303)


def _painted_at_once(sent: MultiDict[str, str]) -> Response:
    """Both pictures are in the page that comes back: the server keeps neither."""
    request.form = ImmutableMultiDict([(name, text) for name, text in sent.items(multi=True) if name != _NO_STORE])
    with uploads.received(request) as upload:
        shown = current.engine().run(lambda: _shown(upload()))
    return make_response(_page(owners.owner_or_new().id, Form.of_sent(sent), **shown))


def _shown(upload: Upload) -> dict[str, Any]:
    if upload.pixels > current.settings().sync_pixels:
        raise InvalidOption(_TOO_LONG, "size")
    painting = paint(upload)
    return {"painting": painting, "before": preview(upload.content), "after": preview(painting.array)}


@pages.get("/jobs/<id>")
def job(id: str) -> ResponseReturnValue:
    mine = _mine(id)
    if mine.ended and _has_result(mine):
        return redirect(url_for("results.result", id=id), 303)
    ahead = current.jobs().position(id)
    names = [style.name for style in mine.order.styles]
    return make_response(render_template("job.html", job=mine, told=_told(mine, ahead), styles=_listed(names)))


@pages.post("/jobs/<id>/cancel")
def cancel(id: str) -> ResponseReturnValue:
    current.jobs().cancel(_mine(id).id)
    return redirect(url_for("pages.job", id=id), 303)


@pages.get("/jobs/<id>/photo")
def photo(id: str) -> Response:
    return _sent_along(_mine(id).order.content)


@pages.get("/jobs/<id>/paintings/<int:number>")
def painting(id: str, number: int) -> Response:
    styles = _mine(id).order.styles
    key = styles[number].picture if number < len(styles) else None
    if key is None:
        raise Missing("This picture was painted without such a painting.")
    return _sent_along(key)


def _sent_along(key: str) -> Response:
    """As it was sent, for its owner's browser to show or to send again; never as a page of ours."""
    return send_file(io.BytesIO(current.library().picture(key)), "image/*")


def _mine(id: str) -> Job:
    found = current.jobs().get(id)
    if found.owner != owners.owner_or_new().id:
        raise Missing("There is no such job.")
    return found


def _has_result(mine: Job) -> bool:
    try:
        return bool(current.library().result(mine.owner, mine.id))
    except Missing:
        return False


def _told(mine: Job, ahead: int) -> str:
    if mine.state == "queued":
        return _AHEAD.get(ahead, f"{ahead} pictures are ahead of yours.")
    if not mine.steps:
        return "Starting…"
    return f"Step {mine.step} of {mine.steps}{_left(mine.seconds_left)}"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f" · about {seconds:.0f} s left" if seconds < 90 else f" · about {seconds / 60:.0f} min left"


def _listed(names: list[str]) -> str:
    """ "Flow, Ink and Dots" """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _from_earlier(earlier: Job) -> str:
    """Without a result the photo is only here to be sent once more, which takes JavaScript."""
    form = Form.of_order(earlier.order, RESULT + earlier.id if _has_result(earlier) else "")
    photo = _kept_photo(form) or url_for("pages.photo", id=earlier.id)
    return _page(earlier.owner, form, job=earlier, photo=photo, photo_name=earlier.order.content_name)


def _kept_photo(form: Form) -> str | None:
    return url_for("results.before", id=form.content.removeprefix(RESULT)) if form.content.startswith(RESULT) else None


def _page(owner: str, form: Form, **more: Any) -> str:
    styles = current.library().styles(owner)
    return render_template(
        "index.html",
        form=form,
        shipped=[style for style in styles if not style.own],
        own=[style for style in styles if style.own],
        thumbnail=_thumbnail,
        sizes=_sizes(form.size),
        default_side=DEFAULT_SIDE,
        max_bytes=MAX_BYTES,
        max_styles=MAX_STYLES,
        **({"photo": _kept_photo(form), "photo_name": "your photo"} | more),
    )


def _sizes(chosen: str) -> list[int]:
    """And the one that a program asked for, in a picture like which another is to be made."""
    return sorted({*_SIZES, *([int(chosen)] if chosen.isdecimal() and len(chosen) < 5 else [])})


def _thumbnail(style: Style) -> str:
    if style.own:
        return url_for("shelf.thumbnail", id=style.id)
    return url_for("static", filename=f"styles/{style.id}.jpg")
