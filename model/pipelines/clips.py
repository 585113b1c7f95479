"""Clips: an animated picture or a video, painted frame by frame in one style, without flicker."""

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
from model.imaging.pixel_ops import EightBitPicture, Picture, as_uint8, to_float
from model.options import ClipOptions
from model.pipelines import style_mixing, stylization
from model.pipelines.style_mixing import PaintableStyle, StylePoint
from model.pipelines.stylization import PREVIEW_SIDE, ModelPath
from model.progress import Cancelled, OnStep, Step
from model.video import animations, videos
from model.video.animations import Animation
from model.video.denoising import SceneCutDetector, TemporalDenoiser
from model.video.frame_cache import FrameCache
from model.video.frames import Clip, Frame, drop_short_frames
from model.video.videos import Video
from model.weights.checksums import file_sha256
from model.weights.johnson_files import JohnsonNetwork

if TYPE_CHECKING:
    from model.inference.magenta import Magenta
    from model.pipelines.compositing import StyleLayer

SUFFIXES = (*animations.WRITABLE_SUFFIXES, *videos.VIDEO_FORMATS)
CACHE_VERSION = 2  # of the way frames are painted; cached frames of another one are not used
STATISTICS_MOMENTUM = 0.9  # share of the last frame's moments, at smooth = 1
PIXEL_MOMENTUM = 0.9  # share of its last value that a still pixel keeps, at smooth = 1

FRAMES_ALONE = "An imported network paints each frame by itself, so that what moves changes the paint around it, too."


@dataclass(frozen=True)
class ClipReport:
    """The report on a painted clip."""

    width: int
    height: int
    frames: int  # painted so far
    seconds: float
    weights: str
    recipe: dict[str, Any]
    complete: bool = True  # False: it was cancelled; the same call continues
    notes: list[str] = field(default_factory=list)


def stylize_clip(
    content: str | os.PathLike[str] | bytes,
    styles: Sequence[ImageSource],
    output: str | os.PathLike[str],
    options: ClipOptions | None = None,
    model_path: ModelPath = None,
    on_step: OnStep | None = None,
) -> ClipReport:
    """Paint `content`, an animated picture or a video, into the file `output`, whose suffix names the format.

    Finished frames are cached in a folder beside it: after any interruption the same call continues, and gives the same
    file. on_step: called after every frame. If it raises Cancelled, only the cache is written.

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
    plan = stylization.build_plan(to_float(first.pixels), styles, shares, options.frame_options(), (), model_path)
    recipe = _clip_recipe(plan.recipe, options, size, source)
    layer = plan.layers[0]
    with _disk_full_explained():
        cache = FrameCache(output, _cache_key(recipe, layer, output.suffix))
        painter = FramePainter(plan.network, layer, options, cache.moments)
        try:
            with closing(clip.frames(size)) as frames:
                shortest = animations.MIN_FRAME_SECONDS.get(output.suffix.lower(), 0.0)
                _paint_frames(drop_short_frames(frames, shortest), painter, cache, on_step, clip.count)
            is_complete = True
        except Cancelled:
            is_complete = False
        recipe |= {"frames": len(cache)}
        if is_complete:
            _write_clip(cache, output, clip, options.quality, recipe)
    stopped = [] if is_complete else [f"Cancelled after {len(cache)} frames: asked for again, it goes on from there."]
    seconds = time.perf_counter() - start
    notes = [*clip.notes, *plan.notes, *_imported_notes(layer), *stopped]
    return ClipReport(*size, len(cache), seconds, plan.network.name, recipe, is_complete, notes)


def _imported_notes(layer: StyleLayer) -> list[str]:
    return [FRAMES_ALONE] if style_mixing.imported_share(layer.parts) else []


def open_clip(source: Path | bytes) -> Clip:
    """Open an animated picture or a video; raise an ImageError for anything else."""
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
    """Return the absolute path; raise InvalidOption where no clip can be written to it."""
    output = output.absolute()
    if output.suffix.lower() not in SUFFIXES:
        raise InvalidOption(f"output: a clip's file must end in {', '.join(SUFFIXES)}.", "output")
    if not os.access(output.parent, os.W_OK):
        raise InvalidOption(f"output: there is no folder '{output.parent}' that can be written to.", "output")
    if output.is_dir():
        raise InvalidOption(f"output: '{output.name}' is a folder. Give the name of a file.", "output")
    if output.suffix.lower() in videos.VIDEO_FORMATS:
        videos.check_installed("output")
    return output


def _output_size(clip: Clip, output: Path, options: ClipOptions) -> tuple[int, int]:
    """Return the width and height of the output; even ones for videos, where four pixels share a colour."""
    width, height = options.result_size(*clip.size)
    if output.suffix.lower() not in videos.VIDEO_FORMATS:
        return width, height
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


class FramePainter:
    """Paints frames in sequence: still pixels and the network's statistics carry over from one to the next."""

    def __init__(self, network: Magenta, layer: StyleLayer, options: ClipOptions, moments: np.ndarray) -> None:
        """moments: those that an earlier painter ended with; empty for none."""
        from model.video.temporal_transformer import TemporalTransformer  # loads TensorFlow

        self._options, self._opacity = options, layer.opacity
        self._parts = layer.parts
        point = next((style for style, _ in layer.parts if isinstance(style, StylePoint)), None)
        former = moments if moments.size else None
        self._transformer = point and TemporalTransformer(network.mixed_with(point.networks), point.vector, former)
        self._denoiser, self._cuts = TemporalDenoiser(PIXEL_MOMENTUM * options.smooth), SceneCutDetector()
        self._denoised, self._is_new_scene = np.zeros((0, 0, 3), "float32"), False

    @property
    def moments(self) -> np.ndarray | None:
        return self._transformer.moments if self._transformer else None

    def observe(self, rgb: np.ndarray) -> None:
        """Take the next frame, (H, W, 3) in 0..1; frames that are not painted again must be observed as well."""
        self._is_new_scene = self._cuts(rgb)
        self._denoised = self._denoiser(rgb, self._is_new_scene)

    def paint(self) -> np.ndarray:
        """Paint the frame observed last, as (H, W, 3) float32 in 0..1."""
        share = 0.0 if self._is_new_scene else STATISTICS_MOMENTUM * self._options.smooth
        pastiche = style_mixing.mean_picture(self._parts, lambda style: self._render(style, share))
        keep = self._options.keep_colours, self._options.keep_light
        pastiche = color.preserve_colours(pastiche, self._denoised, *keep)
        return pixel_ops.mix(pastiche, self._denoised, self._opacity)

    def _render(self, style: PaintableStyle, share: float) -> np.ndarray:
        """Render the frame with a share of the moments so far; an imported network has none."""
        from model.inference import johnson  # loads TensorFlow

        if isinstance(style, JohnsonNetwork):
            return johnson.render(style, self._denoised)
        assert self._transformer
        return self._transformer.render(self._denoised, share)


def _paint_frames(
    frames: Iterator[Frame], painter: FramePainter, cache: FrameCache, on_step: OnStep | None, count: int
) -> None:
    """Paint into the cache the frames that it does not have yet. count: the frames of the whole clip."""
    finished, before, start = len(cache), 0, time.perf_counter()
    for index, frame in enumerate(frames):
        painter.observe(to_float(frame.pixels).rgb)
        if index < finished:
            before, start = frame.number, time.perf_counter()
            continue
        rgb = painter.paint()
        cache.add(replace(frame, pixels=EightBitPicture(as_uint8(rgb), frame.pixels.alpha)), painter.moments)
        if on_step:
            left = (time.perf_counter() - start) / (frame.number - before) * max(0, count - frame.number)
            preview = Picture(pixel_ops.thumbnail(rgb, PREVIEW_SIDE))
            on_step(Step(frame.number, max(count, frame.number), left, preview))


def _write_clip(cache: FrameCache, output: Path, clip: Clip, quality: int, recipe: dict[str, Any]) -> None:
    """Write the clip inside the cache's folder, then replace `output` by it and remove the cache."""
    if output.suffix.lower() in videos.VIDEO_FORMATS:
        frames = ((cache.read_frame(index), *cache.times[index]) for index in range(len(cache)))
        videos.save(cache.result_path, frames, quality, recipe, clip if isinstance(clip, Video) else None)
    else:
        seconds = cache.times[:, 1].tolist()
        animations.save(cache.result_path, cache.read_frame, seconds, clip.plays, quality, recipe)
    os.replace(cache.result_path, output)
    cache.remove()


def _clip_recipe(
    plan: dict[str, Any], options: ClipOptions, size: tuple[int, int], source: Path | bytes
) -> dict[str, Any]:
    """Return the recipe of the first frame's pastiche, with the options of the clip in place of those of a photo."""
    kept = ("method", "weights", "weights_sha256", "styles", "mix", "versions")
    used = options.model_dump(mode="json", exclude={"weights"}, exclude_none=True)
    photo = {"width": size[0], "height": size[1], "content_sha256": _source_sha256(source)}
    return {name: value for name, value in plan.items() if name in kept} | used | photo


def _source_sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    return file_sha256(source)


def _cache_key(recipe: dict[str, Any], layer: StyleLayer, suffix: str) -> str:
    digest = hashlib.sha256(json.dumps([CACHE_VERSION, suffix.lower(), recipe], sort_keys=True).encode())
    for style, part in layer.parts:
        networks = style.networks if isinstance(style, StylePoint) else [(style, 1.0)]
        digest.update(repr([part, *((network.sha256, share) for network, share in networks)]).encode())
        digest.update(style.vector.tobytes() if isinstance(style, StylePoint) else b"")
    return digest.hexdigest()


@contextmanager
def _disk_full_explained() -> Iterator[None]:
    """Turn the error of a full disk into an ImageTooLarge with a sentence for users."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        sentence = "The disk is full. Make room, and the same command goes on where it was; or ask for a smaller size."
        raise ImageTooLarge(sentence, "size") from error
