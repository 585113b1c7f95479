"""What a network learns on: crops of photos, or of dead leaves where there are none, and plain pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from model.finetuning.dead_leaves import dead_leaves
from model.finetuning.noise_pictures import plain_picture

PLAIN = 0.15  # share of plain pictures: there a network shows the patterns that are its own
MAX_ZOOM = 2.0  # of a crop's side, 1/zoom to 1 of the photo's short side
NOISE = (2 / 255, 6 / 255)  # standard deviation, of the copy that has to be painted as the picture itself


class Crops:
    """Draws batches, the same for the same seed and step, from photos; without any, from dead leaves."""

    def __init__(self, photos: Sequence[Image.Image], size: int, jitter: int, seed: int) -> None:
        self.photos, self.size, self.jitter, self.seed = photos, size, jitter, seed

    def draw(self, step: int, batch: int) -> tuple[np.ndarray, ...]:
        """Return N crops (N, H, W, 3), the first of them with noise (1, H, W, 3), and offsets (N, 2) of windows."""
        rng = np.random.default_rng((self.seed, step))
        contents = np.stack([self._content(rng) for _ in range(batch)])
        noisy = contents[:1] + rng.normal(0, rng.uniform(*NOISE), contents[:1].shape)
        offsets = rng.integers(self.jitter, size=(batch, 2)).astype("int32")
        return contents, noisy.astype("float32"), offsets

    def _content(self, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < PLAIN:
            return plain_picture(self.size, rng)
        if not self.photos:
            return dead_leaves(self.size, rng)
        return random_crop(self.photos[int(rng.integers(len(self.photos)))], self.size, rng)


def random_crop(picture: Image.Image, size: int, rng: np.random.Generator, zoom: float = MAX_ZOOM) -> np.ndarray:
    """Cut a square of 1/zoom..1 of the short side, mirrored half of the time, at `size` pixels; (H, W, 3) in 0..1."""
    side = min(picture.size) * zoom ** -rng.random()
    left, top = rng.random() * (picture.width - side), rng.random() * (picture.height - side)
    crop = picture.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop
    return np.asarray(crop, dtype="float32") / 255.0
