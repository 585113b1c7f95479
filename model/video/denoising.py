"""What stands still is held still: the noise of a camera must not become strokes that flicker.

The network paints noise as texture, another one in every frame. So before it looks at a frame, each pixel goes only a
part of the way from what it was to what it is, unless something moved there: then it goes all the way at once, and
leaves no trail.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import laplace, uniform_filter

WINDOW_SIDE = 7  # pixels a side, over which a change is judged: single ones cannot tell noise from motion
NOISE_CHANGE, MOTION_CHANGE = (
    1.8,
    4.0,
)  # change over what noise alone gives: up to the first all is noise, from the second motion
MAX_NOISE = 0.08  # deviation; beyond, it is no camera's noise
MIN_NOISE = 1 / 255  # rounding alone
NOISE_PERCENTILE = 20  # percent of the picture that is taken to change by noise alone
CUT_CHANGE, CUT_RATIO = 0.1, 3.0  # a new scene: so much changes (of 1, on average), and so many times more than before
_GRID_SIDE = 32  # cells a side, in which scenes are compared


class TemporalDenoiser:
    """hold: 0 lets every frame through as it is, towards 1 still pixels follow ever more slowly."""

    def __init__(self, hold: float) -> None:
        self._hold = np.float32(hold)
        self._held: np.ndarray | None = None
        self._last: np.ndarray | None = None

    def __call__(self, frame: np.ndarray, is_new_scene: bool = False) -> np.ndarray:
        """(H, W, 3) in 0..1 -> what is to be painted instead."""
        if not self._hold:
            return frame
        if self._held is None or self._last is None or is_new_scene:
            self._held = self._last = frame
            return frame
        usual = 2 * _estimate_noise(frame, self._last) ** 2
        change = _box_blur(((frame - self._held) ** 2).mean(axis=2)) / usual
        stillness = np.clip((MOTION_CHANGE - change) / (MOTION_CHANGE - NOISE_CHANGE), 0, 1) * self._hold
        self._held = frame + stillness[..., None] * (self._held - frame)
        self._last = frame
        return self._held


def _estimate_noise(frame: np.ndarray, last: np.ndarray) -> float:
    """Its deviation: the smaller of what differs in time and in space, where least does.

    A moving texture looks like noise from frame to frame, a fine one within a frame; few look so in both ways.
    """
    in_time = _box_blur(((frame - last) ** 2).mean(axis=2)) / 2
    in_space = _box_blur(laplace(frame.mean(axis=2)) ** 2) * (3 / 20)  # of three channels' mean, by a kernel of norm 20
    least = min(float(np.percentile(change, NOISE_PERCENTILE)) for change in (in_time, in_space))
    return float(np.clip(np.sqrt(least), MIN_NOISE, MAX_NOISE))


def _box_blur(values: np.ndarray) -> np.ndarray:
    blurred: np.ndarray = uniform_filter(values, WINDOW_SIDE, mode="nearest")
    return blurred


class SceneCutDetector:
    """Does another scene begin with this frame?"""

    def __init__(self) -> None:
        self._thumb: np.ndarray | None = None
        self._usual = 0.0  # what changes from frame to frame

    def __call__(self, frame: np.ndarray) -> bool:
        """(H, W, 3) in 0..1, one after another."""
        last, self._thumb = self._thumb, _cell_means(frame)
        if last is None:
            return False
        change = float(np.abs(self._thumb - last).mean())
        is_cut = change > max(CUT_CHANGE, CUT_RATIO * self._usual)
        self._usual = 0.0 if is_cut else (self._usual + change) / 2
        return is_cut


def _cell_means(frame: np.ndarray) -> np.ndarray:
    """Means over cells, so that noise counts for nothing."""
    height, width = frame.shape[:2]
    rows, columns = (
        np.linspace(0, side, min(_GRID_SIDE, side), endpoint=False).astype(int) for side in (height, width)
    )
    sums = np.add.reduceat(np.add.reduceat(frame, rows, axis=0), columns, axis=1)
    ones = np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)
    thumb: np.ndarray = sums / ones[..., None]
    return thumb
