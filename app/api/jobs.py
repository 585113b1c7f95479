"""/api/v1/stylize and /api/v1/jobs: pictures at once, or as jobs."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.api import events
from app.api.job_answers import accepted_response, job_answer
from app.api.response_schemas import PaintedAnswer
from app.failures import ExceedsSyncLimit, Missing, NotDone
from app.http import context, identity
from app.http.downloads import encode
from app.http.negotiation import picture_or_json
from app.inputs import stylize_request, submission
from app.inputs.stylize_request import SyncLimitErrors
from app.inputs.synchronous_render import EncodedPastiche, render_pastiche
from model.imaging.formats import OUTPUT_FORMATS

blueprint = Blueprint("api_jobs", __name__, url_prefix="/api/v1")
_REFINEMENT_TOO_LONG = "A refinement takes too long to wait for. Send the same to /api/v1/jobs."
_TOO_LARGE = "This picture takes too long to wait for. Send the same to /api/v1/jobs, or a smaller 'size'."


@blueprint.post("/stylize")
def stylize() -> Response:
    caller = context.for_owner(identity.owner())
    sync_errors = SyncLimitErrors(
        too_large=ExceedsSyncLimit(_TOO_LARGE, "size"), refinement=ExceedsSyncLimit(_REFINEMENT_TOO_LONG, "method")
    )
    with stylize_request.receive(request, caller, sync_errors) as read:
        painted = caller.engine.run(lambda: render_pastiche(caller.engine.painter, read()))
    picture, pastiche = Response(painted.data, mimetype=painted.media_type), painted.pastiche
    picture.headers["Content-Disposition"] = f'inline; filename="pastiche.{painted.format}"'
    return picture_or_json(
        picture, lambda: _painted_answer(painted).response(), weights=pastiche.weights, seconds=pastiche.seconds
    )


@blueprint.post("/jobs")
def add_job() -> Response:
    caller = context.for_owner(identity.owner())
    with stylize_request.receive(request, caller) as read:
        job = submission.submit(caller, read, request.headers.get("Idempotency-Key"))
    return accepted_response(job)


@blueprint.get("/jobs/<id>")
def job(id: str) -> Response:
    return job_answer(context.readable_job(id)).response()


@blueprint.delete("/jobs/<id>")
def cancel_job(id: str) -> Response:
    """Cancel the job; a running one keeps the best so far."""
    return job_answer(context.jobs().cancel(context.readable_job(id).id)).response()


@blueprint.post("/jobs/<id>/pause")
def pause_job(id: str) -> Response:
    return job_answer(context.jobs().pause(context.readable_job(id).id)).response()


@blueprint.post("/jobs/<id>/resume")
def resume_job(id: str) -> Response:
    return job_answer(context.jobs().resume(context.readable_job(id).id)).response()


@blueprint.get("/jobs/<id>/events")
def job_events(id: str) -> Response:
    return events.stream(context.readable_job(id), lambda job: job_answer(job).model_dump_json(exclude_unset=True))


@blueprint.get("/jobs/<id>/preview")
def job_preview(id: str) -> Response:
    job = context.readable_job(id)
    if job.preview is None:
        raise NotDone("There is no preview at the moment.")
    return Response(context.library().picture(job.preview), mimetype="image/jpeg")


@blueprint.get("/jobs/<id>/result")
def job_result(id: str) -> Response:
    job = context.readable_job(id)
    if not job.ended:
        raise NotDone("This job is not done yet.")
    result = context.result_of_job(job)
    if result is None:
        raise Missing("This job has ended without a picture.")
    name, options = job.order.content_name, job.order.options
    data = encode(context.library().picture(result.picture), options.format, options.quality)
    response = Response(data, mimetype=OUTPUT_FORMATS[options.format].media_type)
    response.headers.set("Content-Disposition", "inline", filename=f"{name}-pastiche.{options.format}")
    return response


def _painted_answer(painted: EncodedPastiche) -> PaintedAnswer:
    width, height = painted.size
    return PaintedAnswer(
        image=painted.data_url,
        width=width,
        height=height,
        seconds=round(painted.pastiche.seconds, 3),
        weights=painted.pastiche.weights,
        recipe=painted.pastiche.recipe,
    )
