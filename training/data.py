"""Pictures for training: a folder decoded once into memory, then random crops of it."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageEnhance
from tqdm import tqdm


def load_pictures(*folders: Path) -> list[Image.Image]:
    """Every JPEG of `folders` in name order, as RGB."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.jpg"))]
    if not paths:
        raise FileNotFoundError(f"no .jpg files in {', '.join(map(str, folders))}")
    return [Image.open(path).convert("RGB") for path in tqdm(paths, desc="decoding", unit="picture")]


def to_array(picture: Image.Image) -> np.ndarray:
    """(H, W, 3) float32 in 0..1."""
    return np.asarray(picture, dtype="float32") / 255.0


def fit(picture: Image.Image, *, long: int | None = None, short: int | None = None) -> np.ndarray:
    """Resize to that long or short side in pixels, (H, W, 3) in 0..1."""
    scale = long / max(picture.size) if long else (short or 0) / min(picture.size)
    size = [round(side * scale) for side in picture.size]
    return to_array(picture.resize(size, Image.Resampling.LANCZOS))


def centre_crop(picture: Image.Image, size: int) -> np.ndarray:
    """The middle `size` x `size` pixels, enlarged first where a side is shorter."""
    scale = max(1.0, size / min(picture.size))
    if scale > 1.0:
        picture = picture.resize([max(size, round(side * scale)) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = (picture.width - size) // 2, (picture.height - size) // 2
    return to_array(picture.crop((left, top, left + size, top + size)))


def random_recolour(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another palette for the same brushwork, half of the time: the teacher labels whatever comes out."""
    if rng.random() < 0.5:
        return picture
    bands = picture.split()
    picture = Image.merge("RGB", [bands[i] for i in rng.permutation(3)])
    for enhance in (ImageEnhance.Color, ImageEnhance.Contrast, ImageEnhance.Brightness):
        picture = enhance(picture).enhance(rng.uniform(0.6, 1.4))
    return picture


class Batches(keras.utils.PyDataset):
    """`steps` batches an epoch, each drawn by `sample(rng)` from a generator seeded by (seed, step).

    A resumed run therefore sees the pictures that an uninterrupted one would have seen.
    """

    def __init__(self, sample, steps: int, batch: int, seed: int = 0) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self.sample, self.steps, self.batch, self.seed, self.epoch = sample, steps, batch, seed, 0

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple:
        rng = np.random.default_rng((self.seed, self.epoch, index))
        samples = [self.sample(rng) for _ in range(self.batch)]
        return (tuple(np.stack(column) for column in zip(*samples, strict=True)),)

    def on_epoch_end(self) -> None:
        self.epoch += 1
