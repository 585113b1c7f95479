"""The levels of an optimisation from coarse to fine, and the sizes of pictures at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.imaging import pixel_ops
from model.options import RefineOptions
from model.refinement import encoder_registry

MIN_LEVEL_SIDE = 64  # pixels, long side of the coarsest level
MAX_GRAM_STYLE_SIDE = 2048  # pixels, long side


@dataclass(frozen=True)
class PyramidLevel:
    """One resolution of the run; work is counted in pixels times steps, as a share of the whole run's."""

    size: tuple[int, int]  # height, width
    steps: int
    steps_before: int  # of the coarser levels
    work: float
    work_before: float  # of the coarser levels
    steps_done: int = 0  # at this level before an interruption


def build_pyramid(size: tuple[int, int], options: RefineOptions) -> list[PyramidLevel]:
    """Return the levels from coarse to fine, by factors of the square root of two, without those that are too small.

    The coarser, the more steps: they are cheap there, and do most of the work.
    """
    smallest = encoder_registry.get(options.encoder).smallest
    shrunk = [tuple(round(side / 2 ** (level / 2)) for side in size) for level in reversed(range(options.scales))]
    sizes = [s for s in shrunk if s == size or (max(s) >= MIN_LEVEL_SIDE and min(s) >= smallest)]
    sizes = sizes[-options.steps :]
    ends = _cumulative_steps([1 / max(s) for s in sizes], options.steps)
    steps = np.diff(ends, prepend=0)
    work = np.array([height * width * n for (height, width), n in zip(sizes, steps, strict=True)], "float64")
    work /= work.sum()
    columns = (steps, ends - steps, work, np.cumsum(work) - work)
    return [PyramidLevel(*row) for row in zip(sizes, *(column.tolist() for column in columns), strict=True)]


def remaining_levels(levels: Sequence[PyramidLevel], done: int) -> list[PyramidLevel]:
    """Return what remains of the levels after the first `done` steps."""
    skipped = [min(max(done - level.steps_before, 0), level.steps) for level in levels]
    return [_skip_steps(level, steps) for level, steps in zip(levels, skipped, strict=True) if steps < level.steps]


def _skip_steps(level: PyramidLevel, steps: int) -> PyramidLevel:
    """Return the rest of a level after its first steps."""
    work = level.work * steps / level.steps
    return PyramidLevel(
        level.size, level.steps - steps, level.steps_before + steps, level.work - work, level.work_before + work, steps
    )


def _cumulative_steps(shares: Sequence[float], total: int) -> np.ndarray:
    """Split `total` steps, one for each part and the others by share, and return where each part ends."""
    others = np.cumsum(shares) / np.sum(shares) * (total - len(shares))
    ends: np.ndarray = 1 + np.arange(len(shares)) + np.rint(others).astype(int)
    return ends


def resize_style(style: np.ndarray, level: PyramidLevel, options: RefineOptions) -> np.ndarray:
    """Resize the style image to the content's size at this level times `style_scale`, which sets its strokes' size."""
    ratio = min(max(level.size) * options.style_scale, MAX_GRAM_STYLE_SIDE) / max(style.shape[:2])
    smallest = max(MIN_LEVEL_SIDE, encoder_registry.get(options.encoder).smallest)
    height, width = (max(smallest, round(side * ratio)) for side in style.shape[:2])
    return pixel_ops.resize(style, (height, width))
