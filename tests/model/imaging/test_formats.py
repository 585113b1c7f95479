"""The table of output formats, and that all who write them know each of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from model.imaging import image_files, metadata, vips_writer
from model.imaging.formats import OUTPUT_FORMATS
from model.imaging.pixel_ops import Picture
from model.options import Format, StylizeOptions

UNKNOWN: Any = "bmp"


def test_the_option_s_choices_are_the_rows_of_the_table() -> None:
    assert tuple(OUTPUT_FORMATS) == get_args(Format)


def test_the_quality_s_description_names_each_format_on_its_side() -> None:
    lossy, _, lossless = str(StylizeOptions.model_fields["quality"].description).partition(";")
    for format in OUTPUT_FORMATS.values():
        assert format.name in (lossy if format.lossy else lossless)


def test_no_suffix_stands_for_two_formats() -> None:
    suffixes = [suffix for format in OUTPUT_FORMATS.values() for suffix in format.suffixes]
    assert sorted(suffixes) == sorted(set(suffixes))


@pytest.mark.parametrize("format", OUTPUT_FORMATS)
def test_pillow_knows_each_format(format: Format) -> None:
    Image.init()
    assert Image.MIME[OUTPUT_FORMATS[format].pillow_name] == OUTPUT_FORMATS[format].media_type
    for suffix in OUTPUT_FORMATS[format].suffixes:
        assert Image.EXTENSION[suffix] == OUTPUT_FORMATS[format].pillow_name


def test_an_unknown_format_is_not_written_as_another(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 3), "uint8")
    with pytest.raises(KeyError):
        image_files.encode(Picture(pixels / np.float32(1)), UNKNOWN)
    with pytest.raises(KeyError):
        vips_writer.save(pixels, tmp_path / "saved.bmp", UNKNOWN)
    with pytest.raises(AssertionError):
        metadata.pillow_save_options(None, UNKNOWN)
