"""What the API answers about a job."""

from __future__ import annotations

from flask import Response, request

from app.api.response_schemas import JobAnswer
from app.http import context
from app.jobs.queue import Job


def job_answer(job: Job) -> JobAnswer:
    position = context.jobs().position(job.id) if job.state == "queued" else 0
    if job.is_training:
        return JobAnswer.of(job, position, style=context.trained_style(job))
    result = context.result_of_job(job) if job.state in ("done", "cancelled") else None
    return JobAnswer.of(job, position, result)


def accepted_response(job: Job) -> Response:
    """Return the answer to the request that the job came of."""
    response = job_answer(job).response(202)
    response.headers["Location"] = f"{request.script_root}/api/v1/jobs/{job.id}"
    return response
