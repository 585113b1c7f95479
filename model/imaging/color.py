"""Colours: preserving the photo's in a result, and matching a painting's to the photo's beforehand.

They are mixed in Oklab (Ottosson 2020, https://bottosson.github.io/posts/oklab/), which separates lightness from
colour.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

ColourMatching = Literal["none", "histogram", "covariance"]

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    "float32",
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    "float32",
)
_LMS_TO_RGB, _LAB_TO_LMS = (
    np.linalg.inv(matrix.astype("float64")).astype("float32") for matrix in (_RGB_TO_LMS, _LMS_TO_LAB)
)
_MIN_VARIANCE = 1e-5  # of a painting's colours along an axis; below it they are not stretched


def srgb_to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Convert (…, 3) sRGB in 0..1 to (…, 3) float32: lightness in 0..1, then green to red and blue to yellow."""
    linear = np.where(rgb <= 0.04045, rgb / np.float32(12.92), ((rgb + np.float32(0.055)) / np.float32(1.055)) ** 2.4)
    lab: np.ndarray = np.cbrt(linear.astype("float32", copy=False) @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T
    return lab


def oklab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """Convert (…, 3) Oklab to sRGB in 0..1; colours outside of sRGB are clipped."""
    linear = ((lab @ _LAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T).clip(0, 1)
    curve = np.float32(1.055) * linear ** (1 / 2.4) - np.float32(0.055)
    rgb: np.ndarray = np.where(linear <= 0.0031308, linear * np.float32(12.92), curve)
    return rgb


def preserve_colours(pastiche: np.ndarray, photo: np.ndarray, colours: float, light: float) -> np.ndarray:
    """Mix shares, 0..1, of the photo's colours and of its lightness into `pastiche`; all are (…, 3) sRGB in 0..1."""
    if not (colours or light):
        return pastiche
    if colours == light == 1:
        return photo
    lab, photo_lab = srgb_to_oklab(pastiche), srgb_to_oklab(photo)
    lab += (photo_lab - lab) * np.array([light, colours, colours], "float32")
    return oklab_to_srgb(lab)


def match_colours(style: np.ndarray, photo: np.ndarray, how: ColourMatching) -> np.ndarray:
    """Give `style` the photo's distribution of colours; all are (H, W, 3) float32 in 0..1."""
    if how == "none":
        return style
    pixels, wanted = style.reshape(-1, 3), photo.reshape(-1, 3)
    matched = _match_histogram(pixels, wanted) if how == "histogram" else _match_covariance(pixels, wanted)
    return matched.clip(0, 1).astype("float32").reshape(style.shape)


def _match_histogram(pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Turn each channel's n-th darkest value into the photo's n-th darkest."""
    return np.stack([_match_ranks(*channels) for channels in zip(pixels.T, wanted.T, strict=True)], axis=1)


def _match_ranks(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2) / max(1, values.size - 1)  # equal values share their mean rank
    matched: np.ndarray = np.interp(ranks, np.linspace(0, 1, wanted.size), np.sort(wanted))[where]
    return matched


def _match_covariance(pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Match mean and covariance by a linear map.

    Gatys et al. 2016, "Preserving color in neural artistic style transfer", in the variant of image analogies.
    """
    photo_covariance, painting_covariance = (np.cov(colours, rowvar=False, bias=True) for colours in (wanted, pixels))
    stretch = _matrix_power(photo_covariance, 0.5) @ _matrix_power(painting_covariance, -0.5)
    moved: np.ndarray = (pixels - pixels.mean(axis=0)) @ stretch.T + wanted.mean(axis=0)
    return moved


def _matrix_power(covariance: np.ndarray, exponent: float) -> np.ndarray:
    """Return a power of a symmetric matrix; tiny eigenvalues, the noise of a painting of one colour, become 0."""
    values, vectors = np.linalg.eigh(covariance)
    powers = np.where(values > _MIN_VARIANCE, np.maximum(values, _MIN_VARIANCE) ** exponent, 0.0)
    power: np.ndarray = (vectors * powers) @ vectors.T
    return power
