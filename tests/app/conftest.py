"""A server whose painter turns a photo into its negative: quick, and plain to see in the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

import model
from app import create_app
from app.settings import Settings
from model import style_file
from model.imaging import image_files, masking
from model.imaging.pixel_ops import Picture
from model.options import DEFAULT_DPI, RefineOptions, StylizeOptions
from model.pipelines import forecast, recipe_builder, stylization
from model.pipelines.forecast import Forecast
from model.pipelines.refine import postprocess
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint, Step
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256, b64, upload
from tests.support.stored_results import sign_in


def negative(content, styles, options: StylizeOptions, model_path=None, on_step=None, masks=()) -> Pastiche:
    shares = options.blend_weights(len(styles))
    photo = image_files.read(content, target=options.result_size)
    drawn = masking.read_masks(masks, photo)
    wanted = options.resolve_regions(len(masks), len(styles))
    rgb = photo.rgb if masks else 1 - photo.rgb
    for mask, (_, strength) in zip(drawn, wanted, strict=True):
        alpha = None if photo.alpha is None else (photo.alpha * 255).astype("uint8")
        fitted = mask.to_array(*rgb.shape[:2], alpha, options.feather, options.paint)
        rgb = masking.blend(photo.rgb + strength * (1 - 2 * photo.rgb), rgb, fitted)
    told = [_told(style, share) for style, share in zip(styles, shares, strict=True)]
    about = {"method": "magenta", "weights": NEGATIVE, "weights_sha256": NEGATIVE_SHA256}
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    more = (
        recipe_builder.photo_fields(photo.rgb) | recipe_builder.mask_fields(drawn) | {"styles": told, "shares": shares}
    )
    pastiche = Pastiche(Picture(rgb, photo.alpha, _dpi(options)), NEGATIVE, 0.01, about | used | more)
    with suppress(Cancelled):
        for step in range(3) if on_step else ():
            on_step(Step(step + 1, 3, 2.0 - step, Picture(1 - photo.rgb[::2, ::2]) if step == 0 else None))
    return pastiche


def negative_file(content, styles, output, options, on_step=None, masks=(), retold=dict) -> stylization.StylizeReport:
    pastiche = negative(content, styles, options, masks=masks)
    height, width = pastiche.picture.rgb.shape[:2]
    for step in range(3) if on_step else ():
        on_step(Step(step, 3))
    made = retold(pastiche.recipe)
    output.write_bytes(image_files.encode(pastiche.picture, options.format, options.quality, made))
    return stylization.StylizeReport(width, height, NEGATIVE, 0.01, made)


def _dpi(options: StylizeOptions) -> tuple[float, float] | None:
    dpi = options.dpi or (DEFAULT_DPI if options.print else None)
    return (dpi, dpi) if dpi else None


def _told(style, share: float) -> dict:
    """A style as a recipe has it."""
    vector = negative_vector(style).astype("<f4").tobytes()
    numbers = {"vector": b64(vector), "vector_sha256": hashlib.sha256(vector).hexdigest()}
    read = style if isinstance(style, np.ndarray) else stylization.read_style(style)
    seen = {"sha256": recipe_builder.pixels_sha256(read)} if isinstance(read, np.ndarray) and read.ndim == 3 else {}
    return {"weight": share} | numbers | seen


def negative_vector(style, model_path=None) -> np.ndarray:
    """Four numbers of a picture: its mean colour and a one."""
    if isinstance(style, np.ndarray) and style.ndim == 1:
        return style
    data = style if isinstance(style, np.ndarray) else image_files.read_bytes(style, "style")
    if isinstance(data, bytes) and style_file.is_style_file(data):
        return style_file.StyleFile.from_bytes(data).vector
    return np.append(image_files.read(data, field="style").rgb.mean((0, 1)), 1).astype("float32")


def refined(
    content,
    styles,
    options: RefineOptions,
    start=None,
    on_step=None,
    model_path=None,
    resume: Checkpoint | None = None,
    masks=(),
) -> Pastiche:
    """The negative at the size that was asked for; its losses halve with each step."""
    shares = options.blend_weights(len(styles))
    photo = image_files.read(content, long_side=options.size)
    for picture, field in [*((style, "style") for style in styles), *([(start, "start")] if start else [])]:
        image_files.read(picture, field=field)
    picture, done, complete = Picture(1 - photo.rgb, photo.alpha), resume.step if resume else 0, True
    drawn = masking.read_masks(masks, photo)
    try:
        for step in range(done, options.steps + 1) if on_step else ():
            losses = dict.fromkeys(("loss", "content", "style", "variation"), 0.5**step) if step > done else {}
            on_step(Step(step, options.steps, float(options.steps - step), picture, losses))
    except Cancelled:
        complete = False
    told = [
        {"weight": share, "sha256": recipe_builder.pixels_sha256(stylization.read_style(style, options.size))}
        for style, share in zip(styles, shares, strict=True)
    ]
    made = options.model_dump(mode="json", exclude_none=True) | {"method": "gatys", "weights": options.encoder}
    made |= recipe_builder.photo_fields(photo.rgb) | recipe_builder.mask_fields(drawn) | {"styles": told}
    picture = postprocess(picture.rgb, photo, options, drawn)
    given = {"start": "given"} if start else {}
    stopped = "paused" if resume and resume.paused else "interrupted"
    notes = [f"It was {stopped} after step {done} and went on from there."] if resume else []
    return Pastiche(picture, options.encoder, 0.01, made | {"shares": shares} | given, complete, notes)


def foretold(width, height, options: StylizeOptions, masks=0) -> Forecast:
    """A second for each layer and million pixels."""
    width, height = options.result_size(width, height)
    seconds = max(1, masks) * width * height / 1e6
    return Forecast(width, height, seconds, 1_000_000, 0, options.tiles == "always")


@pytest.fixture
def stand_in(monkeypatch) -> None:
    """The painter of every app in the test."""
    monkeypatch.setattr(stylization, "stylize", negative)
    monkeypatch.setattr(stylization, "stylize_file", negative_file)
    monkeypatch.setattr(stylization, "style_vector", negative_vector)
    monkeypatch.setattr(model, "refine", refined)
    monkeypatch.setattr(forecast, "estimate", foretold)
    monkeypatch.setattr(stylization, "warm_up", lambda: NEGATIVE)
    monkeypatch.setattr(stylization, "weights_identity", lambda model_path=None: (NEGATIVE, NEGATIVE_SHA256))


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
