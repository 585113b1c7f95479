"""The sound of a video on its way into another: its packets as they are, or encoded anew where they would not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer


SAMPLE_RATE = 48_000  # of what is encoded anew


def container_start(container: InputContainer) -> float:
    """Seconds: what was cut from a broadcast begins hours after its time 0."""
    return max(0.0, (container.start_time or 0) / 1e6)


class Soundtrack:
    """All its tracks, one after another in time."""

    def __init__(self, source: InputContainer, output: OutputContainer, codec: str, copied: Collection[str]) -> None:
        """copied: the kinds of sound that are taken over as they are; any other is encoded with `codec`."""
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
            except av.error.FFmpegError:  # what is damaged is silent
                if packet is None:
                    return
                continue
            yield from map(self._shift_to_zero, ready)

    def _shift_to_zero(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """For an output that begins at 0."""
        ticks = round(self._begin / packet.time_base)
        packet.pts, packet.dts = (None if at is None else at - ticks for at in (packet.pts, packet.dts))
        return packet


class _Track(Protocol):
    def take(self, packet: av.Packet[AudioStream]) -> list[av.Packet[Any]]:
        """A packet of the source, the last one empty -> those ready for the output."""


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
        """None for what is still on its way through."""
        return [out for even in self._resampler.resample(frame) for out in self._track.encode(even)]
