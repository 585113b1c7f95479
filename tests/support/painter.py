"""A painter who takes as long as a test wants: the photo's negative, in the mean colour of its styles."""

from __future__ import annotations

import base64
import hashlib
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import model
from model.imaging import color, image_files, masking
from model.imaging.pixel_ops import Picture
from model.options import DEFAULT_DPI, RefineOptions, StylizeOptions
from model.pipelines import forecast, recipe_builder, stylization
from model.pipelines.stylization import Pastiche
from model.progress import Cancelled, Checkpoint, OnStep, Step
from tests.app.conftest import negative_vector
from tests.support.requests import NEGATIVE, NEGATIVE_SHA256


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

    def stylize(
        self, content, styles, options: StylizeOptions, model_path=None, on_step: OnStep | None = None, masks=()
    ):
        shares = options.blend_weights(len(styles))
        photo = image_files.read(content, target=options.result_size)
        vectors = [negative_vector(style) for style in styles]
        drawn = masking.read_masks(masks, photo)
        picture = Picture(_painted(photo, vectors, shares, options, drawn), photo.alpha, _dpi(options))
        recipe = _recipe(photo, styles, vectors, shares, options) | recipe_builder.mask_fields(drawn)
        if on_step is None:
            time.sleep(self.at_once)
        elif self.error:
            raise self.error
        elif not self._told(picture, on_step):
            return Pastiche(picture, NEGATIVE, 0.01, recipe, complete=False)
        return Pastiche(picture, NEGATIVE, 0.01, recipe)

    def stylize_file(
        self, content, styles, output: Path, options, model_path=None, on_step=None, masks=(), retold=dict
    ) -> stylization.StylizeReport:
        if self.error:
            raise self.error
        for step in range(self.steps):
            time.sleep(self.pause)
            on_step(Step(step + 1, self.steps, (self.steps - step) * self.pause))
        at_once = replace(self, at_once=0.0)
        pastiche = at_once.stylize(content, styles, options, masks=masks)
        recipe = retold(pastiche.recipe)
        output.write_bytes(image_files.encode(pastiche.picture, options.format, options.quality, recipe))
        height, width = pastiche.picture.rgb.shape[:2]
        return stylization.StylizeReport(width, height, NEGATIVE, 0.01, recipe)

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
        masks=(),
    ):
        """From its start to the mean colour of the styles, and the nearer it is the smaller are the losses."""
        photo = image_files.read(content, long_side=options.size)
        first = image_files.read(start or content, long_side=options.size)
        colour = np.mean([negative_vector(style)[:3] for style in styles], axis=0)
        recipe = {"method": "gatys", "encoder": options.encoder, "preset": options.preset}
        recipe["styles"] = [{"weight": share} for share in options.blend_weights(len(styles))]
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


def _painted(photo: Picture, vectors, shares, options: StylizeOptions, masks) -> np.ndarray:
    """A layer for each mask; the broader the brush, the darker it is."""
    mixed = sum(share * vector[:3] for share, vector in zip(shares, vectors, strict=True))
    layers = options.resolve_regions(len(masks), len(vectors)) if masks else [(0, options.strength)]
    whole, fitted = photo.rgb, [_fitted(mask, photo, options) for mask in masks] or [None]
    for (number, strength), mask in zip(layers, fitted, strict=True):
        colour = vectors[number - 1][:3] if number else mixed
        tinted = ((1 - photo.rgb) * 0.5 + colour * 0.5) / max(1.0, options.style_scale)
        paint = (1 - strength) * photo.rgb + strength * tinted
        whole = paint if mask is None else masking.blend(paint, whole, mask)
    kept = color.preserve_colours(whole.astype("float32"), photo.rgb, options.keep_colours, options.keep_light)
    return kept.astype("float32")


def _fitted(mask, photo: Picture, options: StylizeOptions) -> np.ndarray:
    alpha = None if photo.alpha is None else (photo.alpha * 255).astype("uint8")
    return mask.to_array(*photo.rgb.shape[:2], alpha, options.feather, options.paint)


def _dpi(options: StylizeOptions) -> tuple[float, float] | None:
    dpi = options.dpi or (DEFAULT_DPI if options.print else None)
    return (dpi, dpi) if dpi else None


def _recipe(photo: Picture, styles, vectors, shares, options: StylizeOptions) -> dict[str, Any]:
    """As the real one's."""
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    about = {"method": "magenta", "weights": NEGATIVE, "weights_sha256": NEGATIVE_SHA256}
    return (
        about
        | used
        | recipe_builder.photo_fields(photo.rgb)
        | {"styles": list(map(_ingredient, styles, vectors, shares))}
    )


def _ingredient(style, vector: np.ndarray, share: float) -> dict[str, Any]:
    data = vector.astype("<f4").tobytes()
    told = {"weight": share, "vector": base64.b64encode(data).decode("ascii")}
    told["vector_sha256"] = hashlib.sha256(data).hexdigest()
    read = style if isinstance(style, np.ndarray) else stylization.read_style(style)
    return told | (
        {"sha256": recipe_builder.pixels_sha256(read)} if isinstance(read, np.ndarray) and read.ndim == 3 else {}
    )


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
        "stylize_file": painter.stylize_file,
        "style_vector": negative_vector,
        "warm_up": lambda: NEGATIVE,
        "weights_identity": lambda model_path=None: (NEGATIVE, NEGATIVE_SHA256),
    }
    for name, stand_in in stand_ins.items():
        patch.setattr(stylization, name, _either(painter, getattr(stylization, name), stand_in))
    patch.setattr(forecast, "estimate", _either(painter, forecast.estimate, foretold))
    patch.setattr(model, "refine", _either(painter, model.refine, painter.refine))
    return painter


def foretold(width: int, height: int, options: StylizeOptions, masks=0, model_path=None) -> forecast.Forecast:
    """Ten seconds a megapixel, for each mask."""
    wide, high = options.result_size(width, height)
    is_tiled = wide * high > 4_000_000
    return forecast.Forecast(wide, high, max(1, masks) * wide * high / 1e5, 10**9, 0, is_tiled)


def _either(painter: Painter, real, stand_in):
    return lambda *args, **more: (real if painter.real else stand_in)(*args, **more)
