"""Temporal denoising, so that camera noise does not become flickering strokes.

The network paints noise as texture, another one in every frame. So before it sees a frame, each pixel moves only part
of the way from its last value to its new one, unless something moved there: then it takes the new value at once, and
leaves no trail.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import laplace, uniform_filter

WINDOW_SIDE = 7  # pixels, of the window over which a change is averaged: single pixels cannot tell noise from motion
NOISE_CHANGE, MOTION_CHANGE = 1.8, 4.0  # of the expected noise: up to the first all is noise, from the second motion
MAX_NOISE = 0.08  # standard deviation; more is no camera's noise
MIN_NOISE = 1 / 255  # standard deviation; of rounding alone
NOISE_PERCENTILE = 20  # percent of the picture that is assumed to change by noise alone
CUT_CHANGE, CUT_RATIO = 0.1, 3.0  # a cut: the mean change, in 0..1, and its multiple of the usual one
_GRID_SIDE = 32  # cells a side, in which scenes are compared


class TemporalDenoiser:
    """Averages still pixels over time. hold: 0 passes frames on unchanged; towards 1 pixels follow ever more slowly."""

    def __init__(self, hold: float) -> None:
        self._hold = np.float32(hold)
        self._denoised: np.ndarray | None = None
        self._last: np.ndarray | None = None

    def __call__(self, frame: np.ndarray, is_new_scene: bool = False) -> np.ndarray:
        """Return the denoised frame, (H, W, 3) in 0..1, for the next one of a clip."""
        if not self._hold:
            return frame
        if self._denoised is None or self._last is None or is_new_scene:
            self._denoised = self._last = frame
            return frame
        usual = 2 * _estimate_noise(frame, self._last) ** 2
        change = _box_blur(((frame - self._denoised) ** 2).mean(axis=2)) / usual
        stillness = np.clip((MOTION_CHANGE - change) / (MOTION_CHANGE - NOISE_CHANGE), 0, 1) * self._hold
        self._denoised = frame + stillness[..., None] * (self._denoised - frame)
        self._last = frame
        return self._denoised


def _estimate_noise(frame: np.ndarray, last: np.ndarray) -> float:
    """Estimate the standard deviation of the noise: the smaller one of the changes in time and in space.

    A moving texture looks like noise from frame to frame, a fine one within a frame; few look like it in both.
    """
    in_time = _box_blur(((frame - last) ** 2).mean(axis=2)) / 2
    in_space = _box_blur(laplace(frame.mean(axis=2)) ** 2) * (3 / 20)  # of three channels' mean, by a kernel of norm 20
    least = min(float(np.percentile(change, NOISE_PERCENTILE)) for change in (in_time, in_space))
    return float(np.clip(np.sqrt(least), MIN_NOISE, MAX_NOISE))


def _box_blur(values: np.ndarray) -> np.ndarray:
    blurred: np.ndarray = uniform_filter(values, WINDOW_SIDE, mode="nearest")
    return blurred


class SceneCutDetector:
    """Detects frames that begin another scene."""

    def __init__(self) -> None:
        self._last_means: np.ndarray | None = None
        self._usual_change = 0.0  # from frame to frame

    def __call__(self, frame: np.ndarray) -> bool:
        """Tell whether the next frame, (H, W, 3) in 0..1, begins a new scene."""
        last, self._last_means = self._last_means, _cell_means(frame)
        if last is None:
            return False
        change = float(np.abs(self._last_means - last).mean())
        is_cut = change > max(CUT_CHANGE, CUT_RATIO * self._usual_change)
        self._usual_change = 0.0 if is_cut else (self._usual_change + change) / 2
        return is_cut


def _cell_means(frame: np.ndarray) -> np.ndarray:
    """Average over the cells of a grid, so that noise does not count."""
    height, width = frame.shape[:2]
    rows, columns = (
        np.linspace(0, side, min(_GRID_SIDE, side), endpoint=False).astype(int) for side in (height, width)
    )
    sums = np.add.reduceat(np.add.reduceat(frame, rows, axis=0), columns, axis=1)
    areas = np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)
    means: np.ndarray = sums / areas[..., None]
    return means
