"""Clips and their frames, whatever kind of file they come from."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from model.imaging.pixel_ops import EightBitPicture


@dataclass(frozen=True)
class Frame:
    pixels: EightBitPicture
    start: float  # seconds
    seconds: float  # duration
    number: int  # of the clip's frames up to its end, including those that were dropped


class Clip(Protocol):
    """An animated picture or a video.

    size: width and height of its frames, upright, of square pixels. count: the number of frames that the file states.
    plays: how often it is played, 0 for endless. notes: sentences on what could not be read, added while reading.
    """

    size: tuple[int, int]
    count: int
    plays: int
    notes: list[str]

    def frames(self, size: tuple[int, int]) -> Generator[Frame, None, None]:
        """Yield all frames, scaled to `size`."""


def drop_short_frames(frames: Iterable[Frame], shortest: float) -> Iterator[Frame]:
    """Drop frames that follow another within `shortest` seconds, and show that one in their time."""
    pending: Frame | None = None
    for frame in frames:
        if pending is not None and frame.start - pending.start < shortest - 1e-4:
            pending = replace(pending, seconds=frame.start + frame.seconds - pending.start, number=frame.number)
            continue
        if pending is not None:
            yield pending
        pending = frame
    if pending is not None:
        yield pending
