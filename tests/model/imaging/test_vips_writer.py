"""Picture files written from disk: their formats, metadata, resolution and memory."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from model.errors import ImageTooLarge, StyleTransferError
from model.imaging import image_files, vips_writer
from model.imaging.metadata import build_metadata, find_recipe
from model.imaging.pixel_ops import EightBitPicture, Resolution
from model.imaging.scratch import DiskArray
from model.imaging.vips_writer import save
from model.options import Format

RECIPE = {"method": "magenta", "width": 90, "styles": [{"name": "Wellen", "credit": "A. Maler", "vector": "A" * 4000}]}
ROOT = Path(__file__).resolve().parents[3]
TAGS = ExifTags.Base
FORMATS = ["png", "jpeg", "webp", "tiff"]


@pytest.fixture
def rgba() -> np.ndarray:
    """(140, 90, 4) uint8, in soft colours, as clear as it is low."""
    y, x = np.mgrid[0:140, 0:90]
    return np.stack([y, 2 * x, 255 - y, 255 - y], axis=2).astype("uint8")


@pytest.fixture
def rgb(rgba: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rgba[..., :3])


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_a_plane_becomes_a_file(tmp_path: Path, rgba: np.ndarray, format: Format):
    with DiskArray(tmp_path, rgba.shape, "uint8") as plane:
        plane[0:140] = rgba
        save(plane, tmp_path / "saved", format)
    assert np.array_equal(np.asarray(opened(tmp_path / "saved")), rgba)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dpi", [None, (300.0, 300.0), (300.0, 150.0)])
def test_a_file_is_the_one_that_encode_makes(tmp_path: Path, rgba: np.ndarray, format: Format, dpi: Resolution | None):
    save(rgba, tmp_path / "saved", format, 90, dpi=dpi, recipe=RECIPE)
    made = image_files.encode(EightBitPicture(rgba[..., :3], rgba[..., 3], dpi), format, 90, RECIPE)
    one, other = opened(tmp_path / "saved"), Image.open(io.BytesIO(made))
    assert (one.format, one.mode, one.size) == (other.format, other.mode, other.size)
    assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).mean() < (1 if format in ("jpeg", "webp") else 1e-9)
    assert one.info["icc_profile"] == image_files.srgb_profile()
    assert find_recipe(one) == find_recipe(other)
    assert xmp(one) == xmp(other)
    if format == "tiff":  # which is not read here; Pillow has (1, 1) where the file says nothing
        assert one.info["dpi"] == other.info["dpi"] == (dpi or (1, 1))
    else:
        assert image_files.read_eight_bit(tmp_path / "saved").dpi == image_files.read_eight_bit(made).dpi == dpi


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("recipe", [None, RECIPE])
def test_no_resolution_is_made_up(tmp_path: Path, rgb: np.ndarray, format: Format, recipe: dict | None):
    """Pillow itself makes up 72 for a JPEG with EXIF and none in it."""
    save(rgb, tmp_path / "saved", format, recipe=recipe)
    (tmp_path / "encoded").write_bytes(image_files.encode(EightBitPicture(rgb), format, recipe=recipe))
    for name in "saved", "encoded":
        image = opened(tmp_path / name)
        assert not {TAGS.XResolution, TAGS.YResolution, TAGS.ResolutionUnit} & image.getexif().keys()
        assert image.info.get("dpi", (1, 1)) == ((72, 72) if format == "jpeg" and "exif" in image.info else (1, 1))
        assert find_recipe(image) == (build_metadata(recipe, format).text if recipe else None)
        if format in ("jpeg", "webp") and name == "saved":
            assert image.getexif()[TAGS.Orientation] == 1  # what stands beside it is left


def xmp(image: Image.Image) -> str:
    found = image.info.get("xmp", image.info.get("XML:com.adobe.xmp"))
    return found.decode() if isinstance(found, bytes) else found


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_picture_gives_the_same_file(tmp_path: Path, rgb: np.ndarray, format: Format):
    for name in "one", "other":
        save(rgb, tmp_path / name, format, recipe=RECIPE)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_new_plane_in_the_place_of_the_last_is_read_anew(tmp_path: Path, rgb: np.ndarray):
    for pixels in rgb, 255 - rgb:
        with DiskArray(tmp_path, rgb.shape, "uint8") as plane:
            plane[0:140] = pixels
            plane.path.rename(tmp_path / "same")
            plane.path = tmp_path / "same"
            save(plane, tmp_path / "saved.png", "png")
        assert np.array_equal(np.asarray(opened(tmp_path / "saved.png")), pixels)


def test_jpeg_gets_alpha_on_white(tmp_path: Path, rgba: np.ndarray):
    rgba[70:, :, 3] = 0
    save(rgba, tmp_path / "saved.jpg", "jpeg")
    assert np.asarray(opened(tmp_path / "saved.jpg"))[80:].min() > 250


def test_a_tiff_is_in_tiles(tmp_path: Path, rgb: np.ndarray):
    save(rgb, tmp_path / "saved.tif", "tiff")
    tags = opened(tmp_path / "saved.tif").tag_v2
    assert (tags[322], tags[323]) == (256, 256)
    assert tags[259] == 8  # deflate


def test_sides_beyond_a_kind_of_file(tmp_path: Path):
    with pytest.raises(ImageTooLarge, match="webp holds at most 16383 pixels a side"):
        save(np.zeros((2, 16_384, 3), "uint8"), tmp_path / "saved.webp", "webp")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told(tmp_path: Path, rgb: np.ndarray):
    with pytest.raises(StyleTransferError, match=r"saved\.png' could not be written: is there room"):
        save(rgb, tmp_path / "missing" / "saved.png", "png")


def test_the_former_file_stays_until_the_new_one_is_whole(
    tmp_path: Path, rgb: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "saved.png"
    save(rgb, path, "png")
    former = path.read_bytes()

    def fail(image: object, partial: Path, *rest: object) -> None:
        partial.write_bytes(former[:100])
        raise OSError("no room")

    monkeypatch.setattr(vips_writer, "_write_image", fail)
    with pytest.raises(StyleTransferError, match="could not be written"):
        save(255 - rgb, path, "png")
    assert path.read_bytes() == former
    assert list(tmp_path.iterdir()) == [path]
