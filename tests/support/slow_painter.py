"""The server's programs with a fake painter that takes half a second, so that killing them often is quick.

`gunicorn "tests.support.slow_painter:create_app()"` and `python -m tests.support.slow_painter worker`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from flask import Flask

import app
from app.__main__ import main
from model.imaging.image_files import ImageSource
from model.options import StylizeOptions
from model.pipelines.stylization import Pastiche
from model.progress import OnStep
from tests.support.fake_painter import FakePainter

STEPS, SECONDS = 10, 0.5
DEADLY_STRENGTH = 0.125  # kills the painter's process at the first step


class MortalPainter(FakePainter):
    def stylize(
        self,
        content: ImageSource,
        styles: Sequence[ImageSource],
        options: StylizeOptions,
        *,
        on_step: OnStep | None = None,
        masks: Sequence[ImageSource] = (),
    ) -> Pastiche:
        if on_step and options.strength == DEADLY_STRENGTH:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().stylize(content, styles, options, on_step=on_step, masks=masks)


def create_app() -> Flask:
    return app.create_app(painter=_new_painter())


def _new_painter() -> MortalPainter:
    return MortalPainter(pastiche_steps=STEPS, pause=SECONDS / STEPS)


if __name__ == "__main__":
    main(_new_painter())
