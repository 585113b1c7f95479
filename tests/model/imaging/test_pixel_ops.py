"""Operations on pixels: resizing and conversion."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from model.imaging import image_files, pixel_ops
from model.imaging.pixel_ops import resize
from tests.support.images import PHOTO, quarters


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_resize_keeps_kind_and_range(dtype: type) -> None:
    top = 255 if dtype is np.uint8 else 1
    array = (np.asarray(quarters()) / 255 * top).astype(dtype)
    for size in ((16, 16), (100, 30), (64, 64)):
        result = resize(array, size)
        assert result.shape == (*size, 3)
        assert result.dtype == dtype
        assert (result.min(), result.max()) == (0, top)
    assert resize(array[..., :1], (8, 9)).shape == (8, 9, 1)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("size", [(300, 200), (240, 160), (479, 20), (61, 40), (5, 300), (1, 1)])
def test_a_smaller_picture_is_as_pillow_makes_it(mode: str, size: tuple[int, int]) -> None:
    """But for rounding, and for lines at an edge that fall between two pixels."""
    with Image.open(PHOTO) as photo:
        image = photo.convert(mode)
    found = np.asarray(image_files._resize_image(image, size)).astype(int)
    error = np.abs(found - np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)))
    assert image_files._resize_image(image, size).mode == mode
    assert error.mean() <= 1
    assert error.max() < 12


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (900, 1, 3), (2, 3, 3), (17, 23, 1), (64, 64, 4)])
@pytest.mark.parametrize("scale", [1.0, 0.7, 0.1, 0.001])
def test_nothing_is_too_small_to_be_made_smaller(shape: tuple[int, int, int], scale: float) -> None:
    size = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    flat = np.broadcast_to(np.arange(60, 60 + shape[2], dtype=np.uint8), shape)
    np.testing.assert_array_equal(resize(flat, size), np.broadcast_to(flat[0, 0], (*size, shape[2])))


def test_clear_pixels_of_an_array_keep_their_colours() -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 0] = 200
    assert resize(rgba, (4, 4)).tolist() == np.broadcast_to([200, 0, 0, 0], (4, 4, 4)).tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_become_bytes_and_stay_as_they_are(dtype: type) -> None:
    values = np.array([-1, 0, 0.5, 0.9, 1, 2]).astype(dtype)
    before = values.copy()
    assert pixel_ops.as_uint8(values).tolist() == [0, 0, 128, 230, 255, 255]
    np.testing.assert_array_equal(values, before)
