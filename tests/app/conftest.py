"""A server whose painter turns a photo into its negative: quick, and plain to see in the answer."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from model import images, transfer
from model.images import Picture
from model.options import DEFAULT_SIDE, StylizeOptions
from model.transfer import Pastiche
from tests.app.answers import NEGATIVE, upload


def negative(content, styles, options: StylizeOptions) -> Pastiche:
    shares = options.blend_weights(len(styles))
    photo = images.read(content, long_side=options.size, limit=DEFAULT_SIDE)
    for style in styles:
        images.read(style, field="style")
    return Pastiche(Picture(1 - photo.rgb, photo.alpha), NEGATIVE, 0.01, {"shares": shares})


@pytest.fixture
def app(monkeypatch) -> Flask:
    monkeypatch.setattr(transfer, "stylize", negative)
    monkeypatch.setattr(transfer, "ready", lambda: NEGATIVE)
    return create_app(Settings(warm_up=False))


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
