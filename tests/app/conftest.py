"""A server whose painter turns a photo into its negative: quick, and plain to see in the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

import model
from app import create_app
from app.settings import Settings
from model import images, transfer, vectors
from model.images import Picture
from model.options import DEFAULT_SIDE, RefineOptions, StylizeOptions
from model.progress import Cancelled, Checkpoint, Step
from model.transfer import Pastiche
from tests.app.answers import NEGATIVE, NEGATIVE_SHA256, upload
from tests.app.seeds import sign_in


def negative(content, styles, options: StylizeOptions, model_path=None, on_step=None) -> Pastiche:
    shares = options.blend_weights(len(styles))
    photo = images.read(content, long_side=options.size, limit=DEFAULT_SIDE)
    for style in styles:
        negative_vector(style)
    pastiche = Pastiche(Picture(1 - photo.rgb, photo.alpha), NEGATIVE, 0.01, {"shares": shares})
    with suppress(Cancelled):
        for step in range(3) if on_step else ():
            on_step(Step(step + 1, 3, 2.0 - step, Picture(1 - photo.rgb[::2, ::2]) if step == 0 else None))
    return pastiche


def negative_vector(style, model_path=None) -> np.ndarray:
    """Four numbers of a picture: its mean colour and a one."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    data = style if isinstance(style, np.ndarray) else images.contents(style, "style")
    if isinstance(data, bytes) and vectors.looks_like_one(data):
        return vectors.StyleFile.from_bytes(data).vector
    return np.append(images.read(data, field="style").rgb.mean((0, 1)), 1).astype("float32")


def refined(
    content,
    styles,
    options: RefineOptions,
    start=None,
    on_step=None,
    model_path=None,
    resume: Checkpoint | None = None,
) -> Pastiche:
    """The negative at the size that was asked for; its losses halve with each step."""
    shares = options.blend_weights(len(styles))
    photo = images.read(content, long_side=options.size)
    for picture, field in [*((style, "style") for style in styles), *([(start, "start")] if start else [])]:
        images.read(picture, field=field)
    picture, done, complete = Picture(1 - photo.rgb, photo.alpha), resume.step if resume else 0, True
    try:
        for step in range(done, options.steps + 1) if on_step else ():
            losses = dict.fromkeys(("loss", "content", "style", "variation"), 0.5**step) if step > done else {}
            on_step(Step(step, options.steps, float(options.steps - step), picture, losses))
    except Cancelled:
        complete = False
    recipe = options.model_dump(mode="json", exclude_none=True) | {"method": "gatys", "weights": options.encoder}
    given = {"start": "given"} if start else {}
    notes = [f"It was interrupted after step {done} and went on from there."] if resume else []
    return Pastiche(picture, options.encoder, 0.01, recipe | {"shares": shares} | given, complete, notes)


@pytest.fixture
def stand_in(monkeypatch) -> None:
    """The painter of every app in the test."""
    monkeypatch.setattr(transfer, "stylize", negative)
    monkeypatch.setattr(transfer, "style_vector", negative_vector)
    monkeypatch.setattr(model, "refine", refined)
    monkeypatch.setattr(transfer, "ready", lambda: NEGATIVE)
    monkeypatch.setattr(transfer, "identity", lambda model_path=None: (NEGATIVE, NEGATIVE_SHA256))


@pytest.fixture
def new_app(stand_in, tmp_path) -> Iterator:
    """create_app with other settings; without a worker and without limits unless they are asked for."""
    made = []

    def build(**settings) -> Flask:
        quiet = {"data_dir": tmp_path / "data", "warm_up": False, "worker": False, "rate_limit": ""}
        made.append(create_app(Settings(**(quiet | settings))))
        return made[-1]

    yield build
    for app in made:
        app.extensions["worker"].stop()


@pytest.fixture
def app(new_app) -> Flask:
    return new_app()


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def form(photo_png, painting_png):
    """The smallest good form with other fields, or more of them; None leaves one out."""

    def fields(**more):
        both = {"content": upload(photo_png), "style": upload(painting_png)} | more
        return {name: value for name, value in both.items() if value is not None}

    return fields


@pytest.fixture
def ann(client) -> FlaskClient:
    """Her browser."""
    sign_in(client, "ann")
    return client


@pytest.fixture
def bob(app) -> FlaskClient:
    """Another's."""
    other = app.test_client()
    sign_in(other, "bob")
    return other
