"""Animated pictures: reading GIF, WebP, PNG and AVIF, writing GIF and WebP."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from model.errors import BrokenImage, UnsupportedImage
from model.imaging import image_files
from model.imaging.metadata import build_metadata, pillow_save_options
from model.video.frames import Frame

READABLE_FORMATS = ("GIF", "WEBP", "PNG", "AVIF")
WRITABLE_SUFFIXES = (".gif", ".webp")
MIN_FRAME_SECONDS = {".gif": 0.02, ".webp": 0.0}  # by suffix; players slow down faster frames of a GIF
_MAX_IGNORED_SECONDS, _FALLBACK_SECONDS = 0.01, 0.1  # browsers show frames up to the first for the second
_PALETTE_SAMPLES = 24  # frames that a GIF's palette is made of
_BAYER_MATRIX = np.array(  # ordered dithering: the same pattern in every frame, so that dots do not flicker
    [
        [0, 32, 8, 40, 2, 34, 10, 42],
        [48, 16, 56, 24, 50, 18, 58, 26],
        [12, 44, 4, 36, 14, 46, 6, 38],
        [60, 28, 52, 20, 62, 30, 54, 22],
        [3, 35, 11, 43, 1, 33, 9, 41],
        [51, 19, 59, 27, 49, 17, 57, 25],
        [15, 47, 7, 39, 13, 45, 5, 37],
        [63, 31, 55, 23, 61, 29, 53, 21],
    ]
)
_DITHER_AMPLITUDE = 8  # of 256 levels, from the lightest threshold to the darkest
_TRANSPARENT_INDEX = 255  # of a GIF's palette

FrameGetter: TypeAlias = Callable[[int], Image.Image]


class Animation:
    """An animated picture, whose frames Pillow composes: blending and disposal are its."""

    def __init__(self, source: Path | bytes) -> None:
        """Raise UnsupportedImage for what is no picture, or has a single frame."""
        self.notes: list[str] = []
        self._source = source
        with self._open() as image:
            self.count = _frame_count(image)
            if self.count < 2:
                raise not_animated_error()
            self.plays = _play_count(image)
        self.size = image_files.peek_size(source)

    def frames(self, size: tuple[int, int]) -> Generator[Frame, None, None]:
        start = 0.0
        with self._open() as image:
            first = _first_frame(image)
            for index in range(first, first + self.count):
                try:
                    image.seek(index)
                    pixels = image_files.read_eight_bit(
                        image, target=lambda width, height: _match_orientation(size, width, height)
                    )
                except Exception as error:
                    sentence = "content: this clip is damaged from the beginning. Save it again, or use another one."
                    if index == first:
                        raise BrokenImage(sentence, "content") from error
                    self.notes.append(f"The clip is damaged after frame {index - first}: only those were painted.")
                    return
                seconds = image.info.get("duration", 0) / 1000
                seconds = seconds if seconds > _MAX_IGNORED_SECONDS else _FALLBACK_SECONDS
                yield Frame(pixels, start, seconds, index - first + 1)
                start += seconds

    @contextmanager
    def _open(self) -> Iterator[Image.Image]:
        file = io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source
        with _without_pillow_warnings():
            try:
                image = Image.open(file, formats=READABLE_FORMATS)
            except UnidentifiedImageError as error:
                raise UnsupportedImage("content: this is no picture that can be read.", "content") from error
            except Exception as error:
                raise BrokenImage(
                    "content: this clip is damaged. Save it again, or use another one.", "content"
                ) from error
            with image:
                yield image


def not_animated_error() -> UnsupportedImage:
    return UnsupportedImage("content: this picture does not move. Paint it as a photo instead.", "content")


@contextmanager
def _without_pillow_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        yield


def _frame_count(image: Image.Image) -> int:
    frames: int = getattr(image, "n_frames", 1)
    return frames - _first_frame(image)


def _first_frame(image: Image.Image) -> int:
    """Return the index of the first frame: a PNG may begin with a picture for viewers without animation."""
    return int(bool(image.info.get("default_image")))


def _play_count(image: Image.Image) -> int:
    """Return how often it is played, 0 for endless; a GIF states the repeats, and without them is played once."""
    loop = image.info.get("loop")
    if image.format != "GIF":
        return loop or 0
    return 1 if loop is None else loop and loop + 1


def _match_orientation(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Return `size` with its sides swapped for a picture that lies on its side."""
    return size if (width >= height) == (size[0] >= size[1]) else size[::-1]


def save(
    path: Path, get_frame: FrameGetter, seconds: Sequence[float], plays: int, quality: int, recipe: dict[str, Any]
) -> None:
    """Write the frames get_frame(0), get_frame(1), …, RGB or RGBA, each shown for its number of `seconds`."""
    write = {".gif": _save_gif, ".webp": _save_webp}[path.suffix]
    write(path, get_frame, seconds, plays, quality, recipe)


def _save_webp(
    path: Path, get_frame: FrameGetter, seconds: Sequence[float], plays: int, quality: int, recipe: dict[str, Any]
) -> None:
    metadata = pillow_save_options(recipe, "webp") | {"icc_profile": image_files.srgb_profile()}
    milliseconds = _frame_milliseconds(seconds, 1)
    frames = _LazyFrames(get_frame, len(seconds))
    frames.save(path, "WEBP", save_all=True, duration=milliseconds, loop=plays, quality=quality, **metadata)


def _save_gif(
    path: Path, get_frame: FrameGetter, seconds: Sequence[float], plays: int, quality: int, recipe: dict[str, Any]
) -> None:
    palette, has_clear = _shared_palette(get_frame, len(seconds))
    frames = _LazyFrames(lambda index: _apply_palette(get_frame(index), palette, has_clear), len(seconds))
    loop = {} if plays == 1 else {"loop": plays and plays - 1}
    clear = {"transparency": _TRANSPARENT_INDEX, "disposal": 2} if has_clear else {}
    frames.save(
        path,
        "GIF",
        save_all=True,
        duration=_frame_milliseconds(seconds, 10),
        comment=build_metadata(recipe).text.encode(),
        optimize=False,
        **loop,
        **clear,
    )


def _frame_milliseconds(seconds: Sequence[float], unit: int) -> list[int]:
    """Return milliseconds, multiples of `unit`, whose sums stay as close as possible to those of `seconds`."""
    ends = np.round(np.cumsum([0.0, *seconds]) * 1000 / unit).astype(int) * unit
    return [int(step) for step in np.diff(ends)]


def _shared_palette(get_frame: FrameGetter, count: int) -> tuple[Image.Image, bool]:
    """Return one palette for the whole clip, so that colours do not flicker, and whether anything is transparent."""
    chosen = np.unique(np.linspace(0, count - 1, min(count, _PALETTE_SAMPLES)).astype(int))
    samples = [get_frame(int(index)) for index in chosen]
    thumbnails = [np.asarray(sample.convert("RGB").resize((64, 64), Image.Resampling.NEAREST)) for sample in samples]
    has_clear = any(sample.mode == "RGBA" for sample in samples)
    colours = Image.fromarray(np.concatenate(thumbnails))
    return colours.quantize(_TRANSPARENT_INDEX if has_clear else 256, Image.Quantize.MEDIANCUT, kmeans=3), has_clear


def _apply_palette(frame: Image.Image, palette: Image.Image, has_clear: bool) -> Image.Image:
    pixels = np.asarray(frame.convert("RGB"))
    height, width = pixels.shape[:2]
    thresholds = np.tile(_BAYER_MATRIX, (height // 8 + 1, width // 8 + 1))[:height, :width, None]
    noise = (thresholds + 0.5) * (_DITHER_AMPLITUDE / 64)
    dithered = (pixels + noise - _DITHER_AMPLITUDE / 2).clip(0, 255).astype(np.uint8)
    indexed = Image.fromarray(dithered).quantize(palette=palette, dither=Image.Dither.NONE)
    if has_clear and frame.mode == "RGBA":
        indexed.paste(_TRANSPARENT_INDEX, mask=frame.getchannel("A").point([255] * 128 + [0] * 128))
    return indexed


class _LazyFrames(Image.Image):
    """An image whose frames are computed when Pillow saves them, so that they are never all in memory."""

    def __init__(self, get_frame: FrameGetter, count: int) -> None:
        super().__init__()
        self._get_frame, self.n_frames = get_frame, count
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        image = self._get_frame(frame)
        image.load()
        self.im, self._mode, self._size, self.palette = image.im, image.mode, image.size, image.palette
        self._index = frame

    def tell(self) -> int:
        return self._index
