"""Clips for tests: a square that moves over a gradient, as files of every kind."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from model.progress import Step
from model.video import videos
from model.video.videos import Video

WIDTH, HEIGHT = 64, 48
CLOCK = Fraction(1, 1000)


def frames(count: int = 6) -> list[np.ndarray]:
    """(48, 64, 3) uint8 each: the square moves four pixels a frame."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ground = np.stack([3 * x, 4 * y, 0 * x + 60], axis=2).astype("uint8")
    moved = []
    for index in range(count):
        frame = ground.copy()
        frame[16:32, 4 * index : 4 * index + 16] = (250, 240, 200)
        moved.append(frame)
    return moved


def animation(
    format: str = "GIF",
    pictures: Sequence[np.ndarray] | None = None,
    seconds: float | list[float] = 0.1,
    **options: Any,
) -> bytes:
    first, *others = [Image.fromarray(frame) for frame in pictures or frames()]
    file = io.BytesIO()
    times = [round(1000 * each) for each in seconds] if isinstance(seconds, list) else round(1000 * seconds)
    first.save(file, format, save_all=True, append_images=others, duration=times, **options)
    return file.getvalue()


def video(
    path: Path,
    pictures: Sequence[np.ndarray] | None = None,
    times: Sequence[float] | None = None,
    sound: str | None = None,
    rotation: int = 0,
    about: dict[str, str] | None = None,
) -> Path:
    """H.264. times: when each frame is shown, in seconds. sound: the codec of a second of it. about: metadata."""
    pictures = frames() if pictures is None else pictures
    times = times or [index / 10 for index in range(len(pictures))]
    with av.open(str(path), "w") as output:
        output.metadata.update(about or {})
        stream = output.add_stream("libx264", options={"crf": "1"})
        codec = stream.codec_context
        codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDTH, HEIGHT, "yuv420p", CLOCK
        if rotation:
            stream.set_display_rotation(rotation)
        track = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for picture, seconds in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture).reformat(format="yuv420p")
            frame.pts, frame.time_base = round(seconds / CLOCK), CLOCK
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if track:
            for tone in (_tone(), None):
                output.mux(track.encode(tone))
    return path


def _tone() -> av.AudioFrame:
    wave = 0.3 * np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000)
    frame = av.AudioFrame.from_ndarray(wave[None].astype("float32"), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    return frame


def write_video(path: Path, sound: Video | None = None, times: list[float] | None = None) -> Path:
    times = times or [index / 10 for index in range(6)]
    pictures = zip((Image.fromarray(frame) for frame in frames()), times, [0.1] * 6, strict=True)
    videos.save(path, pictures, 100, {"styles": []}, sound)
    return path


def audio_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def cache_folder(output: Path) -> Path:
    return output.with_name(f".{output.name}.parts")


def stop_after(count: int, error: BaseException) -> Callable[[Step], None]:
    def on_step(step: Step) -> None:
        if step.step == count:
            raise error

    return on_step
