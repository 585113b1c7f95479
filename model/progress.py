"""What a long computation tells of itself: one callback serves the progress bar, the job record and the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import Picture


@dataclass(frozen=True)
class Step:
    """`step` of `steps` are done. `preview`: the best picture so far, small; None while there is no new one."""

    step: int
    steps: int
    seconds_left: float | None = None
    preview: Picture | None = None
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Where a computation was interrupted: the best picture so far, after so many steps.

    seconds: what those took, which counts towards a time budget. paused: it was stopped there on purpose.
    """

    picture: ImageSource
    step: int
    seconds: float = 0.0
    paused: bool = False


OnStep: TypeAlias = Callable[[Step], None]
OnStage: TypeAlias = Callable[[int, int], None]  # so many stages of so many are done
OnBlock: TypeAlias = Callable[[int], None]  # before the residual block of that number


class Cancelled(Exception):
    """Raised by an OnStep: the computation stops, and hands back the best picture so far."""
