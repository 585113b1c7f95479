"""Picture files that cost a decoder far more than their size, and are else as good as any."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests.support.images import quarters, saved

MANY = 25_000_000  # bytes, about, that a server takes of one file


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(head: bytes) -> bytes:
    """Return a JPEG with `head` before all its own segments."""
    data = saved(quarters(), "JPEG")
    return data[:2] + head + data[2:]


def jpeg_of_scans(count: int, width: int = 64, height: int = 64) -> bytes:
    """Return a progressive JPEG of `count` scans, each of a few bytes that let the decoder visit all pixels."""
    one_code = bytes([1, *bytes(15)])  # a Huffman table of a single code, of one bit
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    tables = jpeg_segment(0xC4, b"\x00" + one_code + b"\x00") + jpeg_segment(0xC4, b"\x10" + one_code + b"\xe0")
    blocks = -(-width // 8) * -(-height // 8)
    runs = ("0" + "1" * 14) * -(-blocks // 32767)  # "the next 32767 blocks have nothing"
    runs += "1" * (-len(runs) % 8)
    skipped = bytes(int(runs[place : place + 8], 2) for place in range(0, len(runs), 8)).replace(b"\xff", b"\xff\0")
    scans = [jpeg_segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0]))]
    for number in range(count - 1):
        component, precision = 1 + number % 3, 0x00 if number < 3 else 0x10
        scans.append(jpeg_segment(0xDA, bytes([1, component, 0, 1, 63, precision])) + skipped)
    head = jpeg_segment(0xDB, b"\0" + b"\1" * 64) + jpeg_segment(0xC2, frame)
    return b"\xff\xd8" + head + tables + b"".join(scans) + b"\xff\xd9"


def png_with(chunks: bytes, *, at_the_end: bool = False) -> bytes:
    """Return a PNG with more chunks, before or after its pixels."""
    data = saved(quarters(), "PNG")
    place = -12 if at_the_end else 33
    return data[:place] + chunks + data[place:]


def png_chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gif_with(blocks: bytes) -> bytes:
    """Return a GIF with more blocks before its frame."""
    data = saved(quarters(), "GIF")
    head = 13 + (3 << (data[10] & 7) + 1)
    return data[:head] + blocks + data[head:]


def webp_with(chunks: bytes) -> bytes:
    """Return a WebP with more chunks after its picture."""
    data = saved(Image.new("RGBA", (8, 8)), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    return data[:4] + struct.pack("<I", len(data) - 8 + len(chunks)) + data[8:] + chunks
