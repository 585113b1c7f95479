"""The sound of a video on its way into another."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from model.video.videos import Video
from tests.support.clip_files import audio_packets, video, write_video


@pytest.mark.parametrize(
    ("codec", "ending"), [("aac", ".mp4"), ("libmp3lame", ".mp4"), ("libopus", ".mkv"), ("libopus", ".webm")]
)
def test_sound_is_copied_where_it_may_be(tmp_path: Path, codec: str, ending: str):
    source = video(tmp_path / "in.mkv", sound=codec)
    assert audio_packets(write_video(tmp_path / f"out{ending}", Video(source))) == audio_packets(source)


@pytest.mark.parametrize(("codec", "ending", "becomes"), [("flac", ".mp4", "aac"), ("aac", ".webm", "opus")])
def test_other_sound_is_encoded_anew(tmp_path: Path, codec: str, ending: str, becomes: str):
    path = write_video(tmp_path / f"out{ending}", Video(video(tmp_path / "in.mkv", sound=codec)))
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == becomes
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert heard.size == pytest.approx(48_000, rel=0.05)
    loudest = np.argmax(np.abs(np.fft.rfft(heard))) * 48_000 / heard.size
    assert loudest == pytest.approx(440, abs=2)


def test_what_begins_late_begins_at_nought(tmp_path: Path):
    """As what is cut from a broadcast does; sound and pictures stay together."""
    source = video(tmp_path / "in.mkv", times=[3600 + index / 10 for index in range(6)])
    clip = Video(source)
    assert next(iter(clip.frames(clip.size))).start == pytest.approx(0, abs=0.01)
