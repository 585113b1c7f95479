"""What the caller may see on this server: a job, and the result of one."""

from __future__ import annotations

from app import current, owners
from app.failures import Missing
from app.jobs import Job
from app.records import Result


def job(id: str) -> Job:
    """The caller's own."""
    found = current.jobs().get(id)
    if found.owner != owners.owner_or_new().id:
        raise Missing("There is no such job.")
    return found


def job_or_open(id: str) -> Job:
    """The caller's own, or an open one. A caller who is new gets no cookie."""
    owner = owners.owner()
    found = current.jobs().get(id)
    if not found.open and (owner is None or owner.id != found.owner):
        raise Missing("There is no such job.")
    return found


def result_of(job: Job) -> Result | None:
    try:
        return current.library().result(job.owner, job.id)
    except Missing:
        return None
