"""What all clips have in common, whatever file they come from: frames that have their time."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from model.imaging.pixel_ops import EightBitPicture


@dataclass(frozen=True)
class Frame:
    pixels: EightBitPicture
    start: float  # seconds
    seconds: float  # for which it is shown
    number: int  # of the frames there are up to its end, whether they are left out or not


class Clip(Protocol):
    """size: width and height of its frames, upright, of square pixels. count: how many there are, as the file says.

    plays: how often it is to be played, 0 for without end. notes: sentences on what could not be read, as it shows.
    """

    size: tuple[int, int]
    count: int
    plays: int
    notes: list[str]

    def frames(self, size: tuple[int, int]) -> Generator[Frame, None, None]:
        """From the first on, scaled to `size`."""


def drop_short_frames(frames: Iterable[Frame], least: float) -> Iterator[Frame]:
    """Without those that follow another sooner than after `least` seconds; their time is that one's."""
    kept: Frame | None = None
    for frame in frames:
        if kept is not None and frame.start - kept.start < least - 1e-4:
            kept = replace(kept, seconds=frame.start + frame.seconds - kept.start, number=frame.number)
            continue
        if kept is not None:
            yield kept
        kept = frame
    if kept is not None:
        yield kept
