"""Frames of clips."""

from __future__ import annotations

import numpy as np
import pytest

from model.imaging.pixel_ops import EightBitPicture
from model.video.frames import Frame, drop_short_frames


def test_frames_too_fast_for_a_gif_are_left_out():
    nothing = EightBitPicture(np.zeros((1, 1, 3), "uint8"))
    fast = [Frame(nothing, index / 60, 1 / 60, index + 1) for index in range(7)]
    kept = list(drop_short_frames(fast, 0.02))
    assert [round(60 * frame.start) for frame in kept] == [0, 2, 4, 6]
    assert sum(frame.seconds for frame in kept) == pytest.approx(7 / 60)
    assert [frame.number for frame in kept] == [2, 4, 6, 7]
    assert list(drop_short_frames(fast, 0.0)) == fast
