"""The pages for people: what is to be painted, and how far it is. They work with and without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app.http import context, error_handlers, identity, negotiation
from app.inputs import references, stylize_request, submission
from app.inputs.references import RESULT_PREFIX
from app.inputs.render import preview_data_url, render_upload
from app.inputs.stylize_request import StylizeRequest
from app.jobs.queue import Job
from app.pages import facts
from app.pages.create_form import NO_STORE, FormValues, option_fields
from model.errors import InvalidOption, StyleTransferError
from model.imaging import image_files
from model.imaging.masking import ALPHA, MASK_WORDS
from model.options import DEFAULT_SIDE, MAX_STYLES, StylizeOptions

blueprint = Blueprint("pages", __name__)
_SIZES = [512, 1024, 2048, 3072, 4096, 6000, 8000]  # pixels, a choice of long sides
_USUAL_ASPECT = 2 / 3  # of a photo: its short side to the long one
_STYLE_SCALES = ["0.25", "0.5", "1", "2", "4"]


_REFINEMENT_TOO_LONG = "A refinement takes longer than a page can wait for. Let the server keep it."
_TOO_LONG = "This is too large to be painted while you wait. Choose a smaller one, or let the server keep it."


@blueprint.app_context_processor
def _retention_context() -> dict[str, str]:
    """Every page says how long things are kept."""
    hours = round(context.settings().keep_hours)
    return {"kept_for": f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours > 1 else "an hour"}


@blueprint.get("/")
def create() -> ResponseReturnValue:
    owner = identity.owner_or_new().id
    if earlier := request.args.get("from"):
        return _page_from_job(context.own_job(earlier))
    return make_response(_page(owner, FormValues(styles=frozenset(request.args.getlist("style")))))


@blueprint.post("/")
def paint_it() -> ResponseReturnValue:
    """The form sent without JavaScript."""
    owner = identity.owner_or_new()
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        request.form = ImmutableMultiDict(option_fields(sent))
        if NO_STORE in sent:
            return _paint_without_storing(sent)
        with stylize_request.receive(request) as upload:
            job = submission.submit(upload, owner)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page(owner.id, FormValues.of_fields(sent), problem=problem))
    return redirect(url_for("job.job", id=job.id), 303)


def _paint_without_storing(sent: MultiDict[str, str]) -> Response:
    """Both pictures are in the page that comes back: the server keeps neither."""
    with stylize_request.receive(request, no_refinement=InvalidOption(_REFINEMENT_TOO_LONG, NO_STORE)) as upload:
        shown = context.engine().run(lambda: _pastiche_context(upload()))
    return make_response(_page(identity.owner_or_new().id, FormValues.of_fields(sent), **shown))


def _pastiche_context(upload: StylizeRequest) -> dict[str, Any]:
    if upload.pixels > context.settings().sync_pixels:
        raise InvalidOption(_TOO_LONG, "size")
    painting = render_upload(upload)
    return {"painting": painting, "before": preview_data_url(upload.content), "after": preview_data_url(painting.array)}


def _page_from_job(earlier: Job) -> ResponseReturnValue:
    """Without a result the photo is only here to be sent once more, which takes JavaScript."""
    if earlier.method == facts.GATYS:
        return redirect(f"{url_for('explore.explore')}?from={earlier.id}")
    form = FormValues.of_order(earlier.order, RESULT_PREFIX + earlier.id if context.result_of_job(earlier) else "")
    small = None if ALPHA in earlier.order.masks else _photo_url(form)  # which has no clear parts
    photo = small or url_for("job.photo", id=earlier.id)
    name, regions = earlier.order.content_name, _regions_data(earlier)
    return make_response(_page(earlier.owner, form, job=earlier, photo=photo, photo_name=name, regions=regions))


def _regions_data(earlier: Job) -> dict[str, Any] | None:
    """For the page's script: masks as words or addresses, and what numbers its styles in their order there."""
    order = earlier.order
    if not order.masks:
        return None
    masks = [
        mask if mask in MASK_WORDS else url_for("job.mask", id=earlier.id, number=number)
        for number, mask in enumerate(order.masks)
    ]
    options = order.options.model_dump(mode="json", include={"feather", "paint", "region_strengths"}, exclude_none=True)
    if isinstance(order.options, StylizeOptions):  # its numbers, said or not: one for each where they are as many
        numbered = order.options.resolve_regions(len(order.masks), len(order.styles))
        options["region_styles"] = [style for style, _ in numbered]
    return {"masks": masks, "styles": [style.id for style in order.styles], "options": options}


def _photo_url(form: FormValues) -> str | None:
    return (
        url_for("results.before", id=form.content.removeprefix(RESULT_PREFIX))
        if form.content.startswith(RESULT_PREFIX)
        else None
    )


def _photo_size(form: FormValues) -> tuple[int, int] | None:
    """(width, height) of the photo itself, of which the page shows a smaller copy."""
    with suppress(StyleTransferError):  # where it is gone, its own address says so
        if form.content.startswith(RESULT_PREFIX):
            return image_files.peek_size(
                references.photo_of_result(references.require_result(form.content, "content")).read()
            )
    return None


def _page(owner: str, form: FormValues, **more: Any) -> str:
    return render_template(
        "create/create.html",
        form=form,
        styles=context.library().styles(owner),
        sizes=_size_choices(form.size),
        scales=_scale_choices(form.style_scale),
        default_side=DEFAULT_SIDE,
        max_bytes=context.settings().upload_bytes,
        max_styles=MAX_STYLES,
        **({"photo": _photo_url(form), "photo_name": "your photo", "photo_size": _photo_size(form)} | more),
    )


def _size_choices(chosen: str) -> list[int]:
    """And the one that a program asked for, in a picture like which another is to be made."""
    most = context.settings().result_pixels
    allowed = [side for side in _SIZES if side * side * _USUAL_ASPECT <= most]
    return sorted({*allowed, *([int(chosen)] if chosen.isdecimal() and len(chosen) < 6 else [])})


def _scale_choices(chosen: str) -> list[str]:
    """Likewise; what is no number is told, not offered."""
    return sorted({*_STYLE_SCALES, *([chosen] if _is_scale(chosen) else [])}, key=float)


def _is_scale(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and len(text) < 9
