"""The pages for people: what is to be painted, and how far it is. They work with and without JavaScript."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app import accepting, choices, current, errors, mine, owners, refinements, uploads
from app.choices import RESULT
from app.failures import Missing
from app.form import NO_STORE, Form, joined
from app.jobs import Job
from app.painting import paint, preview
from app.uploads import Upload
from model import images
from model.errors import InvalidOption, StyleTransferError
from model.options import DEFAULT_SIDE, MAX_STYLES, StylizeOptions
from model.regions import ALPHA, WORDS

pages = Blueprint("pages", __name__)
_SIZES = [512, 1024, 2048, 3072, 4096, 6000, 8000]  # pixels, a choice of long sides
_USUAL = 2 / 3  # of a photo: its short side to the long one
_SCALES = ["0.25", "0.5", "1", "2", "4"]
_AHEAD = {0: "Next in line.", 1: "1 picture is ahead of yours."}
_ONLY_KEPT = "A refinement takes longer than a page can wait for. Let the server keep it."
_TOO_LONG = "This is too large to be painted while you wait. Choose a smaller one, or let the server keep it."


@pages.app_context_processor
def _promise() -> dict[str, str]:
    """Every page says how long things are kept."""
    hours = round(current.settings().keep_hours)
    return {"kept_for": f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "an hour"}


@pages.get("/")
def create() -> ResponseReturnValue:
    owner = owners.owner_or_new().id
    if earlier := request.args.get("from"):
        return _from_earlier(mine.job(earlier))
    return make_response(_page(owner, Form(styles=frozenset(request.args.getlist("style")))))


@pages.post("/")
def paint_it() -> ResponseReturnValue:
    """The form sent without JavaScript."""
    owner = owners.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        request.form = ImmutableMultiDict(joined(sent))
        if NO_STORE in sent:
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
    with uploads.received(request, no_refinement=InvalidOption(_ONLY_KEPT, NO_STORE)) as upload:
        shown = current.engine().run(lambda: _shown(upload()))
    return make_response(_page(owners.owner_or_new().id, Form.of_sent(sent), **shown))


def _shown(upload: Upload) -> dict[str, Any]:
    if upload.pixels > current.settings().sync_pixels:
        raise InvalidOption(_TOO_LONG, "size")
    painting = paint(upload)
    return {"painting": painting, "before": preview(upload.content), "after": preview(painting.array)}


@pages.get("/jobs/<id>")
def job(id: str) -> ResponseReturnValue:
    found = mine.job(id)
    if found.ended and mine.result_of(found):
        return redirect(url_for("results.result", id=id), 303)
    told, names = _told(found, current.jobs().position(id)), [style.name for style in found.order.styles]
    rows, moment = refinements.losses(found), _moment(found)
    page = render_template("job.html", job=found, told=told, styles=_listed(names), rows=rows, moment=moment)
    return make_response(page)


@pages.post("/jobs/<id>/cancel")
def cancel(id: str) -> ResponseReturnValue:
    current.jobs().cancel(mine.job(id).id)
    return redirect(url_for("pages.job", id=id), 303)


@pages.post("/jobs/<id>/pause")
def pause(id: str) -> ResponseReturnValue:
    current.jobs().pause(mine.job(id).id)
    return redirect(url_for("pages.job", id=id), 303)


@pages.post("/jobs/<id>/resume")
def resume(id: str) -> ResponseReturnValue:
    current.jobs().resume(mine.job(id).id)
    return redirect(url_for("pages.job", id=id), 303)


@pages.post("/jobs/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    current.library().delete_job(mine.job(id).owner, id)
    flash("The picture is deleted.")
    return redirect(url_for("results.history"), 303)


@pages.get("/jobs/<id>/photo")
def photo(id: str) -> Response:
    return _sent_along(mine.job(id).order.content)


@pages.get("/jobs/<id>/beginning")
def beginning(id: str) -> Response:
    """What there is to look at until there is a picture of it."""
    order = mine.job(id).order
    return _sent_along(order.start or order.content)


@pages.get("/jobs/<id>/paintings/<int:number>")
def painting(id: str, number: int) -> Response:
    styles = mine.job(id).order.styles
    key = styles[number].picture if number < len(styles) else None
    if key is None:
        raise Missing("This picture was painted without such a painting.")
    return _sent_along(key)


@pages.get("/jobs/<id>/masks/<int:number>")
def mask(id: str, number: int) -> Response:
    masks = mine.job(id).order.masks
    if number >= len(masks) or masks[number] in WORDS:
        raise Missing("This picture was painted without such a mask.")
    return _sent_along(masks[number])


def _sent_along(key: str) -> Response:
    """As it was sent, for its owner's browser to show or to send again; never as a page of ours."""
    return send_file(io.BytesIO(current.library().picture(key)), "image/*")


def _moment(job: Job) -> str:
    """Which words and buttons the page has; "again": it waits, and has something to show already."""
    if job.cancelling:
        return "stopping"
    return "again" if job.state == "queued" and job.losses else job.state


def _told(job: Job, ahead: int) -> str:
    if job.cancelling:
        return "Stopping…"
    if job.state == "paused":
        return f"Paused at step {job.step} of {job.steps}" if job.step else "Paused"
    if job.state == "queued":
        return _AHEAD.get(ahead, f"{ahead} pictures are ahead of yours.")
    return f"Step {job.step} of {job.steps}{_left(job.seconds_left)}" if job.step else "Starting…"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f" · about {seconds:.0f} s left" if seconds < 90 else f" · about {seconds / 60:.0f} min left"


def _listed(names: list[str]) -> str:
    """ "Flow, Ink and Dots" """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _from_earlier(earlier: Job) -> ResponseReturnValue:
    """Without a result the photo is only here to be sent once more, which takes JavaScript."""
    if earlier.method == refinements.GATYS:
        return redirect(f"{url_for('explore.explore')}?from={earlier.id}")
    form = Form.of_order(earlier.order, RESULT + earlier.id if mine.result_of(earlier) else "")
    small = None if ALPHA in earlier.order.masks else _kept_photo(form)  # which has no clear parts
    photo = small or url_for("pages.photo", id=earlier.id)
    name, regions = earlier.order.content_name, _regions(earlier)
    return make_response(_page(earlier.owner, form, job=earlier, photo=photo, photo_name=name, regions=regions))


def _regions(earlier: Job) -> dict[str, Any] | None:
    """For the page's script: masks as words or addresses, and what numbers its styles in their order there."""
    order = earlier.order
    if not order.masks:
        return None
    masks = [
        mask if mask in WORDS else url_for("pages.mask", id=earlier.id, number=number)
        for number, mask in enumerate(order.masks)
    ]
    options = order.options.model_dump(mode="json", include={"feather", "paint", "region_strengths"}, exclude_none=True)
    if isinstance(order.options, StylizeOptions):  # its numbers, said or not: one for each where they are as many
        numbered = order.options.regions(len(order.masks), len(order.styles))
        options["region_styles"] = [style for style, _ in numbered]
    return {"masks": masks, "styles": [style.id for style in order.styles], "options": options}


def _kept_photo(form: Form) -> str | None:
    return url_for("results.before", id=form.content.removeprefix(RESULT)) if form.content.startswith(RESULT) else None


def _kept_size(form: Form) -> tuple[int, int] | None:
    """(width, height) of the photo itself, of which the page shows a smaller copy."""
    with suppress(StyleTransferError):  # where it is gone, its own address says so
        if form.content.startswith(RESULT):
            return images.peek(choices.photo_of(choices.result_of(form.content, "content")).read())
    return None


def _page(owner: str, form: Form, **more: Any) -> str:
    return render_template(
        "create/create.html",
        form=form,
        styles=current.library().styles(owner),
        sizes=_sizes(form.size),
        scales=_scales(form.style_scale),
        default_side=DEFAULT_SIDE,
        max_bytes=current.settings().upload_bytes,
        max_styles=MAX_STYLES,
        **({"photo": _kept_photo(form), "photo_name": "your photo", "photo_size": _kept_size(form)} | more),
    )


def _sizes(chosen: str) -> list[int]:
    """And the one that a program asked for, in a picture like which another is to be made."""
    most = current.settings().result_pixels
    allowed = [side for side in _SIZES if side * side * _USUAL <= most]
    return sorted({*allowed, *([int(chosen)] if chosen.isdecimal() and len(chosen) < 6 else [])})


def _scales(chosen: str) -> list[str]:
    """Likewise; what is no number is told, not offered."""
    return sorted({*_SCALES, *([chosen] if _is_scale(chosen) else [])}, key=float)


def _is_scale(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and len(text) < 9
