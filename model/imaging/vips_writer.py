"""Picture files written by libvips from arrays in memory or on disk, without holding a large one in memory."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, assert_never

import numpy as np
from PIL import ExifTags

from model.errors import StyleTransferError
from model.imaging import image_files, metadata, pixel_ops
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.metadata import EmbeddedMetadata
from model.imaging.pixel_ops import Resolution
from model.imaging.scratch import DiskArray, atomic_write
from model.options import Format

VIPS_TEXT_FIELDS = {"png": f"png-comment-0-{metadata.PNG_KEYWORD}", "tiff": "image-description"}  # libvips's names
_RESOLUTION_TAGS = {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}
_EXIF_HEADER = b"Exif\0\0"


def save(
    pixels: np.ndarray | DiskArray,
    path: Path,
    format: Format,
    quality: int = 92,
    *,
    dpi: Resolution | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write (H, W, 3 or 4) uint8 as image_files.encode does, but row by row; TIFF is tiled.

    A file at `path` is replaced once the new one is complete.
    Raises ImageTooLarge for sides that this kind of file cannot hold, StyleTransferError where it cannot be written.
    """
    image_files.check_format_sides(pixels.shape, format)
    embedded = None if recipe is None else metadata.build_metadata(recipe, format)
    image = _attach_metadata(_to_vips_image(pixels), format, dpi, embedded)
    try:
        with atomic_write(path) as partial:
            _write_image(image, partial, format, quality)
            if format == "png":
                _patch_png(partial, dpi, embedded)
            elif dpi is None:
                _strip_resolution(partial, format)
    except (pixel_ops.load_vips().Error, OSError) as error:
        reason = "is there room on the disk, and may its folder be written to?"
        raise StyleTransferError(f"'{path}' could not be written: {reason}") from error


def _to_vips_image(pixels: np.ndarray | DiskArray) -> Any:
    vips, (height, width, bands) = pixel_ops.load_vips(), pixels.shape
    if isinstance(pixels, DiskArray):
        return vips.Image.rawload(str(pixels.path), width, height, bands, interpretation="srgb", access="sequential")
    data = np.ascontiguousarray(pixels, np.uint8).data
    return vips.Image.new_from_memory(data, width, height, bands, "uchar").copy(interpretation="srgb")


def _attach_metadata(image: Any, format: Format, dpi: Resolution | None, embedded: EmbeddedMetadata | None) -> Any:
    vips = pixel_ops.load_vips()
    across, down = dpi or (0, 0)  # 0 is written too, and removed afterwards
    image = image.copy(xres=across / 25.4, yres=down / 25.4)  # pixels a millimetre
    blobs = {"icc-profile-data": image_files.srgb_profile()}
    if embedded:
        blobs |= _metadata_blobs(embedded, format, dpi)
    if embedded and embedded.text and format in VIPS_TEXT_FIELDS:
        image.set_type(vips.GValue.gstr_type, VIPS_TEXT_FIELDS[format], embedded.text)
    for name, data in blobs.items():
        image.set_type(vips.GValue.blob_type, name, data)
    return image


def _metadata_blobs(embedded: EmbeddedMetadata, format: Format, dpi: Resolution | None) -> dict[str, bytes]:
    """Return what libvips embeds as it is, by libvips's names; `_patch_png` writes the XMP of a PNG."""
    match format:
        case "jpeg" | "webp":
            return {"xmp-data": embedded.xmp, "exif-data": embedded.exif(dpi)}
        case "tiff":
            return {"xmp-data": embedded.xmp}
        case "png":
            return {}
        case _:
            assert_never(format)


def _write_image(image: Any, path: Path, format: Format, quality: int) -> None:
    if image.hasalpha() and not OUTPUT_FORMATS[format].has_alpha:
        image = image.flatten(background=255)
    match format:
        case "png":
            image.pngsave(str(path), compression=2, filter="paeth", keep="icc:other")  # 6 is slower and saves 1 %
        case "jpeg":
            image.jpegsave(str(path), Q=quality, subsample_mode="on")
        case "webp":
            image.webpsave(str(path), Q=quality, effort=2)  # 4 takes twice as long and saves nothing
        case "tiff":
            tiles = {"tile": True, "tile_width": 256, "tile_height": 256}
            image.tiffsave(str(path), compression="deflate", predictor="horizontal", **tiles)
        case _:
            assert_never(format)


def _patch_png(path: Path, dpi: Resolution | None, embedded: EmbeddedMetadata | None) -> None:
    """Remove the resolution, which libvips always writes, and append XMP, for which it has no chunk beyond Latin-1."""
    with path.open("r+b") as file:
        if dpi is None:
            file.seek(file.read(1 << 16).index(b"pHYs") - 4)
            file.write(_png_chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0)))  # no unit: only says that pixels are square
        if embedded:
            file.seek(-len(_png_chunk(b"IEND", b"")), os.SEEK_END)
            file.write(
                _png_chunk(b"iTXt", metadata.XMP_KEYWORD.encode() + bytes(5) + embedded.xmp) + _png_chunk(b"IEND", b"")
            )


def _strip_resolution(path: Path, format: Format) -> None:
    """Remove the resolution, which libvips always writes, from TIFF's first directory or from EXIF, built alike."""
    with path.open("r+b") as file:
        start = _tiff_offset(file, format)
        if start is None:
            return
        file.seek(start)
        order = "<" if file.read(2) == b"II" else ">"
        file.seek(start + 4)
        first = start + _unpack(file.read(4), f"{order}I")
        file.seek(first)
        count = _unpack(file.read(2), f"{order}H")
        entries = [file.read(12) for _ in range(count)]
        kept = [entry for entry in entries if _unpack(entry[:2], f"{order}H") not in _RESOLUTION_TAGS]
        following = file.read(4)
        file.seek(first)
        file.write(struct.pack(f"{order}H", len(kept)) + b"".join(kept) + following + bytes(12 * (count - len(kept))))


def _tiff_offset(file: BinaryIO, format: Format) -> int | None:
    """Return where the TIFF structure begins, from which its offsets count; None where there is none."""
    match format:
        case "tiff":
            return 0
        case "jpeg":
            offset = file.read(1 << 16).find(_EXIF_HEADER)
            return None if offset < 0 else offset + len(_EXIF_HEADER)
        case "webp":
            return _riff_exif_offset(file)
        case "png":
            return None
        case _:
            assert_never(format)


def _riff_exif_offset(file: BinaryIO) -> int | None:
    """Return where the TIFF structure of a RIFF file's EXIF chunk begins; None where there is no such chunk."""
    file.seek(12)
    while (head := file.read(8)) and head[:4] != b"EXIF":
        size = _unpack(head[4:], "<I")
        file.seek(size + size % 2, os.SEEK_CUR)
    return file.tell() + (len(_EXIF_HEADER) if file.read(len(_EXIF_HEADER)) == _EXIF_HEADER else 0) if head else None


def _unpack(data: bytes, kind: str) -> int:
    return int(struct.unpack(kind, data)[0])


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
