"""A job's page, with how far it is, and the pictures that it was sent with. It works with and without JavaScript."""

from __future__ import annotations

import io
from collections.abc import Mapping

from flask import Blueprint, Response, flash, make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from app.failures import Missing
from app.http import context
from app.jobs.queue import Job
from app.pages import facts
from model.imaging.masking import MASK_WORDS
from model.options import join_words

blueprint = Blueprint("job", __name__)
_TEXTS = {  # as the page and its script say it
    "stopping": "Stopping…",
    "paused": "Paused",
    "paused_at_step": "Paused at step {step} of {steps}",
    "next_in_line": "Next in line.",
    "one_ahead": "1 picture is ahead of yours.",
    "some_ahead": "{ahead} pictures are ahead of yours.",
    "starting": "Starting…",
    "at_step": "Step {step} of {steps}",
    "seconds_left": " · about {seconds} s left",
    "minutes_left": " · about {minutes} min left",
}
_TRAINING_TEXTS = _TEXTS | {
    "one_ahead": "1 style is ahead of yours.",
    "some_ahead": "{ahead} styles are ahead of yours.",
}
_MOST_SECONDS = 90  # seconds, from which on it is minutes that are said


@blueprint.get("/jobs/<id>")
def job(id: str) -> ResponseReturnValue:
    wanted = context.own_job(id)
    if wanted.is_training:
        return _training_page(wanted)
    if wanted.ended and context.result_of_job(wanted):
        return redirect(url_for("results.result", id=id), 303)
    page = render_template(
        "job.html",
        job=wanted,
        state=_page_state(wanted),
        progress=_progress_text(wanted, context.jobs().position(id), _TEXTS),
        script_texts={"texts": _TEXTS, "mostSeconds": _MOST_SECONDS},
        styles=join_words(wanted.style_names),
        losses=facts.loss_rows(wanted),
    )
    return make_response(page)


def _training_page(wanted: Job) -> ResponseReturnValue:
    """Show how far a training is, or lead to its style once that has the network."""
    style = context.trained_style(wanted)
    if style and style.training and style.training.job == wanted.id:
        return redirect(url_for("styles.style", id=style.id), 303)
    page = render_template(
        "training.html",
        job=wanted,
        style=style,
        state=_page_state(wanted),
        progress=_progress_text(wanted, context.jobs().position(wanted.id), _TRAINING_TEXTS),
        script_texts={"texts": _TRAINING_TEXTS, "mostSeconds": _MOST_SECONDS},
        losses=facts.loss_rows(wanted),
    )
    return make_response(page)


@blueprint.post("/jobs/<id>/cancel")
def cancel(id: str) -> ResponseReturnValue:
    context.jobs().cancel(context.own_job(id).id)
    return redirect(url_for("job.job", id=id), 303)


@blueprint.post("/jobs/<id>/pause")
def pause(id: str) -> ResponseReturnValue:
    context.jobs().pause(context.own_job(id).id)
    return redirect(url_for("job.job", id=id), 303)


@blueprint.post("/jobs/<id>/resume")
def resume(id: str) -> ResponseReturnValue:
    context.jobs().resume(context.own_job(id).id)
    return redirect(url_for("job.job", id=id), 303)


@blueprint.post("/jobs/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    wanted = context.own_job(id)
    context.library().delete_job(wanted.owner, id)
    flash("The training is deleted." if wanted.is_training else "The picture is deleted.")
    return redirect(url_for("results.history"), 303)


@blueprint.get("/jobs/<id>/photo")
def photo(id: str) -> Response:
    return _send_stored_picture(context.own_job(id).order.content)


@blueprint.get("/jobs/<id>/beginning")
def beginning(id: str) -> Response:
    """Return what is shown until the job has a picture of its own."""
    wanted = context.own_job(id)
    if wanted.is_training:
        return _send_stored_picture(wanted.training_order.picture)
    return _send_stored_picture(wanted.order.start or wanted.order.content)


@blueprint.get("/jobs/<id>/paintings/<int:number>")
def painting(id: str, number: int) -> Response:
    styles = context.own_job(id).order.styles
    key = styles[number].picture if number < len(styles) else None
    if key is None:
        raise Missing("This picture was painted without such a painting.")
    return _send_stored_picture(key)


@blueprint.get("/jobs/<id>/masks/<int:number>")
def mask(id: str, number: int) -> Response:
    masks = context.own_job(id).order.masks
    if number >= len(masks) or masks[number] in MASK_WORDS:
        raise Missing("This picture was painted without such a mask.")
    return _send_stored_picture(masks[number])


def _send_stored_picture(key: str) -> Response:
    """Send a picture as it was received, with a type under which no browser runs it as a page."""
    return send_file(io.BytesIO(context.library().picture(key)), "image/*")


def _page_state(job: Job) -> str:
    """Return which words and buttons the page has; "again": it waits, and has something to show already."""
    if job.cancelling:
        return "stopping"
    return "again" if job.state == "queued" and job.losses else job.state


def _progress_text(job: Job, ahead: int, texts: Mapping[str, str]) -> str:
    if job.cancelling:
        return texts["stopping"]
    if job.state == "paused":
        return texts["paused_at_step" if job.step else "paused"].format(step=job.step, steps=job.steps)
    if job.state == "queued":
        return texts[{0: "next_in_line", 1: "one_ahead"}.get(ahead, "some_ahead")].format(ahead=ahead)
    if not job.step:
        return texts["starting"]
    return texts["at_step"].format(step=job.step, steps=job.steps) + _time_left_text(job.seconds_left)


def _time_left_text(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _MOST_SECONDS:
        return _TEXTS["seconds_left"].format(seconds=f"{seconds:.0f}")
    return _TEXTS["minutes_left"].format(minutes=f"{seconds / 60:.0f}")
