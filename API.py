"""The public import: from a photo and a painting to a pastiche in one line of Python.

from API import transfer_style
pastiche = transfer_style("photo.jpg", "painting.jpg")
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import model
from model import Pastiche, RefineOptions, StylizeOptions, style_vector, stylize
from model.errors import InvalidOption
from model.imaging.image_files import ImageSource
from model.options import MAX_SECONDS, PRESETS, START_WORDS, ClipOptions, TrainOptions
from model.progress import OnStep

if TYPE_CHECKING:
    from model.pipelines.clips import ClipReport

__all__ = ["refine", "style_vector", "train_style", "transfer_clip", "transfer_style"]

MAX_TRAIN_MINUTES = MAX_SECONDS // 60


def transfer_style(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    model_path: str | os.PathLike[str] | None = None,
    *,
    mask: ImageSource | Sequence[ImageSource] | None = None,
    refine: str | None = None,
    **options: Any,
) -> np.ndarray:
    """Paint the photo `content` in the style of `style`, and return (H, W, 3) float32 in 0..1.

    Pictures are paths, bytes, binary files, PIL images or arrays (uint8, or floats in 0..1). `style` may be a list to
    blend, in the proportions of `weights`, and a style may be a vector that `style_vector` made.
    `model_path`: an official SavedModel (folder, .tar.gz or hub handle), or a .npz; left out, the best on this machine.
    `mask`: a picture that is white where the paint goes, "alpha" for what is opaque in the photo, or a list of them;
    where none reaches, the photo stays to the last bit.
    `options` are `model.StylizeOptions`' own: strength, size, weights, style_scale, keep_colours, and so on.
    `refine`: a preset of `refine`, as "balanced", to go on from there by optimisation, with the options of that.

    Raises `model.StyleTransferError`, whose text says which argument is wrong and what to do.
    """
    if refine is not None:
        return _refine(
            content, style, {"preset": _check_preset(refine)} | _drop_none(options), None, None, model_path, mask
        )
    return _stylize(content, style, _drop_none(options), model_path, mask)


def refine(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    *,
    preset: str = "balanced",
    start: ImageSource = "pastiche",
    mask: ImageSource | Sequence[ImageSource] | None = None,
    on_step: OnStep | None = None,
    model_path: str | os.PathLike[str] | None = None,
    **options: Any,
) -> np.ndarray:
    """Optimise `content` towards `style` (Gatys et al. 2016), (H, W, 3) float32 in 0..1; styles are pictures.

    `preset`: "fast", "balanced", "best", "stransfer", "tutorial" or "paper"; `options` are `model.RefineOptions`' own.
    `start`: "pastiche", "content", "noise" or a picture. `on_step` is called with a `model.progress.Step` after each
    step; it may raise `model.progress.Cancelled` to get the best picture so far.
    Warns where something did not go as it was asked for, such as a size that the memory is too small for.

    Raises `model.StyleTransferError`, as `transfer_style` does.
    """
    if isinstance(start, str) and start in START_WORDS:
        return _refine(content, style, {"preset": preset, "start": start} | options, None, on_step, model_path, mask)
    return _refine(content, style, {"preset": preset} | options, start, on_step, model_path, mask)


def transfer_clip(
    content: str | os.PathLike[str] | bytes,
    style: ImageSource | Sequence[ImageSource],
    output: str | os.PathLike[str],
    model_path: str | os.PathLike[str] | None = None,
    *,
    on_step: OnStep | None = None,
    **options: Any,
) -> ClipReport:
    """Paint an animated picture or a video in the style of `style` into the file `output`; its sound is kept.

    The output's suffix names the format: .gif, .webp, .mp4, .mov, .mkv or .webm; videos need PyAV. `options` are
    `model.options.ClipOptions`' own. After an interruption the same call continues where it was.

    Raises `model.StyleTransferError`, as `transfer_style` does.
    """
    from model.pipelines.clips import stylize_clip  # loads SciPy

    return stylize_clip(content, _as_list(style), output, ClipOptions.parse(_drop_none(options)), model_path, on_step)


def train_style(
    style: ImageSource | Sequence[ImageSource],
    photos: ImageSource | Sequence[ImageSource] | None = None,
    minutes: float = 8,
    model_path: str | os.PathLike[str] | None = None,
    *,
    name: str = "style",
    credit: str = "",
    licence: str = "",
    on_step: OnStep | None = None,
    **options: Any,
) -> bytes:
    """Train a network for one painting, or for the mean look of several, and return a style file that holds it.

    `transfer_style` takes the style file as a style, then and later; write it to disk to keep it.
    `photos`: pictures or folders of them to learn on; left out, pictures that are made for it. `options` are
    `model.options.TrainOptions`' own. `on_step` is called with a `model.progress.Step` after each step; it may raise
    `model.progress.Cancelled` to get what has been learnt so far.

    Raises `model.StyleTransferError`, as `transfer_style` does.
    """
    from model.pipelines.style_training import train_style  # loads the network's layers

    chosen = TrainOptions.parse({"seconds": 60 * _check_minutes(minutes)} | _drop_none(options))
    learnt_on = [] if photos is None else _as_list(photos)
    trained = train_style(
        _as_list(style), chosen, learnt_on, model_path, on_step, name=name, credit=credit, licence=licence
    )
    for note in trained.notes:
        warnings.warn(note, stacklevel=2)
    return trained.style.to_bytes()


def _check_minutes(minutes: float) -> float:
    """Check the time here, where its parameter is called `minutes`."""
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= MAX_TRAIN_MINUTES:
        raise InvalidOption(f"'minutes' must be more than 0 and {MAX_TRAIN_MINUTES} or less.", "minutes")
    return float(minutes)


def _stylize(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    options: Mapping[str, Any],
    model_path: str | os.PathLike[str] | None,
    mask: ImageSource | Sequence[ImageSource] | None,
) -> np.ndarray:
    chosen = StylizeOptions.parse(options)
    return _warn_and_unwrap(stylize(content, _as_list(style), chosen, model_path, masks=_mask_list(mask)))


def _refine(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource],
    options: Mapping[str, Any],
    start: ImageSource | None,
    on_step: OnStep | None,
    model_path: str | os.PathLike[str] | None,
    mask: ImageSource | Sequence[ImageSource] | None,
) -> np.ndarray:
    chosen = RefineOptions.parse(options)
    return _warn_and_unwrap(
        model.refine(content, _as_list(style), chosen, start, on_step, model_path, masks=_mask_list(mask))
    )


def _warn_and_unwrap(pastiche: Pastiche) -> np.ndarray:
    """Return the pixels, and warn, in the caller's line, of what was done otherwise than asked for."""
    for note in pastiche.notes:
        warnings.warn(note, stacklevel=4)
    return pastiche.picture.rgb


def _drop_none(options: Mapping[str, Any]) -> dict[str, Any]:
    """Drop options that are None, which stands for the default."""
    return {name: value for name, value in options.items() if value is not None}


def _check_preset(refine: str) -> str:
    """Check the preset here, where its parameter is called `refine`."""
    if refine not in tuple(PRESETS):
        raise InvalidOption(f"'refine' must be one of {', '.join(PRESETS)}, not '{str(refine)[:40]}'.", "refine")
    return refine


def _mask_list(mask: ImageSource | Sequence[ImageSource] | None) -> list[ImageSource]:
    return [] if mask is None else _as_list(mask)


def _as_list(pictures: ImageSource | Sequence[ImageSource]) -> list[ImageSource]:
    return list(pictures) if isinstance(pictures, list | tuple) else [cast(ImageSource, pictures)]
