"""The sound of a video: its packets copied into another, or encoded anew where its format does not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

SAMPLE_RATE = 48_000  # Hz, of audio that is encoded anew


def container_start(container: InputContainer) -> float:
    """Return the seconds at which a container starts: a cut from a broadcast starts hours after its time 0."""
    return max(0.0, (container.start_time or 0) / 1e6)


class Soundtrack:
    """The packets of all audio tracks, in the order of time."""

    def __init__(self, source: InputContainer, output: OutputContainer, codec: str, copied: Collection[str]) -> None:
        """copied: the codecs whose packets are copied; any other audio is encoded with `codec`."""
        self._source, self._begin = source, container_start(source)
        self._tracks: dict[int, _Track] = {}
        for stream in source.streams.audio:
            is_fit = stream.codec_context.codec.canonical_name in copied
            self._tracks[stream.index] = (
                _CopiedTrack(stream, output) if is_fit else _EncodedTrack(stream, output, codec)
            )

    def __iter__(self) -> Iterator[av.Packet[Any]]:
        import av

        streams = [self._source.streams[index] for index in self._tracks]
        packets = self._source.demux(streams) if streams else iter(())
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                ready = self._tracks[packet.stream.index].take(cast("av.Packet[AudioStream]", packet))
            except av.error.FFmpegError:  # damaged parts are silent
                if packet is None:
                    return
                continue
            yield from map(self._shift_to_zero, ready)

    def _shift_to_zero(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """Shift a packet's times for an output that starts at 0."""
        ticks = round(self._begin / packet.time_base)
        packet.pts, packet.dts = (None if at is None else at - ticks for at in (packet.pts, packet.dts))
        return packet


class _Track(Protocol):
    def take(self, packet: av.Packet[AudioStream]) -> list[av.Packet[Any]]:
        """Take a packet of the source, the last one empty, and return those ready for the output."""


class _CopiedTrack:
    def __init__(self, stream: AudioStream, output: OutputContainer) -> None:
        self._track = output.add_stream_from_template(stream)

    def take(self, packet: av.Packet[AudioStream]) -> list[av.Packet[Any]]:
        if packet.dts is None:
            return []
        packet.stream = self._track
        return [packet]


class _EncodedTrack:
    def __init__(self, stream: AudioStream, output: OutputContainer, codec: str) -> None:
        import av

        layout = "stereo" if stream.codec_context.layout.nb_channels > 1 else "mono"
        self._track = cast("AudioStream", output.add_stream(codec, rate=SAMPLE_RATE, layout=layout))
        self._resampler = av.AudioResampler(self._track.codec_context.format, layout, SAMPLE_RATE)

    def take(self, packet: av.Packet[AudioStream]) -> list[av.Packet[Any]]:
        ready = [out for frame in packet.decode() for out in self._encode(frame)]
        return ready if packet.dts is not None else [*ready, *self._encode(None), *self._track.encode(None)]

    def _encode(self, frame: av.AudioFrame | None) -> list[av.Packet[Any]]:
        """Encode a frame; None flushes the resampler."""
        return [out for even in self._resampler.resample(frame) for out in self._track.encode(even)]
