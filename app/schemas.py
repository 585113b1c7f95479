"""Every JSON answer of /api/v1: what the views answer with, and what the documentation describes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from flask import Response, url_for
from pydantic import BaseModel, ConfigDict, Field

from app.jobs import Job, State
from app.records import Style
from app.tables import CREDIT_LENGTH, LICENCE_LENGTH, NAME_LENGTH


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def response(self, status: int = 200) -> Response:
        return Response(self.model_dump_json(exclude_unset=True), status, mimetype="application/json")


class Error(Answer):
    code: str = Field(description="For programs; it stays the same where the sentence changes.")
    message: str = Field(description="For people: what is wrong, and what to do about it.")
    field: str | None = Field(None, description="The part of the request at fault, where there is one.")


class ErrorAnswer(Answer):
    """What every request that fails is answered."""

    error: Error


class PaintedAnswer(Answer):
    """A pastiche, for those who would rather have JSON than a picture."""

    image: str = Field(description="The picture as a data URL.")
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")
    seconds: float = Field(description="What painting took.")
    weights: str = Field(description="Name of the weights that painted.")
    recipe: dict[str, Any] = Field(description="All it takes to make the same picture again.")


class JobAnswer(Answer):
    """A picture that is painted while nobody waits for the answer."""

    id: str
    state: State
    step: int = Field(description="Steps done, of `steps`.")
    steps: int = Field(description="0 until painting has begun.")
    seconds_left: float | None = Field(description="Estimated; null while it is not known.")
    position: int = Field(description="Jobs that are painted before this one; 0 when it is next or running.")
    preview: str | None = Field(description="Address of the picture so far (JPEG), another for each; null until then.")
    result: str | None = Field(
        description="Address of the picture; null until there is one. A cancelled job has the best so far, if any."
    )
    page: str = Field(description="Address of the page that shows this job in a browser.")
    error: Error | None = Field(description="Why a failed job failed; null otherwise.")
    cancelling: bool = Field(description="It was told to stop and will, at its next step.")
    attempts: int = Field(description="How often painting was begun; more than once after a worker was lost.")
    created: datetime
    expires: datetime = Field(description="When the job and its result are deleted.")

    @classmethod
    def of(cls, job: Job, position: int, has_result: bool) -> Self:
        return cls(
            id=job.id,
            state=job.state,
            step=job.step,
            steps=job.steps,
            seconds_left=job.seconds_left,
            position=position,
            preview=url_for("api.job_preview", id=job.id, version=job.preview[:16]) if job.preview else None,
            result=url_for("api.job_result", id=job.id) if has_result else None,
            page=url_for("pages.job", id=job.id),
            error=Error(**job.error) if job.error else None,
            cancelling=job.cancelling,
            attempts=job.attempts,
            created=moment(job.created),
            expires=moment(job.expires),
        )


class StyleAnswer(Answer):
    """A style of the library: one that ships with the server, or one of the caller's own."""

    id: str
    name: str
    credit: str = Field(description="Who made it.")
    licence: str = Field(description="What may be done with it.")
    own: bool = Field(description="The caller's; false: it ships with the server.")
    has_picture: bool = Field(description="False: kept as its numbers alone.")
    weights: str | None = Field(description="Name of the weights that its numbers are for; null while it is a picture.")
    thumbnail: str = Field(description="Address of a small picture of it.")
    vector: str = Field(description="Address of its style file: its numbers, to keep or to share.")
    created: datetime | None = Field(description="Null for one that ships.")

    @classmethod
    def of(cls, style: Style) -> Self:
        return cls(
            id=style.id,
            name=style.name,
            credit=style.credit,
            licence=style.licence,
            own=style.own,
            has_picture=style.picture is not None or style.file is not None,
            weights=style.weights,
            thumbnail=url_for("api_styles.thumbnail", id=style.id),
            vector=url_for("api_styles.vector", id=style.id),
            created=moment(style.created) if style.created is not None else None,
        )


class StylesAnswer(Answer):
    styles: list[StyleAnswer]


Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
Credit = Annotated[str, Field(max_length=CREDIT_LENGTH)]
Licence = Annotated[str, Field(max_length=LICENCE_LENGTH)]


class StyleChange(BaseModel):
    """What is to be different of one of the caller's own styles; what is left out stays."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Name | None = Field(None, description="Not yet that of another style.")
    credit: Credit | None = Field(None, description="Who made it.")
    licence: Licence | None = Field(None, description="What may be done with it.")


class NewStyle(BaseModel):
    """What is told with the paintings of a new style."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Name = Field(description="Not yet that of another style.")
    credit: Credit = Field("", description="Who made it.")
    licence: Licence = Field("", description="What may be done with it.")
    keep: Literal["picture", "vector"] = Field(
        "picture", description="vector: only its numbers are kept, not the painting; so it is with several paintings."
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 -> what is written as 2026-01-31T12:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
