"""Masks: where on a photo the paint goes, and how much of it shows."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFilter

from model.errors import InvalidOption
from model.imaging import image_files, pixel_ops
from model.imaging.image_files import ImageSource
from model.imaging.pixel_ops import EightBitPicture, Picture
from model.options import check_mask_count

ALPHA, EVERYWHERE = "alpha", "everywhere"  # words that stand for a mask
MASK_WORDS = (ALPHA, EVERYWHERE)
PROPORTION_TOLERANCE = 0.02  # relative difference from the photo's proportions that is accepted
DEVIATIONS_PER_EDGE = 2  # of the blur that softens a mask: the edge's width in its deviations
MAX_RECIPE_PNG_BYTES, MAX_RECIPE_PNG_PIXELS = 200_000, 40_000_000  # of a mask that a recipe carries as a PNG
_CHANNEL_WEIGHTS = np.full(3, 1 / 3, "float32")  # of red, green and blue in lightness


@dataclass(frozen=True)
class Mask:
    """A mask as it was given: pixels are (h, w) uint8, 255 where the paint goes; a word is one of MASK_WORDS."""

    pixels_or_word: np.ndarray | str

    def check_size(self, height: int, width: int) -> None:
        """Raise InvalidOption where the mask has other proportions than a photo of this size; words fit every photo."""
        if not isinstance(self.pixels_or_word, str):
            check_mask_size(self.pixels_or_word.shape[::-1], (width, height))

    def to_array(
        self,
        height: int,
        width: int,
        alpha: np.ndarray | None,
        feather: float = 0.0,
        paint: Literal["inside", "outside"] = "inside",
    ) -> np.ndarray:
        """Return the mask for a photo of this size, (height, width) uint8.

        alpha: the photo's, (height, width) uint8; None stands for an opaque one.
        feather: how far the edges are blurred, in percent of the long side.
        """
        mask = self._resize(height, width, alpha)
        if feather:
            radius = feather / 100 * max(height, width) / DEVIATIONS_PER_EDGE
            mask = np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(radius)))
        return mask if paint == "inside" else 255 - mask

    def _resize(self, height: int, width: int, alpha: np.ndarray | None) -> np.ndarray:
        if not isinstance(self.pixels_or_word, str):  # Lanczos would ring: paint beyond the edges
            return np.asarray(Image.fromarray(self.pixels_or_word).resize((width, height), Image.Resampling.BILINEAR))
        return alpha if self.pixels_or_word == ALPHA and alpha is not None else np.full((height, width), 255, "uint8")

    def to_recipe(self) -> str | dict[str, Any]:
        """Return a recipe's entry: the word, or the hash, with the PNG beside it where that is small."""
        if isinstance(self.pixels_or_word, str):
            return self.pixels_or_word
        entry = {"sha256": mask_sha256(self.pixels_or_word)}
        if self.pixels_or_word.size > MAX_RECIPE_PNG_PIXELS:
            return entry
        file = io.BytesIO()
        Image.fromarray(self.pixels_or_word).save(file, "png", optimize=True)
        if file.tell() > MAX_RECIPE_PNG_BYTES:
            return entry
        return entry | {"png": base64.b64encode(file.getvalue()).decode("ascii")}


def mask_sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()


def read(source: ImageSource) -> Mask:
    """Read a picture, whose lightness counts where it is opaque, or one of MASK_WORDS.

    Raises ImageError for what cannot be read.
    """
    if isinstance(source, str) and source in MASK_WORDS:
        return Mask(source)
    if isinstance(source, np.ndarray) and source.dtype == bool:
        source = source * np.uint8(255)
    picture = image_files.read_eight_bit(source, field="mask")
    lightness = np.empty(picture.rgb.shape[:2], "uint8")
    for rows in pixel_ops.row_bands(len(lightness)):
        opacity = 1 if picture.alpha is None else pixel_ops.as_float(picture.alpha[rows])
        lightness[rows] = picture.rgb[rows] @ _CHANNEL_WEIGHTS * opacity + 0.5
    return Mask(lightness)


def read_masks(sources: Sequence[ImageSource], photo: Picture | EightBitPicture) -> list[Mask]:
    """Read the masks of a photo; raise InvalidOption where there are too many, or one does not fit."""
    check_mask_count(len(sources))
    masks = [read(source) for source in sources]
    height, width = photo.rgb.shape[:2]
    for mask in masks:
        mask.check_size(height, width)
    return masks


def check_alpha(masks: Sequence[ImageSource], content: ImageSource) -> None:
    """Raise InvalidOption where the photo's alpha is to be the mask, and the photo cannot have one."""
    if any(isinstance(mask, str) and mask == ALPHA for mask in masks) and not _may_have_alpha(content):
        sentence = "This photo has no clear parts that could be its mask: send one as a picture."
        raise InvalidOption(sentence, "mask")


def _may_have_alpha(content: ImageSource) -> bool:
    if isinstance(content, np.ndarray):
        return content.ndim > 2 and content.shape[-1] == 4
    if isinstance(content, Image.Image):
        return content.has_transparency_data
    return hasattr(content, "read") or image_files.has_alpha(content)  # a stream can be read only once


def check_mask_size(mask: tuple[int, int], photo: tuple[int, int]) -> None:
    """Raise InvalidOption where a mask has other proportions than the photo: (width, height) each."""
    check_proportions("The mask", mask, photo, "mask")


def check_proportions(what: str, picture: tuple[int, int], photo: tuple[int, int], field: str) -> None:
    """Raise InvalidOption, naming `what` and `field`, where a picture has other proportions than the photo."""
    (width, height), (photo_width, photo_height) = picture, photo
    tolerance = max(1.0, PROPORTION_TOLERANCE * height)  # sizes are whole pixels
    if abs(height - width * photo_height / photo_width) > tolerance:
        raise InvalidOption(
            f"{what} is {width} x {height} and the photo {photo_width} x {photo_height}: they must have the same "
            "proportions.",
            field,
        )


def blend(over: np.ndarray, under: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blend (H, W, 3) floats: `over` where the mask is 255, `under` where it is 0, each of them to the bit."""
    share = (mask / np.float32(255))[..., None]
    mixed: np.ndarray = share * over + (1 - share) * under
    return mixed
