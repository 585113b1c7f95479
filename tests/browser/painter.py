"""A painter who takes as long as a test wants: the photo's negative, in the mean colour of its styles."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import pytest

import model
from model import images, transfer
from model.images import Picture
from model.options import DEFAULT_SIDE, RefineOptions, StylizeOptions
from model.progress import Cancelled, Checkpoint, OnStep, Step
from model.transfer import Pastiche
from tests.app.answers import NEGATIVE, NEGATIVE_SHA256
from tests.app.conftest import negative_vector


@dataclass
class Painter:
    """What the site's painter does; each test begins with these."""

    steps: int = 3
    pause: float = 0.0  # seconds a step of a job
    at_once: float = 0.0  # seconds for a picture that a request waits for
    error: Exception | None = None  # of jobs
    fades_in: bool = False  # each step's picture is another
    notes: tuple[str, ...] = ()  # of refinements
    real: bool = False  # the model that ships

    def stylize(self, content, styles, options: StylizeOptions, model_path=None, on_step: OnStep | None = None):
        shares = options.blend_weights(len(styles))
        photo = images.read(content, long_side=options.size, limit=DEFAULT_SIDE)
        colour = sum(share * negative_vector(style)[:3] for share, style in zip(shares, styles, strict=True))
        tinted = (1 - photo.rgb) * 0.5 + colour * 0.5
        rgb = (1 - options.strength) * photo.rgb + options.strength * tinted
        picture = Picture(rgb.astype(np.float32), photo.alpha)
        if on_step is None:
            time.sleep(self.at_once)
        elif self.error:
            raise self.error
        elif not self._told(picture, on_step):
            return Pastiche(picture, NEGATIVE, 0.01, {"shares": shares}, complete=False)
        return Pastiche(picture, NEGATIVE, 0.01, {"shares": shares})

    def _told(self, picture: Picture, on_step: OnStep) -> bool:
        """False: it was cancelled."""
        try:
            for step in range(self.steps):
                time.sleep(self.pause)
                share = (step + 1) / self.steps if self.fades_in else 1
                so_far = Picture(picture.rgb * np.float32(share), picture.alpha)
                on_step(Step(step + 1, self.steps, (self.steps - step) * self.pause, so_far))
        except Cancelled:
            return False
        return True

    def refine(
        self,
        content,
        styles,
        options: RefineOptions,
        start=None,
        on_step: OnStep | None = None,
        model_path=None,
        resume: Checkpoint | None = None,
    ):
        """From its start to the mean colour of the styles, and the nearer it is the smaller are the losses."""
        photo = images.read(content, long_side=options.size)
        first = images.read(start or content, long_side=options.size)
        colour = np.mean([negative_vector(style)[:3] for style in styles], axis=0)
        recipe = {"method": "gatys", "encoder": options.encoder, "preset": options.preset}
        begun, complete = resume.step if resume else 0, True
        try:
            for done in range(begun, self.steps + 1):
                losses = falling(done) if done > begun else {}
                self._refined(done, blended(first, colour, done / self.steps), losses, on_step)
        except Cancelled:
            complete = False
        picture = Picture(blended(first, colour, done / self.steps).rgb, photo.alpha)
        return Pastiche(picture, options.encoder, 0.01, recipe, complete, list(self.notes))

    def _refined(self, step: int, picture: Picture, losses: dict[str, float], on_step: OnStep | None) -> None:
        if self.error:
            raise self.error
        if on_step:
            on_step(Step(step, self.steps, (self.steps - step) * self.pause, picture, losses))
            time.sleep(self.pause)


def blended(first: Picture, colour: np.ndarray, share: float) -> Picture:
    return Picture(((1 - share) * first.rgb + share * colour).astype(np.float32), first.alpha)


def falling(step: int) -> dict[str, float]:
    """Losses after so many steps: that of the style falls, that of the content rises a little."""
    style, content = 0.03 + 0.4 * math.exp(-step / 8), 0.5 - 0.4 * math.exp(-step / 4)
    return {"loss": style + 0.02 * content, "content": content, "style": style, "variation": 0.05}


def install(patch: pytest.MonkeyPatch) -> Painter:
    """In place of the model, for as long as it is not wanted."""
    painter = Painter()
    stand_ins = {
        "stylize": painter.stylize,
        "style_vector": negative_vector,
        "ready": lambda: NEGATIVE,
        "identity": lambda model_path=None: (NEGATIVE, NEGATIVE_SHA256),
    }
    for name, stand_in in stand_ins.items():
        patch.setattr(transfer, name, _either(painter, getattr(transfer, name), stand_in))
    patch.setattr(model, "refine", _either(painter, model.refine, painter.refine))
    return painter


def _either(painter: Painter, real, stand_in):
    return lambda *args, **more: (real if painter.real else stand_in)(*args, **more)
