"""The shared corpus of good, odd and hostile files: each is read or refused as its manifest expects."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from model.errors import ImageError
from model.imaging.image_files import read
from model.imaging.pixel_ops import Picture

SERVED = {"most_bytes": 25_000_000, "most_pixels": 40_000_000}  # the limits that the manifest is for


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "corpus" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def outcome(data: bytes, limit: int | None) -> tuple[str, Picture | None]:
    try:
        return "ok", read(data, limit=limit, **SERVED)
    except ImageError:
        return "reject", None


@pytest.mark.parametrize("limit", [None, 256])
def test_every_file_as_its_manifest_expects(shared: Path, limit: int | None) -> None:
    deviations = []
    for row in rows(shared, "manifest.csv"):
        result, picture = outcome((shared / "corpus" / row["file"]).read_bytes(), limit)
        if row["expect"] not in (result, "either"):
            deviations.append(f"{row['file']}: {result}, not {row['expect']}")
        if picture is None:
            continue
        height, width = picture.rgb.shape[:2]
        if limit is None and row["upright_size"] not in (f"{width}x{height}", ""):
            deviations.append(f"{row['file']}: {width}x{height}, not {row['upright_size']}")
        if limit is not None and max(width, height) > limit:
            deviations.append(f"{row['file']}: {width}x{height} is over the limit")
    assert not deviations, "\n".join(deviations)


def test_turned_files_match_their_upright_twins(shared: Path) -> None:
    for row in rows(shared, "orientation.csv"):
        turned = read(shared / "corpus" / row["file"])
        upright = read(shared / "corpus" / row["upright_ref"])
        error = np.abs(turned.rgb - upright.rgb).mean() * 255
        assert error <= float(row["mae_after_transpose"]) + 0.1, row["file"]
