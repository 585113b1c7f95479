"""The film of a refinement: an animated GIF or WebP of its steps."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from model.imaging.pixel_ops import as_uint8
from model.progress import Step

FRAME_COUNT = 60
FRAME_SIDE = 640  # pixels, long side at most
FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS = 80, 2000


class Film:
    """Collects about FRAME_COUNT frames, evenly spread over the steps."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._next_step = 0.0

    def add(self, step: Step) -> None:
        if step.preview is None or (step.step < self._next_step and step.step < step.steps):
            return
        self._next_step = step.step + step.steps / FRAME_COUNT
        frame = Image.fromarray(as_uint8(step.preview.rgb))
        frame.thumbnail((FRAME_SIDE, FRAME_SIDE), Image.Resampling.LANCZOS)
        self._frames.append(frame)

    def encode(self, format: Literal["gif", "webp"]) -> bytes:
        """Encode all frames at the size of the last, which is shown longest; coarse scales gave smaller ones."""
        size = self._frames[-1].size
        first, *others = [frame.resize(size, Image.Resampling.BICUBIC) for frame in self._frames]
        times = [FRAME_MILLISECONDS] * len(others) + [LAST_FRAME_MILLISECONDS]
        file = io.BytesIO()
        first.save(file, format, save_all=True, append_images=others, duration=times, loop=0, quality=85)
        return file.getvalue()
