"""Progress of a long computation: the callbacks that report it, and how one is cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import Picture

LOSS_NAMES = ("loss", "content", "style", "variation")


@dataclass(frozen=True)
class Step:
    """`step` of `steps` are done. preview: the best picture so far, small; None while there is no new one."""

    step: int
    steps: int
    seconds_left: float | None = None
    preview: Picture | None = None
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """The state of an interrupted computation: the best picture so far, after so many steps.

    seconds: the time that they took, which counts towards a time budget. paused: it was interrupted on purpose.
    """

    picture: ImageSource
    step: int
    seconds: float = 0.0
    paused: bool = False


OnStep: TypeAlias = Callable[[Step], None]
OnStage: TypeAlias = Callable[[int, int], None]  # (stages done, all stages)
OnBlock: TypeAlias = Callable[[int], None]  # called before the residual block of that number


class Cancelled(Exception):
    """Raised by an OnStep to stop the computation, which then returns the best picture so far."""
