"""Temporal denoising and scene cuts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from model.video.denoising import SceneCutDetector, TemporalDenoiser, _estimate_noise

HEIGHT, WIDTH = 60, 80


def noisy(frames: Iterator[np.ndarray] | list[np.ndarray], sigma: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(frame + rng.normal(0, sigma, frame.shape)).clip(0, 1).astype("float32") for frame in frames]


def scene(shift: int = 0) -> np.ndarray:
    """(60, 80, 3) in 0..1: waves, moved to the right."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = 0.5 + 0.2 * np.sin((x - shift) / 6) + 0.15 * np.sin(y / 9 + (x - shift) / 17)
    return np.repeat(waves[..., None], 3, axis=2).astype("float32")


def with_bar(left: int) -> np.ndarray:
    """The scene with a bright bar before it."""
    frame = scene()
    frame[10:50, left : left + 12] = 0.95
    return frame


def change(frames: list[np.ndarray]) -> float:
    return float(np.mean([np.abs(one - other).mean() for one, other in pairwise(frames)]))


@pytest.mark.parametrize("sigma", [0.02, 0.05])
def test_noise_of_a_still_scene_is_held(sigma: float):
    frames = noisy([scene()] * 12, sigma)
    still = TemporalDenoiser(0.72)
    assert change([still(frame) for frame in frames]) < 0.3 * change(frames)


def test_what_is_held_comes_closer_to_what_is_there():
    still = TemporalDenoiser(0.72)
    *_, last = (still(frame) for frame in noisy([scene()] * 20, 0.05))
    assert np.abs(last - scene()).mean() < 0.5 * np.abs(noisy([scene()], 0.05)[0] - scene()).mean()


def test_a_moving_edge_leaves_no_trail():
    still, sigma = TemporalDenoiser(0.9), 0.03
    clean = [with_bar(4 * index) for index in range(12)]
    for frame in noisy(clean, sigma):
        held = still(frame)
    left = slice(4 * 11 - 16, 4 * 11)  # where the bar was during the last four frames
    error = np.abs(held[10:50, left] - clean[-1][10:50, left]).mean()
    assert error < 1.1 * sigma * np.sqrt(2 / np.pi)  # no more than the noise itself


def test_a_pan_over_texture_is_not_smeared():
    still = TemporalDenoiser(0.9)
    for shift in range(0, 40, 4):
        held = still(noisy([scene(shift)], 0.02)[0])
    assert np.abs(held - scene(36)).mean() < 0.025


def test_a_clean_clip_is_hardly_changed():
    still = TemporalDenoiser(0.9)
    for left in range(0, 48, 2):
        held = still(with_bar(left))
    assert np.abs(held - with_bar(46)).max() < 0.02


def test_a_slow_fade_is_followed():
    still = TemporalDenoiser(0.9)
    for step in range(30):
        held = still(scene() * np.float32(1 - step / 100))
    assert np.abs(held - scene() * 0.71).mean() < 0.02


def test_nothing_held_is_nothing_changed():
    still = TemporalDenoiser(0.0)
    for frame in noisy([scene()] * 3, 0.05):
        assert still(frame) is frame


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_noise_is_measured(sigma: float):
    one, other = noisy([scene(), scene()], sigma)
    assert _estimate_noise(one, other) == pytest.approx(sigma, rel=0.25)


@pytest.mark.parametrize("sigma", [0.0, 0.03])
def test_a_cut_is_seen_once(sigma: float):
    other = 1 - scene(20)[::-1] ** 2
    cuts = SceneCutDetector()
    seen = [cuts(frame) for frame in noisy([scene()] * 4 + [other] * 4, sigma)]
    assert seen == [False] * 4 + [True] + [False] * 3


def test_motion_and_noise_are_no_cuts():
    cuts = SceneCutDetector()
    assert not any(cuts(frame) for frame in noisy([with_bar(6 * index) for index in range(11)], 0.08))
    assert not any(cuts(frame) for frame in noisy([scene(12 * index) for index in range(11)], 0.02))
