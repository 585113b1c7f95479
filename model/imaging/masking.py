"""Masks: where on a photo the paint goes, and how much of it."""

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
from model.options import MAX_MASKS

ALPHA, EVERYWHERE = "alpha", "everywhere"  # words that stand for a mask
MASK_WORDS = (ALPHA, EVERYWHERE)
PROPORTION_TOLERANCE = 0.02  # share by which what belongs to a photo may have other proportions
_BAND_ROWS = 256  # rows
_CHANNEL_WEIGHTS = np.full(3, 1 / 3, "float32")  # of the channels, in lightness
MAX_RECIPE_PNG_BYTES, MAX_RECIPE_PNG_PIXELS = (
    200_000,
    40_000_000,
)  # of a mask that a recipe carries at most: bytes of its PNG, and pixels


@dataclass(frozen=True)
class Mask:
    """As it was given: `light` is (h, w) uint8, 255 where the paint goes, or one of WORDS."""

    light: np.ndarray | str

    def check(self, height: int, width: int) -> None:
        """Raises InvalidOption where the mask does not fit a photo of this size. Of one without clear parts, its alpha
        is all of it."""
        if not isinstance(self.light, str):
            check_mask_size(self.light.shape[::-1], (width, height))

    def to_array(
        self,
        height: int,
        width: int,
        alpha: np.ndarray | None,
        feather: float = 0.0,
        paint: Literal["inside", "outside"] = "inside",
    ) -> np.ndarray:
        """(height, width) uint8. alpha: the photo's, likewise.

        feather: how far the edges are blurred, in percent of the long side.
        """
        mask = self._resize(height, width, alpha)
        if feather:
            radius = feather / 100 * max(height, width) / 2  # the blur's deviation, of which two make the edge
            mask = np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(radius)))
        return mask if paint == "inside" else 255 - mask

    def _resize(self, height: int, width: int, alpha: np.ndarray | None) -> np.ndarray:
        if not isinstance(self.light, str):  # not by Lanczos, which rings: no paint beyond the edges
            return np.asarray(Image.fromarray(self.light).resize((width, height), Image.Resampling.BILINEAR))
        return alpha if self.light == ALPHA and alpha is not None else np.full((height, width), 255, "uint8")

    def told(self) -> str | dict[str, Any]:
        """As a recipe has it: the word, or the hash with the picture beside it where that is small."""
        if isinstance(self.light, str):
            return self.light
        about = {"sha256": mask_sha256(self.light)}
        if self.light.size > MAX_RECIPE_PNG_PIXELS:
            return about
        file = io.BytesIO()
        Image.fromarray(self.light).save(file, "png", optimize=True)
        small = file.tell() <= MAX_RECIPE_PNG_BYTES
        return about | ({"png": base64.b64encode(file.getvalue()).decode("ascii")} if small else {})


def mask_sha256(light: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(light).data).hexdigest()


def read(source: ImageSource) -> Mask:
    """A picture, whose lightness counts where it is not clear, or one of WORDS; ImageError for what cannot be read."""
    if isinstance(source, str) and source in MASK_WORDS:
        return Mask(source)
    if isinstance(source, np.ndarray) and source.dtype == bool:
        source = source * np.uint8(255)
    picture = image_files.read_eight_bit(source, field="mask")
    light = np.empty(picture.rgb.shape[:2], "uint8")
    for top in range(0, len(light), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        shown = 1 if picture.alpha is None else pixel_ops.as_float(picture.alpha[rows])
        light[rows] = picture.rgb[rows] @ _CHANNEL_WEIGHTS * shown + 0.5
    return Mask(light)


def read_masks(sources: Sequence[ImageSource], photo: Picture | EightBitPicture) -> list[Mask]:
    """The masks of a photo; InvalidOption where there are too many, or one does not fit."""
    if len(sources) > MAX_MASKS:
        raise InvalidOption(f"Give at most {MAX_MASKS} masks, not {len(sources)}.", "mask")
    masks = [read(source) for source in sources]
    height, width = photo.rgb.shape[:2]
    for mask in masks:
        mask.check(height, width)
    return masks


def check_alpha(masks: Sequence[ImageSource], content: ImageSource) -> None:
    """Raises InvalidOption where the photo's alpha is to be the mask, and its kind of picture has none."""
    if any(isinstance(mask, str) and mask == ALPHA for mask in masks) and not _may_have_alpha(content):
        sentence = "This photo has no clear parts that could be its mask: send one as a picture."
        raise InvalidOption(sentence, "mask")


def _may_have_alpha(content: ImageSource) -> bool:
    if isinstance(content, np.ndarray):
        return content.ndim > 2 and content.shape[-1] == 4
    if isinstance(content, Image.Image):
        return content.has_transparency_data
    return hasattr(content, "read") or image_files.has_alpha(content)  # what is read once is not read for this


def check_mask_size(mask: tuple[int, int], photo: tuple[int, int]) -> None:
    """Raises InvalidOption where a mask has other proportions than the photo: (width, height) each."""
    check_proportions("The mask", mask, photo, "mask")


def check_proportions(what: str, picture: tuple[int, int], photo: tuple[int, int], field: str) -> None:
    (width, height), (photo_width, photo_height) = picture, photo
    if abs(height - width * photo_height / photo_width) > max(
        1.0, PROPORTION_TOLERANCE * height
    ):  # sizes are whole pixels
        raise InvalidOption(
            f"{what} is {width} x {height} and the photo {photo_width} x {photo_height}: they must have the same "
            "proportions.",
            field,
        )


def blend(over: np.ndarray, under: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) floats: `over` where the mask is 255, `under` where it is 0, either of them to the last bit."""
    share = (mask / np.float32(255))[..., None]
    mixed: np.ndarray = share * over + (1 - share) * under
    return mixed
