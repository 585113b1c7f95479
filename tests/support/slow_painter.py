"""The server's programs with a painter who takes half a second, and no TensorFlow: so that killing them often is quick.

`gunicorn "tests.support.slow_painter:create_app()"` and `python -m tests.app.slow_painter worker`.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

from flask import Flask

import app
import model
from app.__main__ import main
from model.imaging import image_files
from model.imaging.pixel_ops import Picture
from model.options import RefineOptions, StylizeOptions
from model.pipelines import stylization
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint, OnStep, Step
from tests.support.requests import NEGATIVE

STEPS, SECONDS = 10, 0.5
DEADLY = 0.125  # a strength that kills the painter


def paint(
    content, styles, options: StylizeOptions, model_path=None, on_step: OnStep | None = None, masks=()
) -> Pastiche:
    photo = image_files.read(content, long_side=options.size)
    pastiche = Pastiche(Picture(1 - photo.rgb), NEGATIVE, SECONDS, _recipe(styles))
    try:
        for step in range(STEPS if on_step else 0):
            on_step(Step(step, STEPS, SECONDS * (1 - step / STEPS), pastiche.picture))
            if options.strength == DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(SECONDS / STEPS)
    except Cancelled:
        return replace(pastiche, complete=False)
    return pastiche


def refine(
    content,
    styles,
    options: RefineOptions,
    start=None,
    on_step: OnStep | None = None,
    model_path=None,
    resume: Checkpoint | None = None,
    masks=(),
) -> Pastiche:
    """The recipe tells how many steps this call took."""
    photo = image_files.read(content, long_side=options.size)
    picture, done = Picture(1 - photo.rgb), resume.step if resume else 0
    step, complete = done, True
    try:
        on_step(Step(done, options.steps, None, picture))
        for step in range(done + 1, options.steps + 1):
            time.sleep(SECONDS / STEPS)
            losses = dict.fromkeys(("loss", "content", "style", "variation"), 1 / step)
            on_step(Step(step, options.steps, (options.steps - step) * SECONDS / STEPS, picture, losses))
    except Cancelled:
        complete = False
    return Pastiche(picture, options.encoder, SECONDS, _recipe(styles) | {"taken": step - done}, complete)


def _recipe(styles) -> dict:
    return {"styles": [{"weight": 1.0} for _ in styles]}


def install() -> None:
    """For good: this process does nothing else. Not on import, which a test does for DEADLY."""
    stylization.stylize = paint
    model.refine = refine
    stylization.warm_up = lambda: NEGATIVE


def create_app() -> Flask:
    install()
    return app.create_app()


if __name__ == "__main__":
    install()
    main()
