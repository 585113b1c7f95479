"""Finished frames on disk, from which an interrupted clip continues."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.options import ClipOptions
from model.pipelines.clips import stylize_clip
from model.progress import Step
from model.video.frame_cache import FrameCache
from tests.support.clip_files import animation, cache_folder, stop_after, video


@pytest.mark.parametrize("ending", [".webp", ".mp4"])
def test_whoever_is_killed_goes_on_to_the_same_file(tmp_path: Path, tiny: Path, painting: np.ndarray, ending: str):
    content = video(tmp_path / "in.mp4", sound="aac")
    whole, output = tmp_path / f"whole{ending}", tmp_path / f"out{ending}"
    stylize_clip(content, [painting], whole, None, tiny)
    for count in 2, 4:
        with pytest.raises(RuntimeError, match="power"):
            stylize_clip(content, [painting], output, None, tiny, stop_after(count, RuntimeError("power is gone")))
    assert not output.exists()
    steps: list[Step] = []
    report = stylize_clip(content, [painting], output, None, tiny, steps.append)
    assert [step.step for step in steps] == [5, 6]
    assert report.frames == 6
    assert output.read_bytes() == whole.read_bytes()


def test_other_wishes_begin_anew(tmp_path: Path, tiny: Path, painting: np.ndarray):
    output, steps = tmp_path / "out.webp", []
    asked = [ClipOptions(), ClipOptions(strength=0.5)]
    with pytest.raises(RuntimeError):
        stylize_clip(animation(), [painting], output, asked[0], tiny, stop_after(3, RuntimeError()))
    stylize_clip(animation(), [painting], output, asked[1], tiny, steps.append)
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]


def test_broken_leftovers_begin_anew(tmp_path: Path, tiny: Path, painting: np.ndarray):
    output = tmp_path / "out.webp"
    for spoil in (
        lambda folder: (folder / "state.npz").write_bytes(b"PK"),
        lambda folder: (folder / "000001.png").unlink(),
    ):
        with pytest.raises(RuntimeError):
            stylize_clip(animation(), [painting], output, None, tiny, stop_after(3, RuntimeError()))
        spoil(cache_folder(output))
        steps: list[Step] = []
        stylize_clip(animation(), [painting], output, None, tiny, steps.append)
        assert steps[0].step == 1


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path):
    folder = cache_folder(tmp_path / "out.gif")
    folder.mkdir()
    (folder / "diary.txt").write_text("mine")
    FrameCache(tmp_path / "out.gif", "digest").remove()
    assert (folder / "diary.txt").read_text() == "mine"
