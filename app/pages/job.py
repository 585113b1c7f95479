"""The pages for people: what is to be painted, and how far it is. They work with and without JavaScript."""

from __future__ import annotations

import io

from flask import Blueprint, Response, flash, make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from app.failures import Missing
from app.http import context
from app.jobs.queue import Job
from app.pages import facts
from model.imaging.masking import MASK_WORDS

blueprint = Blueprint("job", __name__)
_QUEUE_TEXTS = {0: "Next in line.", 1: "1 picture is ahead of yours."}


@blueprint.get("/jobs/<id>")
def job(id: str) -> ResponseReturnValue:
    found = context.own_job(id)
    if found.ended and context.result_of_job(found):
        return redirect(url_for("results.result", id=id), 303)
    told, names = _progress_text(found, context.jobs().position(id)), [style.name for style in found.order.styles]
    rows, moment = facts.loss_rows(found), _page_state(found)
    page = render_template("job.html", job=found, told=told, styles=_join_names(names), rows=rows, moment=moment)
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
    context.library().delete_job(context.own_job(id).owner, id)
    flash("The picture is deleted.")
    return redirect(url_for("results.history"), 303)


@blueprint.get("/jobs/<id>/photo")
def photo(id: str) -> Response:
    return _send_stored_picture(context.own_job(id).order.content)


@blueprint.get("/jobs/<id>/beginning")
def beginning(id: str) -> Response:
    """What there is to look at until there is a picture of it."""
    order = context.own_job(id).order
    return _send_stored_picture(order.start or order.content)


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
    """As it was sent, for its owner's browser to show or to send again; never as a page of ours."""
    return send_file(io.BytesIO(context.library().picture(key)), "image/*")


def _page_state(job: Job) -> str:
    """Which words and buttons the page has; "again": it waits, and has something to show already."""
    if job.cancelling:
        return "stopping"
    return "again" if job.state == "queued" and job.losses else job.state


def _progress_text(job: Job, ahead: int) -> str:
    if job.cancelling:
        return "Stopping…"
    if job.state == "paused":
        return f"Paused at step {job.step} of {job.steps}" if job.step else "Paused"
    if job.state == "queued":
        return _QUEUE_TEXTS.get(ahead, f"{ahead} pictures are ahead of yours.")
    return f"Step {job.step} of {job.steps}{_time_left_text(job.seconds_left)}" if job.step else "Starting…"


def _time_left_text(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f" · about {seconds:.0f} s left" if seconds < 90 else f" · about {seconds / 60:.0f} min left"


def _join_names(names: list[str]) -> str:
    """ "Flow, Ink and Dots" """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
