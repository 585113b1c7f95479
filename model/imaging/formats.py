"""The formats of results: what is known of each, in one table.

A new one is named in `Format` of `model/options.py` and gets a row here. mypy then points out where else it must be
handled: `metadata.py` embeds its recipe by Pillow, `vips_writer.py` writes large files by libvips.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.options import Format


@dataclass(frozen=True)
class OutputFormat:
    """What is known of a format.

    suffixes: of its files, the usual one first.
    lossy: whether it has a quality.
    in_browsers: whether every browser shows it.
    longest_side: in pixels.
    pillow_options: keyword arguments of Pillow's Image.save, beside quality and metadata.
    """

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    lossy: bool
    has_alpha: bool
    in_browsers: bool
    longest_side: int
    pillow_name: str
    pillow_options: Mapping[str, Any] = field(default_factory=dict)


OUTPUT_FORMATS: dict[Format, OutputFormat] = {  # Pillow's options: faster, hardly a byte larger (docs/benchmarks.md)
    "png": OutputFormat(
        "PNG",
        (".png",),
        "image/png",
        lossy=False,
        has_alpha=True,
        in_browsers=True,
        longest_side=2**31 - 1,
        pillow_name="PNG",
        pillow_options={"compress_type": zlib.Z_RLE},
    ),
    "jpeg": OutputFormat(
        "JPEG",
        (".jpg", ".jpeg"),
        "image/jpeg",
        lossy=True,
        has_alpha=False,
        in_browsers=True,
        longest_side=65_500,
        pillow_name="JPEG",
    ),
    "webp": OutputFormat(
        "WebP",
        (".webp",),
        "image/webp",
        lossy=True,
        has_alpha=True,
        in_browsers=True,
        longest_side=16_383,
        pillow_name="WEBP",
        pillow_options={"method": 2},
    ),
    "tiff": OutputFormat(
        "TIFF",
        (".tif", ".tiff"),
        "image/tiff",
        lossy=False,
        has_alpha=True,
        in_browsers=False,
        longest_side=2**31 - 1,
        pillow_name="TIFF",
        pillow_options={"compression": "tiff_adobe_deflate"},
    ),
}
