"""Refinement: a picture optimised towards the styles (Gatys et al. 2016), from a pastiche or another start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import InvalidOption
from model.hardware import memory
from model.hardware.device import gc_disabled
from model.imaging import color, image_files, masking, pixel_ops
from model.imaging.image_files import ImageSource
from model.imaging.masking import Mask
from model.imaging.pixel_ops import Picture
from model.options import OptimizerName, RefineOptions, StylizeOptions
from model.pipelines import recipe_builder, stylization
from model.pipelines.stylization import ModelPath, Pastiche
from model.progress import Checkpoint, OnStep
from model.refinement import encoder_registry
from model.weights.checksums import file_sha256, file_version

# On top of the encoder's. L-BFGS keeps ten pairs of pictures and gradients in float64, and SciPy has working memory.
OPTIMIZER_BYTES_PER_PIXEL: dict[OptimizerName, int] = {"adam": 0, "lbfgs": 800}
STYLE_SHARE = 0.35  # of the encoder's bytes, for a pixel of a style image


def refine(
    content: ImageSource,
    styles: Sequence[ImageSource],
    options: RefineOptions | None = None,
    start: ImageSource | None = None,
    on_step: OnStep | None = None,
    model_path: ModelPath = None,
    resume: Checkpoint | None = None,
    masks: Sequence[ImageSource] = (),
) -> Pastiche:
    """Optimise `content` towards the blend of `styles`, all of them pictures.

    start: a picture to begin with, in place of the one that the options name.
    on_step: called for the start, as step 0, and after each step, with its losses and the best picture so far, which
    has no masks applied and no colours preserved yet. If it raises Cancelled, that picture is returned, finished.
    model_path: weights for the pastiche, where it begins with that.
    resume: where an earlier call with the same arguments was interrupted; this one goes on from there.
    masks: where the paint goes, as for `stylize`.

    Raises InvalidOption, ImageError or WeightsError; all pictures are read before any network is loaded.
    """
    began, notes, options = time.perf_counter(), list[str](), options or RefineOptions()
    shares = options.blend_weights(len(styles))
    paintings = [read_painting(style, options) for style in styles]
    photo = image_files.read(content, long_side=options.size)
    masking.check_alpha(masks, content)
    read_masks = masking.read_masks(masks, photo)
    given = None if start is None else image_files.read(start, field="start", limit=options.size).rgb
    if given is not None:
        check_start_size(given.shape[1::-1], photo.rgb.shape[1::-1])
    resume = resume and _read_checkpoint(resume, options)

    with gc_disabled():
        from model.refinement import gatys  # loads TensorFlow

    options = resolve_options(options)
    photo = _fit_to_memory(photo, options, notes)
    matched = [color.match_colours(style, photo.rgb, options.match_colours) for style in paintings]
    if given is None:
        first, start_fields = _starting_picture(photo.rgb, matched, shares, options, model_path)
    else:
        first = pixel_ops.resize(given, photo.rgb.shape[:2])
        start_fields = {"start": "given", "start_sha256": recipe_builder.pixels_sha256(first)}
    targets = _style_targets(photo.rgb, matched, shares, options.strength)
    refined = gatys.optimise(photo.rgb, *targets, first, options, on_step, resume)
    recipe = refine_recipe(options, paintings, photo, read_masks) | start_fields
    recipe |= {"precision": refined.precision, "ended": refined.ended}
    if resume:
        recipe["resumed_after"] = resume.step
        stopped = "paused" if resume.paused else "interrupted"
        notes.append(f"It was {stopped} after step {resume.step} and went on from there.")
    picture, seconds = postprocess(refined.rgb, photo, options, read_masks), time.perf_counter() - began
    return Pastiche(picture, options.encoder, seconds, recipe, refined.ended != "stopped", [*notes, *refined.notes])


def postprocess(rgb: np.ndarray, photo: Picture, options: RefineOptions, masks: Sequence[Mask] = ()) -> Picture:
    """Finish a refined picture as large as its photo: preserve the photo's colours, and blend through the masks."""
    rgb = color.preserve_colours(rgb, photo.rgb, options.keep_colours, options.keep_light)
    height, width = photo.rgb.shape[:2]
    alpha = None if photo.alpha is None else pixel_ops.as_uint8(photo.alpha)
    painted = photo.rgb if masks else rgb
    for mask in masks:
        painted = masking.blend(rgb, painted, mask.to_array(height, width, alpha, options.feather, options.paint))
    return Picture(painted, photo.alpha, photo.dpi)


def resolve_options(options: RefineOptions) -> RefineOptions:
    """Fill in the encoder that 'auto' stands for, and its layers; raise InvalidOption for layers it does not have."""
    encoder = encoder_registry.get(encoder_registry.best_available() if options.encoder == "auto" else options.encoder)
    encoder.check(list(options.content_layers or ()), "content_layers")
    encoder.check(list(options.style_layers or ()), "style_layers")
    content, style = encoder.layers_or_defaults(options.content_layers, options.style_layers)
    return options.model_copy(update={"encoder": encoder.name, "content_layers": content, "style_layers": style})


def check_photo_size(height: int, width: int, options: RefineOptions) -> None:
    """Raise InvalidOption for a picture of these proportions that would be too narrow for the encoder."""
    smallest = encoder_registry.get(resolve_options(options).encoder).smallest
    scale = options.size / max(height, width)
    height, width = round(height * scale), round(width * scale)
    if min(height, width) < smallest:
        raise InvalidOption(
            f"A picture of {width} x {height} pixels is too narrow for {options.encoder}, which needs {smallest}: ask "
            "for a larger size.",
            "size",
        )


def check_start_size(start: tuple[int, int], photo: tuple[int, int]) -> None:
    """Raise InvalidOption where a start picture has other proportions than the photo: (width, height) each."""
    masking.check_proportions("The picture to begin with", start, photo, "start")


def read_painting(style: ImageSource, options: RefineOptions) -> np.ndarray:
    """Read a painting as (H, W, 3); raise InvalidOption for a style vector or style file."""
    read = stylization.read_style(style, limit=painting_limit(options))
    if not stylization.is_painting(read):
        raise InvalidOption(
            "To refine, give the painting itself as style: of a style vector or style file only the feed-forward "
            "pastiche can be made.",
            "style",
        )
    return read


def painting_limit(options: RefineOptions) -> int:
    """Return the long side, in pixels, up to which paintings are read."""
    return round(options.size * max(1.0, options.style_scale))


def _read_checkpoint(checkpoint: Checkpoint, options: RefineOptions) -> Checkpoint:
    """Return the checkpoint with its picture as an array."""
    picture = image_files.read(checkpoint.picture, field="resume", limit=options.size).rgb
    return replace(checkpoint, picture=picture)


def refining_bytes_per_pixel(options: RefineOptions) -> float:
    """Return bytes for each pixel of the content; style images count where they are much larger than it."""
    most = encoder_registry.get(options.encoder).bytes_per_pixel * max(1.0, STYLE_SHARE * options.style_scale**2)
    return most + OPTIMIZER_BYTES_PER_PIXEL[options.optimizer]


def _fit_to_memory(photo: Picture, options: RefineOptions, notes: list[str]) -> Picture:
    """Return the photo, reduced and with a note where too little memory is free."""
    height, width = photo.rgb.shape[:2]
    side = memory.fitting_side(height, width, refining_bytes_per_pixel(options))
    if side < max(height, width):
        photo = replace(image_files.read(pixel_ops.stack_alpha(photo), long_side=side), dpi=photo.dpi)
        notes.append(f"Too little memory is free for {width} x {height} pixels, so the size was lowered to {side}.")
    check_photo_size(height, width, options.model_copy(update={"size": side}))
    return photo


def _starting_picture(
    photo: np.ndarray,
    paintings: Sequence[np.ndarray],
    shares: list[float],
    options: RefineOptions,
    model_path: ModelPath,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the picture to begin with, and the recipe's fields on it beside the options."""
    if options.start == "content":
        return photo, {}
    if options.start == "noise":
        return np.random.default_rng(options.seed).random(photo.shape, "float32"), {}
    plain = StylizeOptions(weights=shares, strength=options.strength)
    pastiche = stylization.stylize(photo, paintings, plain, model_path)
    sha256 = pastiche.recipe["weights_sha256"]
    return pastiche.picture.rgb, {"start_weights": pastiche.weights, "start_weights_sha256": sha256}


def _style_targets(
    photo: np.ndarray, paintings: Sequence[np.ndarray], shares: Sequence[float], strength: float
) -> tuple[list[np.ndarray], list[float]]:
    """Return the pictures whose Gram matrices are mixed, the photo among them below full strength, and their shares."""
    if strength == 1:
        return list(paintings), list(shares)
    return [*paintings, photo], [*(strength * share for share in shares), 1 - strength]


def refine_recipe(
    options: RefineOptions, paintings: Sequence[np.ndarray], photo: Picture, masks: Sequence[Mask]
) -> dict[str, Any]:
    """Return the recipe's fields that are known before anything is painted."""
    shares = options.blend_weights(len(paintings))
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    styles = [
        {"weight": share, "sha256": recipe_builder.pixels_sha256(style)}
        for share, style in zip(shares, paintings, strict=True)
    ]
    method = {"method": "gatys", "weights": options.encoder, "weights_sha256": encoder_sha256(options.encoder)}
    parts = {"styles": styles} | recipe_builder.photo_fields(photo.rgb) | recipe_builder.mask_fields(masks)
    return method | parts | used | {"versions": recipe_builder.library_versions()}


def encoder_sha256(encoder: str) -> str | None:
    """Return the sha256 of an encoder's weights; None where they are not on this machine."""
    path = encoder_registry.find(encoder)
    return _cached_sha256(path, file_version(path)) if path else None


@lru_cache(maxsize=8)
def _cached_sha256(path: Path, version: tuple[int, ...]) -> str:
    return file_sha256(path)
