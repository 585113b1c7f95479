"""Every JSON answer of the API: what the views answer with, and what the documentation describes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from flask import Response, url_for
from pydantic import BaseModel, ConfigDict, Field

from app.jobs.order import JobMethod
from app.jobs.queue import Job, JobState
from app.storage.records import Result, Style
from model.refinement.encoder_registry import Encoder, find


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


class Losses(Answer):
    """How far the picture was from its photo and paintings; the parts before they are weighted."""

    step: int
    loss: float = Field(description="The whole; 0 in a training, which has no such number.")
    content: float
    style: float
    variation: float = Field(description="Of what is not smooth; 0 in a training.")


class JobAnswer(Answer):
    """A picture that is painted, or a network that is trained, while nobody waits for the answer."""

    id: str
    method: JobMethod = Field(
        description="magenta: in one go. gatys: refined step by step. train: it paints nothing, but trains a style's "
        "own network."
    )
    state: JobState
    step: int = Field(description="Steps done, of `steps`.")
    steps: int = Field(description="0 until painting has begun.")
    seconds_left: float | None = Field(description="Estimated; null while it is not known.")
    position: int = Field(description="Jobs that are painted before this one; 0 when it is next or running.")
    preview: str | None = Field(description="Address of the picture so far (JPEG), another for each; null until then.")
    result: str | None = Field(
        description="Address of the picture; null until there is one. A cancelled job has the best so far, if any."
    )
    style: str | None = Field(
        description="Of a training: address of the style that gets the network; null once that is gone, and of others."
    )
    complete: bool | None = Field(
        description="Of a training whose network the style has: false where it was stopped, and has learnt that far; "
        "null otherwise."
    )
    page: str = Field(description="Address of the page that shows this job in a browser.")
    notes: list[str] = Field(description="What is to be known about the picture, such as why it ended early.")
    error: Error | None = Field(
        description="Why a failed job failed, or why the server paused one, where it did; null otherwise."
    )
    cancelling: bool = Field(description="It was told to stop and will, at its next step.")
    pausing: bool = Field(description="It was told to pause and will, at its next step.")
    losses: list[Losses] | None = Field(
        description="Of a refinement or training: a hundred steps at most, evenly spread, the first and the last among "
        "them; null of other jobs."
    )
    attempts: int = Field(
        description="How often painting was begun since it last came further; more than once after a worker was lost."
    )
    created: datetime
    expires: datetime = Field(description="When the job and its result are deleted.")

    @classmethod
    def of(cls, job: Job, position: int, result: Result | None = None, style: Style | None = None) -> Self:
        """Describe a job. style: that of a training, as it is now."""
        training = style.training if style and style.training and style.training.job == job.id else None
        return cls(
            id=job.id,
            method=job.method,
            state=job.state,
            step=job.step,
            steps=job.steps,
            seconds_left=job.seconds_left,
            position=position,
            preview=url_for("api_jobs.job_preview", id=job.id, version=job.preview[:16]) if job.preview else None,
            result=url_for("api_jobs.job_result", id=job.id) if result else None,
            style=url_for("api_styles.style", id=style.id) if style else None,
            complete=training.complete if training else None,
            page=url_for("job.job", id=job.id),
            notes=result.recipe.get("notes", []) if result else training.notes if training else [],
            error=Error(**job.error) if job.error else None,
            cancelling=job.cancelling,
            pausing=job.pausing,
            losses=_loss_answers(job),
            attempts=job.attempts,
            created=utc_datetime(job.created),
            expires=utc_datetime(job.expires),
        )


def _loss_answers(job: Job) -> list[Losses] | None:
    if not job.is_stepwise:
        return None
    return [Losses(**dict(zip(Losses.model_fields, row, strict=True))) for row in job.losses or ()]


class CellAnswer(Answer):
    """One picture of a contact sheet: what it was made with, and where on the sheet it is, in pixels."""

    style: int = Field(description="Its number among those that were sent, from 1.")
    strength: float
    style_scale: float = Field(description="Brush size.")
    x: int
    y: int
    width: int
    height: int


class SheetAnswer(Answer):
    """A contact sheet, for those who would rather have JSON than a picture."""

    image: str = Field(description="The sheet as a data URL.")
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")
    cells: list[CellAnswer]
    seconds: float = Field(description="What painting took.")
    weights: str = Field(description="Name of the weights that painted.")


class RecipeStyle(Answer):
    """A style as a recipe has it, and what to send for it. With neither `id` nor `file` its painting is needed."""

    id: str = Field("", description="Of the same style on this server: one that ships, or one of the caller's own.")
    name: str
    file: str = Field("", description="Where it has no id: its style file, to be sent in place of a painting.")
    weight: float = Field(description="How much of it; only ratios count.")


class RecipeAnswer(Answer):
    """How a picture was made, and what to send to have another photo painted alike."""

    recipe: dict[str, Any] = Field(description="As it is in the picture.")
    options: dict[str, Any] = Field(description="The method and its options, as `/api/v1/jobs` takes them.")
    styles: list[RecipeStyle]
    masks: list[str] = Field(description="Words and data URLs, as `/api/v1/jobs` takes them.")
    notes: list[str] = Field(description="What could not be restored.")


class ForecastAnswer(Answer):
    """What a picture would come to, before it is painted."""

    width: int = Field(description="Of the result, in pixels.")
    height: int = Field(description="Of the result, in pixels.")
    seconds: float | None = Field(description="What painting would take; null while the server is still loading.")
    memory: int | None = Field(description="Of the whole program at most, in bytes; likewise.")
    disk: int | None = Field(description="For a while, in bytes; likewise.")
    tiled: bool | None = Field(description="Whether it would be painted piece by piece; likewise.")


class EncoderAnswer(Answer):
    """A network that judges refinements."""

    name: str
    layers: list[str] = Field(description="All that content and style can be compared at, from edges to things.")
    content: dict[str, float] = Field(
        description="Where content is compared unless told otherwise, and how much each counts."
    )
    style: dict[str, float] = Field(description="Where style is compared unless told otherwise, likewise.")
    smooth: bool = Field(description="Its features need smoothing, which is done by itself.")
    smallest: int = Field(description="Pixels that the picture's shorter side must have.")
    ready: bool = Field(description="Its weights are on this server; others are fetched when first needed.")

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        return cls(
            name=encoder.name,
            layers=list(encoder.layers),
            content=dict(encoder.content),
            style=dict(encoder.style),
            smooth=encoder.smooth,
            smallest=encoder.smallest,
            ready=find(encoder.name) is not None,
        )


class EncodersAnswer(Answer):
    encoders: list[EncoderAnswer]
    presets: dict[str, dict[str, Any]] = Field(
        description="What each preset has set, by its name; all else is as `balanced` has it."
    )


class StyleAnswer(Answer):
    """A style of the library: one that ships with the server, or one of the caller's own."""

    id: str
    name: str
    credit: str = Field(description="Who made it.")
    licence: str = Field(description="What may be done with it.")
    own: bool = Field(description="The caller's; false: it ships with the server.")
    has_picture: bool = Field(description="False: kept as its numbers alone.")
    weights: str | None = Field(
        description="Name of the weights that its numbers are for; null of a picture without a network of its own."
    )
    taught: bool = Field(
        description="It has a network of its own that paints it, which was trained here or came with its style file."
    )
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
            taught=style.network is not None,
            thumbnail=url_for("api_styles.thumbnail", id=style.id),
            vector=url_for("api_styles.vector", id=style.id),
            created=_creation_time(style),
        )


class StylesAnswer(Answer):
    styles: list[StyleAnswer]


def utc_datetime(seconds: float) -> datetime:
    """Convert seconds since 1970 to what is written as 2026-01-31T12:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)


def _creation_time(style: Style) -> datetime | None:
    return None if style.created is None else utc_datetime(style.created)


class OldStyle(Answer):
    id: str = Field(description="Text, where the older site had numbers.")
    name: str
    title: str = Field(description="The same as `name`.")
    link: str = Field(description="Address of a small picture of it.")
    image: str = Field(description="The same as `link`.")
    created_at: datetime | None = Field(description="Null for one that ships.")

    @classmethod
    def of(cls, style: Style) -> Self:
        picture, created = url_for("api_styles.thumbnail", id=style.id), _creation_time(style)
        return cls(id=style.id, name=style.name, title=style.name, link=picture, image=picture, created_at=created)


class OldUpload(Answer):
    id: str = Field(description="That of the job; `/api/v1/jobs/{id}` tells more.")
    image: str | None = Field(description="Address of the photo; null until it is painted.")
    style: str | None = Field(description="Id of the stored style; null for a picture that was sent.")
    link: str = Field(description="Name of the style.")
    result: str | None = Field(description="Address of the painted picture; null until there is one.")
    state: JobState
    error: Error | None = Field(description="Why a failed one failed; null otherwise.")
    created_at: datetime
