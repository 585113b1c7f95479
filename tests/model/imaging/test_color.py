"""Colours kept and colours matched, by their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from model.imaging import color


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(3).random((24, 30, 3)).astype("float32")


def test_oklab_of_known_colours():
    """Values of https://bottosson.github.io/posts/oklab/, for sRGB's white, red, green and blue."""
    rgb = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], "float32")
    wanted = [[1, 0, 0], [0.628, 0.2249, 0.1258], [0.8664, -0.2339, 0.1795], [0.452, -0.0325, -0.3115], [0, 0, 0]]
    assert np.abs(color.srgb_to_oklab(rgb) - wanted).max() < 5e-4


def test_there_and_back(pixels: np.ndarray):
    assert np.abs(color.oklab_to_srgb(color.srgb_to_oklab(pixels)) - pixels).max() < 1e-4


def test_the_ends_of_the_dials(photo: np.ndarray, painting: np.ndarray):
    assert color.preserve_colours(painting, photo, 0, 0) is painting
    assert color.preserve_colours(painting, photo, 1, 1) is photo


def test_keeping_the_colours_keeps_the_light_of_the_pastiche(photo: np.ndarray):
    pastiche = photo.mean(axis=2, keepdims=True) * np.ones(3, "float32") * 0.9  # grey, so that no colour is clipped
    lab = color.srgb_to_oklab(color.preserve_colours(pastiche, photo * 0.5 + 0.25, colours=1, light=0))
    assert np.abs(lab[..., 0] - color.srgb_to_oklab(pastiche)[..., 0]).mean() < 0.01
    assert np.abs(lab[..., 1:] - color.srgb_to_oklab(photo * 0.5 + 0.25)[..., 1:]).mean() < 0.01


def test_keeping_the_light_leaves_only_the_colours_of_the_pastiche(photo: np.ndarray):
    tint = np.broadcast_to(np.float32([0.5, 0.45, 0.55]), photo.shape)
    lab = color.srgb_to_oklab(color.preserve_colours(tint, photo * 0.4 + 0.3, colours=0, light=1))
    assert np.abs(lab[..., 0] - color.srgb_to_oklab(photo * 0.4 + 0.3)[..., 0]).max() < 0.01
    assert np.abs(lab[..., 1:] - color.srgb_to_oklab(tint)[..., 1:]).max() < 0.01


@pytest.mark.parametrize("dial", ["colours", "light"])
def test_a_dial_goes_all_the_way(photo: np.ndarray, painting: np.ndarray, dial: str):
    def distance(share: float) -> float:
        kept = color.preserve_colours(painting, photo, **{"colours": 0.0, "light": 0.0, dial: share})
        return float(np.abs(kept - photo).mean())

    distances = [distance(share) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 1.05 * distances[-1]


def test_no_matching_is_the_painting_itself(photo: np.ndarray, painting: np.ndarray):
    assert color.match_colours(painting, photo, "none") is painting


def test_matching_by_histogram(photo: np.ndarray, pixels: np.ndarray):
    matched = color.match_colours(pixels, photo, "histogram")
    quantiles = np.linspace(0, 1, 11)
    for channel in range(3):
        got, wanted = (np.quantile(picture[..., channel], quantiles) for picture in (matched, photo))
        assert np.abs(got - wanted).max() < 0.05
        order = np.argsort(pixels[..., channel], axis=None)
        assert np.diff(matched[..., channel].ravel()[order]).min() >= -1e-6  # darker stays darker


def test_matching_by_covariance(photo: np.ndarray, pixels: np.ndarray):
    wanted = photo * 0.3 + 0.35  # within limits, so that nothing is clipped
    matched = color.match_colours(pixels, wanted, "covariance")
    flat, like = matched.reshape(-1, 3), wanted.reshape(-1, 3)
    assert np.abs(flat.mean(axis=0) - like.mean(axis=0)).max() < 2e-3
    assert np.abs(np.cov(flat, rowvar=False) - np.cov(like, rowvar=False)).max() < 1e-3


@pytest.mark.parametrize("how", ["histogram", "covariance"])
def test_a_single_pixel_has_a_colour_too(photo: np.ndarray, how: color.ColourMatching):
    assert np.isfinite(color.match_colours(photo[:1, :1], photo, how)).all()
    assert color.match_colours(photo, photo[:1, :1], how) == pytest.approx(
        np.broadcast_to(photo[:1, :1], photo.shape), abs=1e-6
    )


@pytest.mark.parametrize("how", ["histogram", "covariance"])
def test_a_painting_of_one_colour_has_nothing_to_stretch(photo: np.ndarray, how: color.ColourMatching):
    matched = color.match_colours(np.full((8, 9, 3), 0.5, "float32"), photo, how)
    assert (matched.shape, matched.dtype) == ((8, 9, 3), np.float32)
    assert np.ptp(matched, axis=(0, 1)).max() < 1e-6
