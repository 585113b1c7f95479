"""Videos in and out."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from model.errors import ImageError
from model.video import videos
from model.video.frames import Frame
from model.video.videos import Video
from tests.support.clip_files import HEIGHT, WIDTH, frames, video, write_video


def read(clip: Video) -> list[Frame]:
    return list(clip.frames(clip.size))


def test_frames_come_with_their_own_times(tmp_path: Path):
    clip = Video(video(tmp_path / "in.mp4", times=[0, 0.1, 0.3, 0.35, 0.6, 0.9]))
    found = read(clip)
    assert (clip.size, clip.count) == ((WIDTH, HEIGHT), 6)
    assert [frame.start for frame in found] == pytest.approx([0, 0.1, 0.3, 0.35, 0.6, 0.9])
    assert [frame.seconds for frame in found][:5] == pytest.approx([0.1, 0.2, 0.05, 0.25, 0.3])
    for frame, drawn in zip(found, frames(), strict=True):
        assert np.abs(frame.pixels.rgb.astype(int) - drawn).mean() < 4


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_video_on_its_side_is_set_upright(tmp_path: Path, turns: int):
    clip = Video(video(tmp_path / "in.mp4", rotation=90 * turns))
    upright = np.rot90(frames()[0], turns)
    assert clip.size == upright.shape[1::-1]
    assert np.abs(read(clip)[0].pixels.rgb.astype(int) - upright).mean() < 4


def test_times_are_written_as_they_were(tmp_path: Path):
    found = read(Video(write_video(tmp_path / "out.mp4", times=[0, 0.1, 0.3, 0.35, 0.6, 0.9])))
    assert [frame.start for frame in found] == pytest.approx([0, 0.1, 0.3, 0.35, 0.6, 0.9])
    assert found[-1].seconds == pytest.approx(0.1)


def test_colours_are_tagged_and_right(tmp_path: Path):
    path = write_video(tmp_path / "out.mp4")
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (1, 1, 1, 1)
        assert codec.pix_fmt == "yuv420p"
    for frame, drawn in zip(read(Video(path)), frames(), strict=True):
        assert np.abs(frame.pixels.rgb.astype(int) - drawn).mean() < 4


def test_it_plays_before_all_of_it_is_there(tmp_path: Path):
    data = write_video(tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_what_is_clear_is_white(tmp_path: Path):
    clear = Image.new("RGBA", (WIDTH, HEIGHT), (255, 0, 0, 0))
    videos.save(tmp_path / "out.mp4", [(clear, 0.0, 0.1), (clear, 0.1, 0.1)], 100, {"styles": []}, None)
    assert read(Video(tmp_path / "out.mp4"))[0].pixels.rgb.min() > 250


def test_a_video_without_its_end(tmp_path: Path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), "uint8") for _ in range(40)]
    data = video(tmp_path / "in.mkv", pictures).read_bytes()
    clip = Video(data[: len(data) // 2])
    assert 5 < len(read(clip)) < 35
    assert "of 4 seconds" in clip.notes[0]


def test_a_video_with_holes_is_read_on(tmp_path: Path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), "uint8") for _ in range(40)]
    data = bytearray(video(tmp_path / "in.mkv", pictures).read_bytes())
    data[20_000:24_000] = bytes(4000)
    clip = Video(bytes(data))
    assert 0 < len(read(clip)) < 40
    assert clip.notes


def test_sound_alone_is_no_video(tmp_path: Path):
    source = tmp_path / "in.mka"
    with (
        av.open(str(source), "w", format="matroska") as output,
        av.open(str(video(tmp_path / "in.mp4", sound="aac"))) as old,
    ):
        track = output.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                output.mux(packet)
    with pytest.raises(ImageError, match="has sound, but no pictures") as caught:
        Video(source)
    assert caught.value.field == "content"


def test_a_video_cut_before_its_first_frame(tmp_path: Path):
    data = video(tmp_path / "in.mkv").read_bytes()
    with pytest.raises(ImageError, match=r"no frame that can be read|neither a picture that moves nor a video"):
        Video(data[:700])
