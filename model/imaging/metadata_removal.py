"""Metadata taken out of picture files, so that nobody keeps where a photo was taken, or by which camera.

What shows the picture stays: pixels, bit for bit, orientation, colour profile and resolution; animations, too.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence

from model.imaging import gif_blocks, image_files
from model.imaging.bmff_items import metadata_extents
from model.imaging.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP14,
    APP15,
    COM,
    EXIF_HEAD,
    SOI,
    SOS,
    Segment,
    read_payload,
    read_segments,
)
from model.imaging.png_chunks import SIGNATURE, Chunk, read_chunks
from model.imaging.riff_chunks import read_riff_chunks

# How the application segments begin that show the picture: resolution, colour profile, and how colours are encoded.
_JPEG_HEADS = {APP0: b"JFIF\0", APP2: b"ICC_PROFILE\0", APP14: b"Adobe"}
_PNG_NAMES = {  # of chunks beside those that every reader must know: colours, transparency, resolution, animation
    *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"sPLT"),
    *(b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}
_WEBP_NAMES = {b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"}
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04  # flags of VP8X
_GIF_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_GIF_CONTROL = 0xF9


def remove_metadata(data: bytes, field: str = "content") -> bytes:
    """Return a picture file of the same pixels without its metadata; raise as `image_files.read` does.

    Of AVIF and HEIC the length stays: EXIF and XMP are written over there.
    """
    remove = next((remove for head, remove in _REMOVERS.items() if data.startswith(head)), _blank_items)
    with image_files.prefixed_errors(field), image_files.translated_errors():
        return remove(data)


def _remove_from_jpeg(data: bytes) -> bytes:
    exif = image_files.display_exif(data)
    file, view = io.BytesIO(data), memoryview(data)
    segments = list(read_segments(file))
    ends = [segment.start for segment in segments[1:]] + [len(data)]
    kept: list[bytes | memoryview] = []
    for segment, next_start in zip(segments, ends, strict=True):
        if _is_needed_segment(file, segment):
            kept.append(view[segment.start : next_start if segment.marker == SOS else segment.end])
        if exif and segment.marker == SOI:
            kept.append(_jpeg_exif(exif))
            exif = b""
    return b"".join(kept)


def _is_needed_segment(file: io.BytesIO, segment: Segment) -> bool:
    if APP0 <= segment.marker <= APP15:
        head = _JPEG_HEADS.get(segment.marker)
        return head is not None and read_payload(file, segment, len(head)) == head
    return segment.marker != COM


def _jpeg_exif(exif: bytes) -> bytes:
    return bytes([0xFF, APP1]) + (len(exif) + 2).to_bytes(2) + exif


def _remove_from_png(data: bytes) -> bytes:
    view = memoryview(data)
    chunks = list(read_chunks(io.BytesIO(data)))
    exif = image_files.display_exif(_png_header(view, chunks))
    kept: list[bytes | memoryview] = [SIGNATURE]
    for number, chunk in enumerate(chunks):
        if chunk.name in _PNG_NAMES or chunk.name[:1].isupper():
            kept.append(view[chunk.start : chunk.end])
        if exif and number == 0:
            kept.append(_png_chunk(b"eXIf", exif.removeprefix(EXIF_HEAD)))
    return b"".join(kept)


def _png_header(view: memoryview, chunks: Sequence[Chunk]) -> bytes:
    """Return the file with all metadata before its pixels, of which only the first part is left."""
    others = [chunk for chunk in chunks if chunk.name not in (b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT")]
    first_data = [chunk for chunk in chunks if chunk.name == b"IDAT"][:1]
    return b"".join([SIGNATURE, *(view[chunk.start : chunk.end] for chunk in [*others, *first_data])])


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def _remove_from_webp(data: bytes) -> bytes:
    exif = image_files.display_exif(data).removeprefix(EXIF_HEAD)
    body = b"".join(_webp_chunks(data, _WEBP_EXIF if exif else 0))
    if exif:
        body += b"EXIF" + len(exif).to_bytes(4, "little") + exif + bytes(len(exif) % 2)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _webp_chunks(data: bytes, exif_flag: int) -> Iterator[bytes]:
    for chunk in read_riff_chunks(io.BytesIO(data)):
        if chunk.name == b"VP8X":
            flags = data[chunk.start + 8] & ~(_WEBP_EXIF | _WEBP_XMP) | exif_flag
            yield data[chunk.start : chunk.start + 8] + bytes([flags]) + data[chunk.start + 9 : chunk.end]
        elif chunk.name in _WEBP_NAMES:
            yield data[chunk.start : chunk.end]


def _remove_from_gif(data: bytes) -> bytes:
    image_files.display_exif(data)  # refuses what is no picture
    file, view = io.BytesIO(data), memoryview(data)
    kept: list[bytes | memoryview] = [view[: gif_blocks.header_length(file)]]
    blocks = list(gif_blocks.read_blocks(file))
    end = file.tell() - data[: file.tell()].endswith(b";")
    ends = [block.start for block in blocks[1:]] + [end]
    for block, next_start in zip(blocks, ends, strict=True):
        if block.is_frame:
            kept.append(view[block.start : next_start])
        elif block.label == _GIF_CONTROL or block.name in _GIF_APPLICATIONS:
            kept.append(view[block.start : block.end])
    return b"".join([*kept, b";"])


def _blank_items(data: bytes) -> bytes:
    """Write over EXIF and XMP of AVIF and HEIC, whose other parts are found by their places in the file."""
    exif = image_files.display_exif(data)
    blanked = bytearray(data)
    for kind, start, end in metadata_extents(data):
        # A place of EXIF begins with where its header is; spaces are the filling of XMP.
        blank = (6).to_bytes(4) + exif if kind == b"Exif" else b""
        filled = blank.ljust(end - start, b"\0" if kind == b"Exif" else b" ")
        blanked[start:end] = filled[: end - start]
    return bytes(blanked)


_REMOVERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\xff\xd8\xff": _remove_from_jpeg,
    SIGNATURE: _remove_from_png,
    b"RIFF": _remove_from_webp,
    b"GIF8": _remove_from_gif,
}
