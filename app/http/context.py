"""The services of create_app, and who sends the request at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from app.failures import Missing
from app.http import identity
from app.http.identity import Owner
from app.jobs.queue import Job, Jobs
from app.jobs.render_engine import RenderEngine
from app.settings import PictureLimits, Settings
from app.storage.library import Library
from app.storage.records import Result, Style


@dataclass(frozen=True)
class Caller:
    """Who sends the request, with the server's limits and services that reading it takes."""

    limits: PictureLimits
    patience: float  # seconds that the request may wait for its place
    library: Library
    jobs: Jobs
    engine: RenderEngine
    owner_id: str | None  # None: neither a key nor a cookie

    def require_owner(self) -> str:
        if self.owner_id is None:
            raise Missing("This caller owns nothing.")
        return self.owner_id


def for_owner(owner: Owner | None) -> Caller:
    """Return the caller of the request at hand, given whose it is."""
    services = current_app.extensions
    return Caller(
        limits=services["settings"].picture_limits,
        patience=services["settings"].patience,
        library=services["library"],
        jobs=services["jobs"],
        engine=services["engine"],
        owner_id=owner.id if owner else None,
    )


def engine() -> RenderEngine:
    return cast(RenderEngine, current_app.extensions["engine"])


def library() -> Library:
    return cast(Library, current_app.extensions["library"])


def jobs() -> Jobs:
    return cast(Jobs, current_app.extensions["jobs"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def own_job(id: str) -> Job:
    """Return one of the caller's own jobs; a new caller gets a cookie."""
    return _require_job(id, lambda job: job.owner == identity.owner_or_new().id)


def readable_job(id: str) -> Job:
    """Return one of the caller's own jobs, or an open one; a new caller gets no cookie."""
    owner = identity.owner()
    return _require_job(id, lambda job: job.open or (owner is not None and job.owner == owner.id))


def _require_job(id: str, is_allowed: Callable[[Job], bool]) -> Job:
    job = jobs().get(id)
    if not is_allowed(job):
        raise Missing("There is no such job.")
    return job


def result_of_job(job: Job) -> Result | None:
    try:
        return library().result(job.owner, job.id)
    except Missing:
        return None


def trained_style(job: Job) -> Style | None:
    """Return the style that a training is for, as it is now; None where it is gone."""
    try:
        return library().style(job.owner, job.training_order.style)
    except Missing:
        return None


def require_own(style: Style, refusal: str) -> Style:
    """Return the style where it is one of the caller's own; raise Missing for one that ships."""
    if not style.own:
        raise Missing(refusal)
    return style
