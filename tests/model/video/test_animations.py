"""Pictures that move, in and out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.video import animations
from model.video.animations import Animation
from model.video.frames import Frame
from tests.support.clip_files import HEIGHT, WIDTH, animation, frames


def read(data: bytes, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[Frame]:
    return list(Animation(data).frames(size))


def written(path: Path, pictures: list[Image.Image], seconds: list[float], plays: int = 0) -> Image.Image:
    animations.save(path, pictures.__getitem__, seconds, plays, 100, {"styles": []})
    return Image.open(io.BytesIO(path.read_bytes()))


def times(image: Image.Image) -> list[int]:
    found = []
    for index in range(image.n_frames):
        image.seek(index)
        image.load()
        found.append(image.info["duration"])
    return found


def with_clear_corner(frame: np.ndarray) -> Image.Image:
    alpha = np.full((HEIGHT, WIDTH), 255, "uint8")
    alpha[:20, :20] = 0
    return Image.fromarray(np.dstack([frame, alpha]))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_every_frame_is_whole_and_has_its_time(format: str):
    """Files hold what changes from frame to frame."""
    lossless = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(format, {})
    found = read(animation(format, seconds=[0.1, 0.2, 0.05, 0.1, 0.3, 0.1], **lossless))
    assert [frame.seconds for frame in found] == pytest.approx([0.1, 0.2, 0.05, 0.1, 0.3, 0.1])
    assert [frame.start for frame in found] == pytest.approx([0, 0.1, 0.3, 0.35, 0.45, 0.75])
    for frame, drawn in zip(found, frames(), strict=True):
        assert np.abs(frame.pixels.rgb.astype(int) - drawn).mean() < 6  # a GIF has 256 colours


def test_frames_are_scaled():
    assert {frame.pixels.rgb.shape for frame in read(animation(), (32, 24))} == {(24, 32, 3)}


def test_frames_that_replace_the_last_keep_what_is_clear():
    pictures = [with_clear_corner(frame) for frame in frames()]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], disposal=2, duration=100)
    for frame in read(file.getvalue()):
        assert frame.pixels.alpha is not None
        assert frame.pixels.alpha[:20, :20].max() == 0
        assert frame.pixels.alpha[21:, :].min() == 255


@pytest.mark.parametrize("milliseconds", [0, 10])
def test_times_that_players_take_for_mistakes(milliseconds: int):
    assert {frame.seconds for frame in read(animation(seconds=milliseconds / 1000))} == {0.1}


@pytest.mark.parametrize(
    ("format", "options", "plays"),
    [
        ("GIF", {}, 1),
        ("GIF", {"loop": 0}, 0),
        ("GIF", {"loop": 2}, 3),
        ("WEBP", {"loop": 0}, 0),
        ("WEBP", {"loop": 3}, 3),
        ("PNG", {"loop": 3}, 3),
    ],
)
def test_how_often_it_plays_stays(tmp_path: Path, format: str, options: dict[str, int], plays: int):
    assert Animation(animation(format, **options)).plays == plays
    for name in "out.gif", "out.webp":
        written(tmp_path / name, [Image.fromarray(frame) for frame in frames()], [0.1] * 6, plays)
        assert Animation(tmp_path / name).plays == plays


def test_a_png_s_picture_for_those_who_see_no_motion_is_left_out():
    first, *others = [Image.fromarray(frame) for frame in frames()]
    file = io.BytesIO()
    first.save(file, "PNG", save_all=True, append_images=others, default_image=True, duration=100)
    found = read(file.getvalue())
    assert len(found) == 5
    assert np.array_equal(found[0].pixels.rgb, frames()[1])


@pytest.mark.parametrize("format", ["GIF", "PNG"])
def test_of_a_cut_file_what_is_there_is_read(format: str):
    pictures = [np.random.default_rng(index).integers(0, 255, (HEIGHT, WIDTH, 3), "uint8") for index in range(8)]
    data = animation(format, pictures)
    clip = Animation(data[: len(data) // 2])
    assert 2 <= len(list(clip.frames((WIDTH, HEIGHT)))) < 8
    assert "damaged after frame" in clip.notes[0]


def test_times_are_kept_to_the_hundredth_on_the_whole(tmp_path: Path):
    pictures = [Image.fromarray(frame) for frame in frames()]
    gif = written(tmp_path / "out.gif", pictures, [1 / 30] * 6)
    assert sum(times(gif)) == 200
    assert set(times(gif)) == {30, 40}
    assert sum(times(written(tmp_path / "out.webp", pictures, [1 / 30] * 6))) == 200


@pytest.mark.parametrize("name", ["out.gif", "out.webp"])
def test_what_is_clear_stays_clear(tmp_path: Path, name: str):
    pictures = [with_clear_corner(frame) for frame in frames()[:3]] + [Image.fromarray(frames()[3])]
    image = written(tmp_path / name, pictures, [0.1] * 4)
    for index, picture in enumerate(pictures):
        image.seek(index)
        found = np.asarray(image.convert("RGBA"))
        assert np.array_equal(found[..., 3], np.asarray(picture.convert("RGBA"))[..., 3]), index
        assert np.abs(found[24:, :, :3].astype(int) - np.asarray(picture)[24:, :, :3]).mean() < 6


def test_what_stands_still_in_a_gif_stands_still(tmp_path: Path):
    """Neither its colours nor its dots change with what moves elsewhere."""
    pictures = [Image.fromarray(frame) for frame in frames()]
    image = written(tmp_path / "out.gif", pictures, [0.1] * 6)
    below = []
    for index in range(6):
        image.seek(index)
        below.append(np.asarray(image.convert("RGB"))[36:])
    assert all(np.array_equal(one, below[0]) for one in below)
