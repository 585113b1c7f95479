"""The parts that create_app put together, for the request at hand."""

from __future__ import annotations

from typing import cast

from flask import current_app

from app.failures import Missing
from app.http import identity
from app.jobs.engine import RenderEngine
from app.jobs.queue import Job, Jobs
from app.settings import Settings
from app.storage.library import Library
from app.storage.records import Result


def engine() -> RenderEngine:
    return cast(RenderEngine, current_app.extensions["engine"])


def library() -> Library:
    return cast(Library, current_app.extensions["library"])


def jobs() -> Jobs:
    return cast(Jobs, current_app.extensions["jobs"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def own_job(id: str) -> Job:
    """The caller's own."""
    found = jobs().get(id)
    if found.owner != identity.owner_or_new().id:
        raise Missing("There is no such job.")
    return found


def readable_job(id: str) -> Job:
    """The caller's own, or an open one. A caller who is new gets no cookie."""
    owner = identity.owner()
    found = jobs().get(id)
    if not found.open and (owner is None or owner.id != found.owner):
        raise Missing("There is no such job.")
    return found


def result_of_job(job: Job) -> Result | None:
    try:
        return library().result(job.owner, job.id)
    except Missing:
        return None
