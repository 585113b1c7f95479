"""Batches of crops."""

from __future__ import annotations

import numpy as np
from PIL import Image

from model.finetuning.crops import NOISE, Crops, random_crop

SIDE, JITTER = 40, 8
PHOTOS = [Image.new("RGB", (80, 72), (20 * index, 0, 0)) for index in range(5)]


def test_batches_are_the_same_for_the_same_seed_and_step():
    crops = Crops(PHOTOS, SIDE, JITTER, 0)
    some, same, others = crops.draw(3, 2), crops.draw(3, 2), crops.draw(4, 2)
    assert all(np.array_equal(a, b) for a, b in zip(some, same, strict=True))
    assert not np.array_equal(some[0], others[0])
    assert not np.array_equal(some[0], Crops(PHOTOS, SIDE, JITTER, 1).draw(3, 2)[0])


def test_a_batch_has_crops_a_noisy_copy_and_offsets():
    contents, noisy, offsets = Crops(PHOTOS, SIDE, JITTER, 0).draw(0, 3)
    assert contents.shape == (3, SIDE, SIDE, 3)
    assert (noisy.shape, noisy.dtype) == ((1, SIDE, SIDE, 3), np.float32)
    assert NOISE[0] * 0.8 < (noisy - contents[:1]).std() < NOISE[1] * 1.2
    assert (offsets.shape, offsets.dtype) == ((3, 2), np.int32)
    assert 0 <= offsets.min() <= offsets.max() < JITTER


def test_without_photos_pictures_are_made():
    contents, _, _ = Crops([], SIDE, JITTER, 0).draw(0, 4)
    assert contents.shape == (4, SIDE, SIDE, 3)
    assert contents.std() > 0.05


def test_a_crop_is_a_part_of_its_photo():
    gradient = Image.fromarray(np.tile(np.arange(200, dtype="uint8")[:, None, None], (1, 160, 3)))
    crop = random_crop(gradient, SIDE, np.random.default_rng(0))
    assert crop.shape == (SIDE, SIDE, 3)
    rows = crop.mean((1, 2))
    assert np.all(np.diff(rows) > 0)
