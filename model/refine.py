"""A pastiche made better by optimisation: what the doors call for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from model import images, memory, transfer
from model.errors import InvalidOption
from model.images import ImageSource, Picture
from model.options import RefineOptions, StylizeOptions
from model.progress import OnStep
from model.transfer import ModelPath, Pastiche
from model.weights import version


def refine(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: RefineOptions | None = None,
    start: ImageSource | None = None,
    on_step: OnStep | None = None,
    model_path: ModelPath = None,
) -> Pastiche:
    """`content` optimised towards the blend of `styles`, all of them pictures.

    start: a picture to begin with, in place of the one that the options name. model_path: weights for the pastiche,
    where it begins with that. on_step hears of the start as step 0, then of each step, with its losses and the best
    picture so far. If it raises Cancelled, that picture comes back.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before any network is loaded.
    """
    begun, notes, options = time.perf_counter(), list[str](), options or RefineOptions()
    shares = options.blend_weights(len(styles))
    paintings = [_painting(style, options) for style in styles]
    photo = images.read(content, long_side=options.size)
    given = None if start is None else images.read(start, field="start", limit=options.size).rgb

    from model import gatys  # loads TensorFlow

    options = checked(options)
    photo = _fitted(photo, options, notes)
    if given is None:
        first = _start(photo.rgb, paintings, shares, options, model_path)
    else:
        first = images.resize(given, photo.rgb.shape[:2])
    looks = [*paintings, photo.rgb] if options.strength < 1 else paintings
    portions = [options.strength * share for share in shares] + [1 - options.strength] * (len(looks) - len(shares))
    refined = gatys.optimise(photo.rgb, looks, portions, first, options, on_step)
    recipe = _recipe(options, shares, paintings, photo, None if given is None else first)
    recipe |= {"weights_sha256": _encoder_sha256(options.encoder), "precision": refined.precision}
    picture, seconds = Picture(refined.rgb, photo.alpha), time.perf_counter() - begun
    return Pastiche(picture, options.encoder, seconds, recipe, refined.complete, [*notes, *refined.notes])


def checked(options: RefineOptions) -> RefineOptions:
    """With the encoder that 'auto' stands for here; InvalidOption for layers that it does not have. Imports Keras."""
    from model import encoders

    encoder = encoders.get(encoders.best() if options.encoder == "auto" else options.encoder)
    encoder.check(list(options.content_layers or ()), "content_layers")
    encoder.check(list(options.style_layers or ()), "style_layers")
    return options.model_copy(update={"encoder": encoder.name})


def _painting(style: ImageSource, options: RefineOptions) -> np.ndarray:
    """(H, W, 3), no larger than its strokes are wanted."""
    readied = transfer.read_style(style, limit=round(options.size * max(1.0, options.style_scale)))
    if not (isinstance(readied, np.ndarray) and readied.ndim == 3):
        raise InvalidOption(
            "To refine, give the painting itself as style: of a style vector or style file only the feed-forward "
            "pastiche can be made.",
            "style",
        )
    return readied


def _fitted(photo: Picture, options: RefineOptions, notes: list[str]) -> Picture:
    """Smaller where the memory is, which the notes then say."""
    from model import encoders

    height, width = photo.rgb.shape[:2]
    side = memory.fitting_side(height, width, memory.refining_bytes_per_pixel(options))
    smallest = encoders.get(options.encoder).smallest
    if side < max(height, width):
        photo = images.read(transfer.as_array(photo), long_side=side)
        notes.append(f"Too little memory is free for {width} x {height} pixels, so the size was lowered to {side}.")
    if min(photo.rgb.shape[:2]) < smallest:
        shape = "{1} x {0}".format(*photo.rgb.shape)
        raise InvalidOption(
            f"A picture of {shape} pixels is too narrow for {options.encoder}, which needs {smallest}: ask for a "
            "larger size.",
            "size",
        )
    return photo


def _start(
    photo: np.ndarray,
    paintings: Sequence[np.ndarray],
    shares: list[float],
    options: RefineOptions,
    model_path: ModelPath,
) -> np.ndarray:
    if options.start == "content":
        return photo
    if options.start == "noise":
        return np.random.default_rng(options.seed).random(photo.shape, "float32")
    plain = StylizeOptions(weights=shares, strength=options.strength)
    return transfer.stylize(photo, paintings, plain, model_path).picture.rgb


def _recipe(
    options: RefineOptions,
    shares: Sequence[float],
    paintings: Sequence[np.ndarray],
    photo: Picture,
    given: np.ndarray | None,
) -> dict[str, Any]:
    height, width = photo.rgb.shape[:2]
    used = options.model_dump(mode="json", exclude={"weights", "format", "quality", "size"}, exclude_none=True)
    start = {} if given is None else {"start": "given", "start_sha256": _sha256(given)}
    styles = [{"weight": share, "sha256": _sha256(style)} for share, style in zip(shares, paintings, strict=True)]
    about = {"method": "gatys", "weights": options.encoder, "width": width, "height": height, "styles": styles}
    return about | used | start


def _sha256(rgb: np.ndarray) -> str:
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def _encoder_sha256(encoder: str) -> str | None:
    from model import encoders

    path = encoders.find(encoder)
    return _file_sha256(path, version(path)) if path else None


@lru_cache(maxsize=8)
def _file_sha256(path: Path, version: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
