"""The film of a refinement."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from model.imaging.pixel_ops import Picture
from model.progress import Step
from model.video.film import FRAME_COUNT, Film


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_a_film_of_the_steps(format: str):
    film = Film()
    for step in range(201):
        grey = np.full((10, 20, 3) if step < 100 else (20, 40, 3), step / 200, "float32")
        film.add(Step(step, 200, preview=Picture(grey)))
    with Image.open(io.BytesIO(film.encode(format))) as image:
        assert (image.format, image.size) == (format.upper(), (40, 20))
        assert FRAME_COUNT / 2 < image.n_frames <= FRAME_COUNT + 2
        image.seek(image.n_frames - 1)
        assert np.asarray(image.convert("RGB")).min() > 250


def test_a_film_of_few_steps_has_them_all():
    film = Film()
    for step in range(4):
        film.add(Step(step, 3, preview=Picture(np.full((10, 20, 3), step / 3, "float32"))))
    with Image.open(io.BytesIO(film.encode("webp"))) as image:
        assert image.n_frames == 4
