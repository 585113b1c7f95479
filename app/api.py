"""/api/v1: the interface for programs. Pictures at once, or as jobs."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app import accepting, current, events, mine, owners, uploads
from app.encoding import encoded
from app.failures import Missing, NotDone, TooLong
from app.jobs import Job
from app.negotiation import json_preferred
from app.painting import Painting, paint
from app.schemas import JobAnswer, PaintedAnswer
from app.uploads import Upload

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/stylize")
def stylize() -> Response:
    owners.owner()  # refuses a key that opens nothing
    too_long = TooLong("A refinement takes too long to wait for. Send the same to /api/v1/jobs.", "method")
    with uploads.received(request, no_refinement=too_long) as upload:
        painting = current.engine().run(lambda: _painted(upload()))
    response = _as_json(painting) if json_preferred(painting.media_type) else _as_picture(painting)
    response.headers["X-Style-Weights"] = painting.pastiche.weights
    response.headers["X-Style-Seconds"] = f"{painting.pastiche.seconds:.2f}"
    response.headers["Vary"] = "Accept"
    return response


@api.post("/jobs")
def add_job() -> Response:
    owner = owners.owner()
    with uploads.received(request) as upload:
        job = accepting.accept(upload, owner, request.headers.get("Idempotency-Key"))
    answer = _shown(job)
    response = answer.response(202)
    response.headers["Location"] = f"{request.script_root}/api/v1/jobs/{job.id}"
    return response


@api.get("/jobs/<id>")
def job(id: str) -> Response:
    return _shown(mine.job_or_open(id)).response()


@api.delete("/jobs/<id>")
def cancel_job(id: str) -> Response:
    """Keeps the best picture so far."""
    return _shown(current.jobs().cancel(mine.job_or_open(id).id)).response()


@api.post("/jobs/<id>/pause")
def pause_job(id: str) -> Response:
    return _shown(current.jobs().pause(mine.job_or_open(id).id)).response()


@api.post("/jobs/<id>/resume")
def resume_job(id: str) -> Response:
    return _shown(current.jobs().resume(mine.job_or_open(id).id)).response()


@api.get("/jobs/<id>/events")
def job_events(id: str) -> Response:
    return events.stream(mine.job_or_open(id), lambda job: _shown(job).model_dump_json(exclude_unset=True))


@api.get("/jobs/<id>/preview")
def job_preview(id: str) -> Response:
    job = mine.job_or_open(id)
    if job.preview is None:
        raise NotDone("There is no preview at the moment.")
    return Response(current.library().picture(job.preview), mimetype="image/jpeg")


@api.get("/jobs/<id>/result")
def job_result(id: str) -> Response:
    job = mine.job_or_open(id)
    if not job.ended:
        raise NotDone("This job is not done yet.")
    result = mine.result_of(job)
    if result is None:
        raise Missing("This job has ended without a picture.")
    name, options = job.order.content_name, job.order.options
    data = encoded(current.library().picture(result.picture), options.format, options.quality)
    response = Response(data, mimetype=f"image/{options.format}")
    response.headers.set("Content-Disposition", "inline", filename=f"{name}-pastiche.{options.format}")
    return response


def _painted(upload: Upload) -> Painting:
    if upload.pixels > current.settings().sync_pixels:
        raise TooLong(
            "This picture takes too long to wait for. Send the same to /api/v1/jobs, or a smaller 'size'.", "size"
        )
    return paint(upload)


def _as_picture(painting: Painting) -> Response:
    response = Response(painting.data, mimetype=painting.media_type)
    response.headers["Content-Disposition"] = f'inline; filename="pastiche.{painting.format}"'
    return response


def _as_json(painting: Painting) -> Response:
    width, height = painting.size
    return PaintedAnswer(
        image=painting.data_url,
        width=width,
        height=height,
        seconds=round(painting.pastiche.seconds, 3),
        weights=painting.pastiche.weights,
        recipe=painting.pastiche.recipe,
    ).response()


def _shown(job: Job) -> JobAnswer:
    result = mine.result_of(job) if job.state in ("done", "cancelled") else None
    position = current.jobs().position(job.id) if job.state == "queued" else 0
    return JobAnswer.of(job, position, result)
