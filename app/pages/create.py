"""The Create page: a form that becomes a job, or a picture at once. It works with and without JavaScript."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from app.http import context, error_handlers, identity, negotiation
from app.http.context import Caller
from app.inputs import references, stylize_request, submission
from app.inputs.references import RESULT_PREFIX, ResultPhoto
from app.inputs.stylize_request import StylizeInputs, SyncLimitErrors
from app.inputs.synchronous_render import preview_data_url, render_pastiche
from app.jobs.painter import Painter
from app.jobs.queue import Job
from app.pages import page_options, picture_inputs
from app.pages.create_form import NO_STORE, FormValues, option_fields
from model.errors import InvalidOption, StyleTransferError
from model.imaging import image_files
from model.imaging.masking import ALPHA, MASK_WORDS
from model.options import StylizeOptions

blueprint = Blueprint("create", __name__)
_SIZES = [512, 1024, 2048, 3072, 4096, 6000, 8000]  # pixels, a choice of long sides
_USUAL_ASPECT = 2 / 3  # of a photo: its short side to the long one
_REFINEMENT_TOO_LONG = "A refinement takes longer than a page can wait for. Let the server keep it."


@blueprint.get("/")
def create() -> ResponseReturnValue:
    caller = context.for_owner(identity.owner_or_new())
    if earlier := request.args.get("from"):
        return _page_from_job(caller, context.own_job(earlier))
    return make_response(_page(caller, FormValues(styles=frozenset(request.args.getlist("style")))))


@blueprint.post("/")
def paint_it() -> ResponseReturnValue:
    """Take the form as it is sent without JavaScript."""
    caller = context.for_owner(identity.owner_or_new())
    sent: MultiDict[str, str] = MultiDict()
    try:
        sent = request.form.copy()
        request.form = ImmutableMultiDict(option_fields(sent))
        if NO_STORE in sent:
            return _paint_without_storing(caller, sent)
        with stylize_request.receive(request, caller) as read:
            job = submission.submit(caller, read)
    except (StyleTransferError, RequestEntityTooLarge) as error:
        if negotiation.wants_json():
            raise
        problem = error_handlers.describe(error)
        return error_handlers.as_page(problem, _page(caller, FormValues.of_fields(sent), problem=problem))
    return redirect(url_for("job.job", id=job.id), 303)


def _paint_without_storing(caller: Caller, sent: MultiDict[str, str]) -> Response:
    """Return a page that has both pictures in it; the server keeps neither."""
    sync_errors = SyncLimitErrors(
        too_large=InvalidOption(page_options.TOO_LONG, "size"), refinement=InvalidOption(_REFINEMENT_TOO_LONG, NO_STORE)
    )
    with stylize_request.receive(request, caller, sync_errors) as read:
        pictures = caller.engine.run(lambda: _pastiche_context(caller.engine.painter, read()))
    return make_response(_page(caller, FormValues.of_fields(sent), **pictures))


def _pastiche_context(painter: Painter, inputs: StylizeInputs) -> dict[str, Any]:
    painting = render_pastiche(painter, inputs)
    return {"painting": painting, "before": preview_data_url(inputs.content), "after": preview_data_url(painting.array)}


def _page_from_job(caller: Caller, earlier: Job) -> ResponseReturnValue:
    """Fill the page as a job was ordered. Without a result its photo is sent once more, which takes JavaScript."""
    if earlier.is_refinement:
        return redirect(f"{url_for('explore.explore')}?from={earlier.id}")
    form = FormValues.of_order(earlier.order, RESULT_PREFIX + earlier.id if context.result_of_job(earlier) else "")
    small = None if ALPHA in earlier.order.masks else picture_inputs.photo_url(form.content)  # which has no clear parts
    photo = small or url_for("job.photo", id=earlier.id)
    name, regions = earlier.order.content_name, _regions_data(earlier)
    return make_response(_page(caller, form, job=earlier, photo=photo, photo_name=name, regions=regions))


def _regions_data(earlier: Job) -> dict[str, Any] | None:
    """Return the job's regions for the page's script: masks as words or addresses, and its styles in their order."""
    order = earlier.order
    if not order.masks:
        return None
    masks = [
        mask if mask in MASK_WORDS else url_for("job.mask", id=earlier.id, number=number)
        for number, mask in enumerate(order.masks)
    ]
    options = order.options.model_dump(mode="json", include={"feather", "paint", "region_strengths"}, exclude_none=True)
    if isinstance(order.options, StylizeOptions):  # also where each mask has its style without its saying so
        numbered = order.options.resolve_regions(len(order.masks), len(order.styles))
        options["region_styles"] = [style for style, _ in numbered]
    return {"masks": masks, "styles": [style.id for style in order.styles], "options": options}


def _photo_size(caller: Caller, form: FormValues) -> tuple[int, int] | None:
    """Return (width, height) of a result's photo, of which the page shows a smaller copy; None where it is none."""
    with suppress(StyleTransferError):  # where it is gone, the address of the copy says so
        if form.content.startswith(RESULT_PREFIX):
            photo = ResultPhoto.of(references.require_result(caller, form.content, "content"))
            return image_files.peek_size(photo.read(caller.library))
    return None


def _page(caller: Caller, form: FormValues, **more: Any) -> str:
    return render_template(
        "create/create.html",
        form=form,
        styles=caller.library.styles(caller.owner_id),
        sizes=_size_choices(form.size, caller.limits.result_pixels),
        scales=_scale_choices(form.style_scale),
        **(picture_inputs.template_variables(form.content) | {"photo_size": _photo_size(caller, form)} | more),
    )


def _size_choices(chosen: str, most: int) -> list[int]:
    """Return the long sides to choose from; one that a program asked for in an earlier picture is among them.

    most: pixels that a result may have.
    """
    allowed = [side for side in _SIZES if side * side * _USUAL_ASPECT <= most]
    return sorted({*allowed, *([int(chosen)] if chosen.isdecimal() and len(chosen) < 6 else [])})


def _scale_choices(chosen: str) -> list[str]:
    """Return the brush sizes to choose from, as of the long sides; what is no number is not offered."""
    return sorted({*page_options.STYLE_SCALE_NAMES, *([chosen] if _is_scale(chosen) else [])}, key=float)


def _is_scale(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and len(text) < 9
