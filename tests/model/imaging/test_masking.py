"""Masks: how they are read, how they fit, and what a recipe says of them."""

from __future__ import annotations

import base64
import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from model.errors import ImageError, InvalidOption
from model.imaging import masking
from model.imaging.masking import Mask
from model.imaging.pixel_ops import Picture


def halves(height: int = 96, width: int = 128) -> np.ndarray:
    """White on the left."""
    mask = np.zeros((height, width), "uint8")
    mask[:, : width // 2] = 255
    return mask


def test_lightness_counts_where_it_is_not_clear():
    picture = np.zeros((2, 2, 4), "uint8")
    picture[0] = 255, 255, 255, 255
    picture[1, 0] = 255, 255, 255, 0
    picture[1, 1] = 0, 255, 255, 255
    assert masking.read(picture).pixels_or_word.tolist() == [[255, 255], [0, 170]]


def test_true_is_where_the_paint_goes():
    assert masking.read(np.array([[True, False]])).pixels_or_word.tolist() == [[255, 0]]


@pytest.mark.parametrize("word", masking.MASK_WORDS)
def test_words(word: str):
    assert masking.read(word) == Mask(word)


def test_what_is_no_picture():
    with pytest.raises(ImageError, match=r"^mask: ") as raised:
        masking.read(b"no picture")
    assert raised.value.field == "mask"


def test_the_photos_own_alpha():
    alpha = halves()
    assert np.array_equal(Mask("alpha").to_array(96, 128, alpha), alpha)
    assert np.array_equal(Mask("alpha").to_array(96, 128, alpha, paint="outside"), 255 - alpha)


def test_everywhere():
    assert Mask("everywhere").to_array(3, 4, None).tolist() == [[255] * 4] * 3


def test_a_smaller_mask_is_scaled():
    fitted = Mask(halves(24, 32)).to_array(96, 128, None)
    assert fitted.shape == (96, 128)
    assert fitted[:, :60].min() > 250
    assert fitted[:, 68:].max() < 5


def test_a_mask_that_is_scaled_up_reaches_nothing_beyond_its_edges():
    fitted = Mask(halves(24, 32)).to_array(960, 1280, None)
    assert fitted[:, :600].min() == 255
    assert fitted[:, 680:].max() == 0


@pytest.mark.parametrize("size", [(96, 128), (48, 64), (97, 128), (100, 132), (9, 12)])
def test_proportions_that_agree(photo: np.ndarray, size: tuple[int, int]):
    assert len(masking.read_masks([np.zeros(size, "uint8")], Picture(photo))) == 1


@pytest.mark.parametrize("size", [(128, 96), (96, 120), (96, 96)])
def test_proportions_that_do_not(photo: np.ndarray, size: tuple[int, int]):
    with pytest.raises(InvalidOption, match=rf"The mask is {size[1]} x {size[0]} and the photo 128 x 96") as raised:
        masking.read_masks([np.zeros(size, "uint8")], Picture(photo))
    assert raised.value.field == "mask"


def test_the_alpha_of_an_opaque_photo_is_all_of_it(photo: np.ndarray):
    [mask] = masking.read_masks(["alpha"], Picture(photo))
    assert (mask.to_array(*photo.shape[:2], None) == 255).all()


def test_too_many_masks(photo: np.ndarray):
    with pytest.raises(InvalidOption, match="at most 8 masks, not 9"):
        masking.read_masks(["everywhere"] * 9, Picture(photo))


def test_feather_softens_the_edge_and_nothing_else():
    soft = Mask(halves()).to_array(96, 128, None, feather=5).astype(int)
    assert (soft[:, :50] == 255).all()
    assert (soft[:, 78:] == 0).all()
    assert (np.diff(soft, axis=1) <= 0).all()
    assert len(np.unique(soft[48, 50:78])) > 8


@pytest.mark.parametrize("paint", ["inside", "outside"])
def test_either_side_is_exact(photo: np.ndarray, painting: np.ndarray, paint: Literal["inside", "outside"]):
    mask = Mask(halves()).to_array(96, 128, None, paint=paint)
    mixed = masking.blend(painting, photo, mask)
    left, right = (painting, photo) if paint == "inside" else (photo, painting)
    assert np.array_equal(mixed[:, :64], left[:, :64])
    assert np.array_equal(mixed[:, 64:], right[:, 64:])


def test_a_recipe_carries_a_small_mask():
    told = Mask(halves()).to_recipe()
    assert isinstance(told, dict)
    again = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["png"]))))
    assert np.array_equal(again, halves())
    assert Mask("alpha").to_recipe() == "alpha"


def test_a_recipe_has_only_the_hash_of_a_large_mask():
    noise = np.random.default_rng(0).integers(0, 256, (600, 600), "uint8")
    told = Mask(noise).to_recipe()
    assert isinstance(told, dict)
    assert list(told) == ["sha256"]


def test_a_recipe_has_no_picture_of_more_pixels_than_are_read_from_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(masking, "MAX_RECIPE_PNG_PIXELS", 96 * 128 - 1)
    assert list(Mask(halves()).to_recipe()) == ["sha256"]
