"""A refinement as a short film: GIF or WebP, one frame every so many steps."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from PIL import Image

from model.progress import Step

FRAME_COUNT = 60
FRAME_SIDE = 640  # pixels, long side at most
FRAME_MILLISECONDS, LAST_FRAME_MILLISECONDS = 80, 2000  # milliseconds


class Film:
    """Collects frames from the steps it is shown, evenly over all of them."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._claim_next = 0.0

    def add(self, step: Step) -> None:
        if step.preview is None or (step.step < self._claim_next and step.step < step.steps):
            return
        self._claim_next = step.step + step.steps / FRAME_COUNT
        frame = Image.fromarray((step.preview.rgb * 255 + 0.5).astype(np.uint8))
        frame.thumbnail((FRAME_SIDE, FRAME_SIDE), Image.Resampling.LANCZOS)
        self._frames.append(frame)

    def encode(self, format: Literal["gif", "webp"]) -> bytes:
        """All frames as large as the last, which stays longest; coarse scales gave smaller ones."""
        size = self._frames[-1].size
        first, *others = [frame.resize(size, Image.Resampling.BICUBIC) for frame in self._frames]
        times = [FRAME_MILLISECONDS] * len(others) + [LAST_FRAME_MILLISECONDS]
        file = io.BytesIO()
        first.save(file, format, save_all=True, append_images=others, duration=times, loop=0, quality=85)
        return file.getvalue()
