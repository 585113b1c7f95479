"""Videos: reading and writing by PyAV (FFmpeg's libraries), which is optional: requirements-video.txt."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from model.errors import BrokenImage, ImageTooLarge, InvalidOption, UnsupportedImage
from model.imaging import image_files
from model.imaging.metadata import build_metadata
from model.imaging.pixel_ops import EightBitPicture
from model.video.audio import Soundtrack, container_start
from model.video.frames import Frame

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Without playlists, which name other files.
READABLE_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf"
TIME_BASE = Fraction(1, 90_000)  # of written videos: the frames of every usual rate take a whole number of these
BT709, BT709_MIN_HEIGHT = 1, 720  # untagged videos with fewer rows are older than BT.709
LIMITED_RANGE = 1  # 16..235
HDR_TRANSFERS = (16, 18)  # HDR10's and HLG's
INSTALL_HINT = "Videos need PyAV, which is not installed here: pip install -r requirements-video.txt"


@dataclass(frozen=True)
class VideoFormat:
    """The codecs of a container. copied_audio: those that are kept as they are; other audio becomes `audio_codec`."""

    codec: str
    audio_codec: str
    copied_audio: frozenset[str]

    def encoder_options(self, quality: int) -> dict[str, str]:
        """Return FFmpeg's options for a quality of 1 to 100."""
        crf = round(51 - 0.36 * quality)
        if self.codec == "libx264":
            return {"crf": str(crf), "bf": "0"}  # with reordered frames of uneven lengths an MP4 ends too soon
        return {"crf": str(crf), "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}


_MP4 = VideoFormat("libx264", "aac", frozenset({"aac", "mp3", "ac3", "eac3", "alac"}))
_MATROSKA_AUDIO = frozenset(
    {"aac", "mp3", "ac3", "eac3", "alac", "flac", "opus", "vorbis", "dts", "pcm_s16le", "pcm_s24le"}
)
VIDEO_FORMATS = {
    ".mp4": _MP4,
    ".mov": _MP4,
    ".mkv": VideoFormat("libx264", "aac", _MATROSKA_AUDIO),
    ".webm": VideoFormat("libvpx-vp9", "libopus", frozenset({"opus", "vorbis"})),
}


def check_installed(field: str) -> None:
    """Raise InvalidOption, which says how to install PyAV, where it is missing."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise InvalidOption(f"{field}: {INSTALL_HINT}.", field) from error


class Video:
    """A video file; see `frames.Clip`."""

    plays = 0  # endless, as an animated picture

    def __init__(self, source: Path | bytes) -> None:
        """Raise an ImageError for what is no video, or has no frame."""
        check_installed("content")
        self.notes: list[str] = []
        self._source = source
        with self.open_container() as container:
            stream = _video_stream(container)
            self.count = sum(packet.size > 0 for packet in container.demux(stream))
        with self.open_container() as container:
            first = next(self._decode(container), None)
            if first is None:
                raise BrokenImage("content: this video has no frame that can be read. Use another one.", "content")
            self.size = _upright_size(first, _video_stream(container))
        if first.color_trc in HDR_TRANSFERS:
            self.notes.append("This is an HDR video: its colours come out paler than they are.")

    def frames(self, size: tuple[int, int]) -> Generator[Frame, None, None]:
        with self.open_container() as container:
            usual = float(1 / (_video_stream(container).average_rate or 25))
            begin, pending = container_start(container), cast("Frame | None", None)
            for frame in self._decode(container):
                start = _start_seconds(frame, begin, pending, usual)
                if pending is not None:
                    if start <= pending.start:
                        continue
                    yield replace(pending, seconds=start - pending.start)
                number = pending.number + 1 if pending else 1
                pending = Frame(_decode_frame(frame, size), start, _duration_seconds(frame) or usual, number)
            if pending is not None:
                self._note_missing_end(container, pending)
                yield pending

    @contextmanager
    def open_container(self) -> Iterator[InputContainer]:
        import av

        source = io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source.open("rb")
        with source:
            try:
                container = av.open(source, "r", options={"format_whitelist": READABLE_CONTAINERS})
            except (av.error.FFmpegError, ValueError) as error:
                sentence = (
                    "content: this is neither a picture that moves nor a video that can be read. It may be damaged."
                )
                raise UnsupportedImage(sentence, "content") from error
            with container:
                yield container

    def _decode(self, container: InputContainer) -> Iterator[av.VideoFrame]:
        """Yield the decoded frames, leaving out damaged ones, as players do."""
        import av

        stream = _video_stream(container)
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                if (packet := next(packets, None)) is None:
                    return
                decoded = packet.decode()
            except av.error.FFmpegError:
                self._note_damage()
                if packet is None:
                    return
                continue
            yield from decoded

    def _note_damage(self) -> None:
        self._note("Parts of the video are damaged and were left out.")

    def _note_missing_end(self, container: InputContainer, last: Frame) -> None:
        """Note that the pictures end early: the file is cut short, or its sound goes on longer."""
        whole, end = (container.duration or 0) / 1e6, last.start + last.seconds
        if end < whole - max(1.0, 0.05 * whole):
            self._note(f"Its pictures end after {end:.0f} of {whole:.0f} seconds.")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _start_seconds(frame: av.VideoFrame, begin: float, last: Frame | None, usual: float) -> float:
    """Return when a frame starts: after the last one, where the container does not state it."""
    if frame.pts is not None and frame.time_base:
        return float(frame.pts * frame.time_base) - begin
    return last.start + usual if last else 0.0


def _duration_seconds(frame: av.VideoFrame) -> float:
    return float((frame.duration or 0) * (frame.time_base or 0))


def _video_stream(container: InputContainer) -> VideoStream:
    """Return the first stream of moving pictures; a song may carry its cover."""
    import av

    moving = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise UnsupportedImage("content: this file has sound, but no pictures. Use a video.", "content")
    return moving[0]


def _upright_size(frame: av.VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Return width and height once upright, of square pixels; raise ImageTooLarge for too many."""
    width = max(1, round(frame.width * (stream.sample_aspect_ratio or 1)))
    if width * frame.height > image_files.MAX_PIXELS:
        raise ImageTooLarge(
            f"content: this video has more than {image_files.MAX_PIXELS / 1e6:g} million pixels.", "content"
        )
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _decode_frame(frame: av.VideoFrame, size: tuple[int, int]) -> EightBitPicture:
    width, height = size[::-1] if frame.rotation % 180 else size
    is_untagged_hd = frame.colorspace == 2 and frame.height >= BT709_MIN_HEIGHT
    rgb = frame.to_ndarray(
        format="rgb24",
        width=width,
        height=height,
        interpolation="LANCZOS",
        src_colorspace=BT709 if is_untagged_hd else None,
    )
    return EightBitPicture(np.ascontiguousarray(np.rot90(rgb, frame.rotation // 90)))


def save(
    path: Path,
    frames: Iterable[tuple[Image.Image, float, float]],
    quality: int,
    recipe: dict[str, Any],
    sound: Video | None,
) -> None:
    """Write a video. frames: RGB or RGBA, all of the same even size, with start and length in seconds.

    sound: the video whose sound is kept.
    """
    import av

    format = VIDEO_FORMATS[path.suffix]
    options = {"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}
    with (
        av.open(str(path), "w", container_options=options) as output,
        sound.open_container() if sound else nullcontext() as source,
    ):
        output.metadata["comment"] = build_metadata(recipe).text
        pictures = cast("VideoStream", output.add_stream(format.codec, options=format.encoder_options(quality)))
        tracks = Soundtrack(source, output, format.audio_codec, format.copied_audio) if source else ()
        for packet in merge(_encode_frames(pictures, frames), tracks, key=_packet_seconds):
            output.mux(packet)


def _packet_seconds(packet: av.Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _encode_frames(
    stream: VideoStream, frames: Iterable[tuple[Image.Image, float, float]]
) -> Iterator[av.Packet[VideoStream]]:
    import av

    lengths: dict[int, int] = {}  # by pts, since the encoder drops them
    for picture, start, seconds in frames:
        if not lengths:
            _configure_stream(stream, picture.size)
        rgb = av.VideoFrame.from_ndarray(_image_to_rgb(picture))
        frame = rgb.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED_RANGE)
        frame.pts, frame.time_base = round(start / TIME_BASE), TIME_BASE
        lengths[frame.pts] = round(seconds / TIME_BASE)
        yield from _restore_durations(stream.encode(frame), lengths)
    yield from _restore_durations(stream.encode(), lengths)


def _restore_durations(
    packets: Iterable[av.Packet[VideoStream]], lengths: dict[int, int]
) -> Iterator[av.Packet[VideoStream]]:
    for packet in packets:
        packet.duration = lengths.get(packet.pts or 0, packet.duration or 0)
        yield packet


def _configure_stream(stream: VideoStream, size: tuple[int, int]) -> None:
    codec = stream.codec_context
    codec.width, codec.height = size
    codec.pix_fmt, codec.time_base = "yuv420p", TIME_BASE
    codec.color_range = LIMITED_RANGE
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709


def _image_to_rgb(picture: Image.Image) -> np.ndarray:
    """Return (H, W, 3) uint8, on white where the picture is clear."""
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB"))
