"""Winograd's transforms, against their definition."""

from __future__ import annotations

import numpy as np

from model.inference.statistics import TILE_ROWS
from model.inference.winograd import transform
from tests.support.arrays import normal_noise


def test_bands_begin_where_tiles_do():
    assert TILE_ROWS % transform.OUTPUT_TILE == 0


def test_a_tiles_products_are_the_convolution_in_exact_numbers():
    """One channel, one tile, in float64, by the definition of the points."""
    tile, step = transform.INPUT_TILE, transform.OUTPUT_TILE
    kernel, pixels = normal_noise(3, 3, 1, 1), normal_noise(tile, tile)
    matrices = transform.filter_transform(kernel).reshape(tile, tile)
    points = np.array([float(p) for p in transform.INTERPOLATION_POINTS])
    powers = np.vstack([points**n for n in range(step)])
    inverse = np.hstack([powers, [[0]] * (step - 1) + [[1]]])
    polynomials = [np.poly(np.delete(points, n))[::-1] for n in range(len(points))]
    forward = np.array([[*p, 0] for p in polynomials] + [np.poly(points)[::-1]])
    result = inverse @ ((forward @ pixels @ forward.T) * matrices) @ inverse.T
    wanted = [[(pixels[i : i + 3, j : j + 3] * kernel[..., 0, 0]).sum() for j in range(step)] for i in range(step)]
    assert np.allclose(result, wanted, atol=1e-4)
