"""A clip and some paintings in, the clip painted out: GIF, WebP or video, one style for all of it, and no flicker."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.errors import ImageTooLarge, InvalidOption, UnsupportedImage
from model.imaging import color, image_files, pixel_ops
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import EightBitPicture, Picture
from model.options import ClipOptions
from model.pipelines import stylization
from model.pipelines.stylization import PREVIEW_SIDE, ModelPath
from model.progress import Cancelled, OnStep, Step
from model.video import animations, videos
from model.video.animations import Animation
from model.video.denoising import SceneCutDetector, TemporalDenoiser
from model.video.frame_cache import FrameCache
from model.video.frames import Clip, Frame, drop_short_frames
from model.video.videos import Video

if TYPE_CHECKING:
    from model.inference.magenta import Magenta


SUFFIXES = (*animations.MIN_FRAME_SECONDS, *videos.FORMATS)
CACHE_VERSION = 1  # of how frames come about: with another, none is taken over
STATISTICS_MOMENTUM = 0.9  # share of the moments of the frame before, where all is to be smooth
PIXEL_MOMENTUM = 0.9  # share of its former self that a still pixel keeps, likewise


@dataclass(frozen=True)
class ClipReport:
    width: int
    height: int
    frames: int  # that are painted
    seconds: float
    weights: str
    recipe: dict[str, Any]
    complete: bool = True  # False: it was cancelled; the same call goes on where it was
    notes: list[str] = field(default_factory=list)


def stylize_clip(
    content: str | os.PathLike[str] | bytes,
    styles: Sequence[ImageSource],
    output: str | os.PathLike[str],
    options: ClipOptions | None = None,
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> ClipReport:
    """Paints `content`, an animated picture or a video, into the file `output`, whose ending says which kind it is.

    Finished frames wait in a folder beside it. Whatever stops the work, the same call goes on where it was; it is the
    same file then. on_step hears of every frame; if it raises Cancelled, nothing is written but those.

    Raises InvalidOption, ImageError or WeightsError.
    """
    start = time.perf_counter()
    options, output = options or ClipOptions(), _check_output(Path(output))
    shares = options.blend_weights(len(styles))
    source = content if isinstance(content, bytes) else Path(content)
    clip = open_clip(source)
    size = _output_size(clip, output, options)
    with closing(clip.frames(size)) as frames:
        first = next(frames)
    plan = stylization.build_plan(_to_picture(first.pixels), styles, shares, options.frame_options(), (), model_path)
    recipe = _clip_recipe(plan.recipe, options, size, source)
    vector = plan.layers[0].vector
    with _disk_full_explained():
        parts = FrameCache(output, _cache_key(recipe, vector, output.suffix))
        painter = FramePainter(plan.network, vector, options, parts.moments)
        try:
            with closing(clip.frames(size)) as frames:
                least = animations.MIN_FRAME_SECONDS.get(output.suffix.lower(), 0.0)
                _paint_frames(drop_short_frames(frames, least), painter, parts, on_step, clip.count)
            is_complete = True
        except Cancelled:
            is_complete = False
        recipe |= {"frames": len(parts)}
        if is_complete:
            _write_clip(parts, output, clip, options.quality, recipe)
    stopped = [] if is_complete else [f"Cancelled after {len(parts)} frames: asked for again, it goes on from there."]
    seconds = time.perf_counter() - start
    return ClipReport(*size, len(parts), seconds, plan.network.name, recipe, is_complete, [*clip.notes, *stopped])


def open_clip(source: Path | bytes) -> Clip:
    """Raises an ImageError for what is neither an animated picture nor a video."""
    if not (len(source) if isinstance(source, bytes) else source.is_file() and source.stat().st_size):
        raise UnsupportedImage("content: there is no such file, or it is empty. Check the path.", "content")
    try:
        return Animation(source)
    except UnsupportedImage:
        if _is_picture(source):
            raise animations.not_animated_error() from None
        return Video(source)


def _is_picture(source: Path | bytes) -> bool:
    try:
        image_files.peek_size(source)
    except UnsupportedImage:
        return False
    return True


def _check_output(output: Path) -> Path:
    output = output.absolute()
    if output.suffix.lower() not in SUFFIXES:
        raise InvalidOption(f"output: a clip's file must end in {', '.join(SUFFIXES)}.", "output")
    if not os.access(output.parent, os.W_OK):
        raise InvalidOption(f"output: there is no folder '{output.parent}' that can be written to.", "output")
    if output.is_dir():
        raise InvalidOption(f"output: '{output.name}' is a folder. Give the name of a file.", "output")
    if output.suffix.lower() in videos.FORMATS:
        videos.check_installed("output")
    return output


def _output_size(clip: Clip, output: Path, options: ClipOptions) -> tuple[int, int]:
    """Of videos, where four pixels share a colour, both sides are even."""
    width, height = options.result_size(*clip.size)
    if output.suffix.lower() not in videos.FORMATS:
        return width, height
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


class FramePainter:
    """Frames one after another, each as the one before lets it be."""

    def __init__(self, network: Magenta, vector: np.ndarray, options: ClipOptions, moments: np.ndarray) -> None:
        """moments: what an earlier painter ended with; empty where there was none."""
        from model.video.temporal_transformer import TemporalTransformer  # loads TensorFlow

        self._options = options
        self._carried = TemporalTransformer(network, vector, moments if moments.size else None)
        self._still, self._cuts = TemporalDenoiser(PIXEL_MOMENTUM * options.smooth), SceneCutDetector()
        self._seen, self._is_new_scene = np.zeros((0, 0, 3), "float32"), False

    @property
    def moments(self) -> np.ndarray | None:
        return self._carried.moments

    def observe(self, rgb: np.ndarray) -> None:
        """(H, W, 3) in 0..1. Also those that an earlier painter painted have to be seen."""
        self._is_new_scene = self._cuts(rgb)
        self._seen = self._still(rgb, self._is_new_scene)

    def paint(self) -> np.ndarray:
        """What was seen last, as float32 in 0..1."""
        share = 0.0 if self._is_new_scene else STATISTICS_MOMENTUM * self._options.smooth
        pastiche = self._carried.render(self._seen, share)
        return color.preserve_colours(pastiche, self._seen, self._options.keep_colours, self._options.keep_light)


def _paint_frames(
    frames: Iterator[Frame], painter: FramePainter, parts: FrameCache, on_step: OnStep | None, count: int
) -> None:
    """count: of the frames that the clip has."""
    finished, before, start = len(parts), 0, time.perf_counter()
    for index, frame in enumerate(frames):
        painter.observe(_to_picture(frame.pixels).rgb)
        if index < finished:
            before, start = frame.number, time.perf_counter()
            continue
        rgb = painter.paint()
        parts.add(replace(frame, pixels=_to_eight_bit(rgb, frame.pixels.alpha)), painter.moments)
        if on_step:
            left = (time.perf_counter() - start) / (frame.number - before) * max(0, count - frame.number)
            preview = Picture(pixel_ops.thumbnail(rgb, PREVIEW_SIDE))
            on_step(Step(frame.number, max(count, frame.number), left, preview))


def _to_picture(pixels: EightBitPicture) -> Picture:
    alpha = None if pixels.alpha is None else pixels.alpha / np.float32(255)
    return Picture(pixels.rgb / np.float32(255), alpha)


def _to_eight_bit(rgb: np.ndarray, alpha: np.ndarray | None) -> EightBitPicture:
    return EightBitPicture(pixel_ops.to_eight_bit(Picture(rgb)).rgb, alpha)


def _write_clip(parts: FrameCache, output: Path, clip: Clip, quality: int, recipe: dict[str, Any]) -> None:
    """Beside first: what lies at `output` is replaced by the whole of the new."""
    if output.suffix.lower() in videos.FORMATS:
        frames = ((parts.picture(index), *parts.times[index]) for index in range(len(parts)))
        videos.save(parts.result, frames, quality, recipe, clip if isinstance(clip, Video) else None)
    else:
        animations.save(parts.result, parts.picture, parts.times[:, 1].tolist(), clip.plays, quality, recipe)
    os.replace(parts.result, output)
    parts.remove()


def _clip_recipe(
    plan: dict[str, Any], options: ClipOptions, size: tuple[int, int], source: Path | bytes
) -> dict[str, Any]:
    """That of a pastiche of the first frame; what a clip has no choice in is left out."""
    about = ("method", "weights", "weights_sha256", "styles", "mix", "versions")
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    photo = {"width": size[0], "height": size[1], "content_sha256": _source_sha256(source)}
    return {name: value for name, value in plan.items() if name in about} | used | photo


def _source_sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cache_key(recipe: dict[str, Any], vector: np.ndarray, suffix: str) -> str:
    text = json.dumps([CACHE_VERSION, suffix.lower(), recipe], sort_keys=True)
    return hashlib.sha256(text.encode() + vector.tobytes()).hexdigest()


@contextmanager
def _disk_full_explained() -> Iterator[None]:
    """What the disk refuses, in words."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        sentence = "The disk is full. Make room, and the same command goes on where it was; or ask for a smaller size."
        raise ImageTooLarge(sentence, "size") from error
