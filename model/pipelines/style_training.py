"""Training a style's own network: the shared one, fine-tuned to one painting or to the mean of several."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from model.errors import ImageTooLarge, InvalidOption
from model.hardware import memory
from model.imaging import image_files, pixel_ops, scratch
from model.imaging.borders import has_border
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import Picture
from model.options import TrainOptions, scaled_size
from model.pipelines import stylization
from model.pipelines.stylization import ModelPath
from model.progress import Cancelled, OnStep, Step
from model.refinement import encoder_registry
from model.style_file import StyleFile

if TYPE_CHECKING:
    from model.finetuning.training import StyleTraining

TRAINING_BYTES = 2_000_000_000  # of memory that a training takes, with VGG19; a third less with the one that ships
MAX_PHOTOS = 2000
PHOTO_SIDE = 640  # pixels, short side at which photos are kept: crops take half of it or more
PREVIEW_SECONDS = 20.0  # between two sample pictures
CHECKPOINT_SECONDS = 60.0
MIN_PAINTING_SIDE = 200  # pixels; a smaller painting has hardly any strokes to learn from
FLAT = 0.02  # standard deviation of a painting's colours below which there is nothing to learn
TREND_STEPS = 40  # whose losses are averaged, at the beginning and at the end
TREND_LOSSES = ("style", "content")
SMALL_PAINTING = "The painting is small: its strokes are hardly more than a few pixels. A larger one teaches more."
FRAMED_PAINTING = "The painting has a border of one colour, which is learnt, too: cut it off to learn strokes alone."
_PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class TrainedStyle:
    """A style file that holds its network, and how the training went."""

    style: StyleFile
    steps: int
    seconds: float
    judge: str
    first_losses: dict[str, float]  # "style" and "content", relative: means over the first steps
    last_losses: dict[str, float]
    complete: bool = True  # False: it was cancelled; the network is what had been learnt
    notes: list[str] = field(default_factory=list)


def train_style(
    styles: Sequence[ImageSource],
    options: TrainOptions | None = None,
    photos: Sequence[ImageSource] = (),
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
    folder: Path | None = None,
    *,
    name: str = "style",
    credit: str = "",
    licence: str = "",
) -> TrainedStyle:
    """Train a network for `styles`, paintings whose look is averaged, and return it in a style file.

    photos: pictures or folders of them to learn on; without any, pictures that are made for it. folder: keeps the
    state of the training, so that the same call goes on where it was stopped; it is removed at the end.
    on_step: called after each step, now and then with a sample. If it raises Cancelled, the network so far is returned.

    Raises InvalidOption, ImageError or WeightsError.
    """
    options = options or TrainOptions()
    judge = encoder_registry.best_available() if options.judge == "auto" else options.judge
    paintings = [_read_painting(style, options.size) for style in styles]
    contents = _read_photos(photos)
    _check_memory()
    network = stylization.load_network(model_path)

    from model.finetuning.training import StyleTraining  # loads Keras's layers and optimizers

    with scratch.temporary_folder() as temporary:
        training = StyleTraining(network, paintings, contents, options, judge, folder or temporary)
        progress = _TrainingProgress(training, on_step)
        notes = [*_painting_notes(styles, paintings), *progress.run()]
        if folder and progress.is_complete:
            training.session.path.unlink(missing_ok=True)
    style = StyleFile.with_network(
        training.encode(name),
        **{"name": name, "credit": credit, "licence": licence, "vector": training.vector},
        **{"weights": network.name, "weights_sha256": network.sha256},
    )
    session, losses = training.session, progress.losses
    trend = _mean_losses(losses[:TREND_STEPS]), _mean_losses(losses[-TREND_STEPS:])
    return TrainedStyle(style, session.step, session.seconds, judge, *trend, progress.is_complete, notes)


class _Converged(Exception):
    """The mean loss has not fallen for as many steps as the options have patience for."""


class _TrainingProgress:
    """Runs a training: reports, saves its state now and then, and ends it where that is asked for."""

    def __init__(self, training: StyleTraining, on_step: OnStep | None) -> None:
        self.training, self.on_step = training, on_step
        self.losses: list[dict[str, float]] = []
        self.is_complete = True
        self._patience = training.options.patience
        self._lowest, self._lowest_step = float("inf"), 0
        self._saved = self._previewed = time.monotonic()
        self._sample = training.crops.draw(0, 1)[0][0]

    def run(self) -> list[str]:
        """Train, and return notes on what went otherwise than asked for."""
        from model.finetuning.session import Diverged

        try:
            self.training.run(self._after_step)
        except Cancelled:
            self.is_complete = False
            self.training.session.save()
        except _Converged:
            return [f"The loss fell no more for {self._patience} steps: it ended at step {self.training.session.step}."]
        except Diverged:
            return [f"The losses were no numbers any more after step {self.training.session.step}: it ended there."]
        return []

    def _after_step(self, losses: dict[str, float], progress: float) -> None:
        self.losses.append({name: losses[name] for name in ("loss", *TREND_LOSSES)})
        self._check_patience()
        now, session = time.monotonic(), self.training.session
        if now - self._saved > CHECKPOINT_SECONDS:
            session.save()
            self._saved = now
        if not self.on_step:
            return
        steps = round(session.step / progress)
        left = session.seconds * (1 - progress) / progress
        step = Step(session.step, steps, left, self._preview(now), _mean_losses(self.losses[-10:]))
        begun = time.monotonic()
        self.on_step(step)
        session.seconds -= time.monotonic() - begun  # the time that the caller takes is no time of training

    def _check_patience(self) -> None:
        count, mean = len(self.losses), float(np.mean([step["loss"] for step in self.losses[-TREND_STEPS:]]))
        if mean < self._lowest:
            self._lowest, self._lowest_step = mean, count
        elif self._patience and count - self._lowest_step >= self._patience:
            raise _Converged

    def _preview(self, now: float) -> Picture | None:
        if now - self._previewed < PREVIEW_SECONDS:
            return None
        self._previewed = now
        return Picture(self.training.paint(self._sample))


def _mean_losses(losses: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([step[name] for step in losses])) for name in TREND_LOSSES} if losses else {}


def _read_painting(style: ImageSource, size: int) -> np.ndarray:
    """Read a painting as (H, W, 3) with that long side; raise InvalidOption for a style vector or style file."""
    read = stylization.read_style(style, limit=size)
    if not stylization.is_painting(read):
        sentence = (
            "To train a network, give the painting itself: of a style vector or style file only the strokes are left."
        )
        raise InvalidOption(sentence, "style")
    if read.std((0, 1)).max() < FLAT:
        raise InvalidOption("This picture has hardly more than one colour: there is no style in it to learn.", "style")
    scale = size / max(read.shape[:2])
    return pixel_ops.resize(read, scaled_size(read.shape[0], read.shape[1], scale))


def _painting_notes(styles: Sequence[ImageSource], paintings: Sequence[np.ndarray]) -> Iterator[str]:
    if any(_short_side(style) < MIN_PAINTING_SIDE for style in styles):
        yield SMALL_PAINTING
    if any(map(has_border, paintings)):
        yield FRAMED_PAINTING


def _short_side(style: ImageSource) -> int:
    sides = style.shape[:2] if isinstance(style, np.ndarray) else image_files.source_size(style)
    shorter: int = min(sides[:2])
    return shorter


def _read_photos(photos: Sequence[ImageSource]) -> list[Image.Image]:
    """Read pictures and folders of them, each down to what crops need."""
    paths = [path for photo in photos for path in _pictures_in(photo)][:MAX_PHOTOS]
    return [Image.fromarray(_read_photo(path)) for path in paths]


def _pictures_in(photo: ImageSource) -> list[ImageSource]:
    if not (isinstance(photo, str | os.PathLike) and Path(photo).is_dir()):
        return [photo]
    found: list[ImageSource] = [p for p in sorted(Path(photo).iterdir()) if p.suffix.lower() in _PHOTO_SUFFIXES]
    if not found:
        raise InvalidOption(f"photos: there are no pictures in the folder '{photo}'.", "photos")
    return found


def _read_photo(photo: ImageSource) -> np.ndarray:
    rgb = image_files.read_eight_bit(photo, field="photos").rgb
    scale = PHOTO_SIDE / min(rgb.shape[:2])
    return rgb if scale >= 1 else pixel_ops.resize(rgb, scaled_size(rgb.shape[0], rgb.shape[1], scale))


def _check_memory() -> None:
    free = memory.free_bytes()
    if free is not None and free < TRAINING_BYTES:
        sentence = f"A training takes {TRAINING_BYTES / 1e9:.0f} GB of memory, {free / 1e9:.1f} GB is free: make room."
        raise ImageTooLarge(sentence, "style")
