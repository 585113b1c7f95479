"""Pictures painted in bands: as those in one piece, in bounded memory."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from skimage import data

from model.errors import ImageTooLarge
from model.imaging import pixel_ops
from model.imaging.pixel_ops import psnr
from model.inference import folding, magenta
from model.inference.autotune import trial_pictures
from model.inference.engine import FLOAT32_PLAN, Backends, ExecutionPlan, TransformerEngine
from model.inference.magenta import Magenta, load
from model.inference.tiling import renderer
from model.networks.architecture import V1_256, Architecture
from model.networks.layers import assign_arrays, read_arrays
from model.networks.transformer import build_transformer
from model.weights import registry
from tests.support.arrays import noise
from tests.support.tiny_weights import TINY, tiny_arrays

SOME_BLOCKS = replace(TINY, residual_blocks=3)  # so that some begin with a sum
HEIGHT, WIDTH = 2000, 3000
PHOTOS = {"portrait": data.astronaut, "cat": data.chelsea, "coffee": data.coffee}


class Stopped(Exception):
    pass


@pytest.fixture(scope="module", params=[FLOAT32_PLAN, FLOAT32_PLAN._replace(blocks="winograd")], ids=str)
def network(request: pytest.FixtureRequest) -> Iterator[Magenta]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            magenta, "fastest_engine", lambda *network: TransformerEngine(Backends(*network[:2]), request.param)
        )
        yield Magenta("tiny", SOME_BLOCKS, tiny_arrays(architecture=SOME_BLOCKS))


@pytest.fixture(scope="module")
def shipped() -> Magenta:
    return load(registry.SHIPPED_MAGENTA)


def make_bands_small(patch: pytest.MonkeyPatch) -> None:
    """Two rows of the residual blocks, and so eight of the picture."""
    patch.setattr(renderer, "BAND_PIXELS", 1)
    patch.setattr(renderer, "MIN_BAND_ROWS", 2)


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    make_bands_small(monkeypatch)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert not list(tmp_path.glob("style-transfer-*"))  # TensorFlow writes there as well


def tiled(network: Any, content: renderer.RowSource, vector: np.ndarray, on_stage: Any = None) -> np.ndarray:
    pastiche = np.full(content.shape, np.nan, "float32")

    def put(top: int, rows: np.ndarray) -> None:
        assert np.isnan(pastiche[top : top + len(rows)]).all()
        assert top == 0 or not np.isnan(pastiche[top - 1]).any()
        pastiche[top : top + len(rows)] = rows

    renderer.render(network, content, vector, put, on_stage)
    return pastiche


def random_network(architecture: Architecture) -> Any:
    """The transformer alone, with no number at its default: untrained predictors would only take time."""
    keras.utils.set_random_seed(0)
    transformer = build_transformer(architecture)
    rng = np.random.default_rng(0)
    arrays = read_arrays(transformer)
    for name, array in arrays.items():
        if array.ndim == 1:
            arrays[name] = array + rng.uniform(-0.2, 0.2, array.shape).astype("float32")
    assign_arrays(transformer, arrays)
    fitted = folding.transformer_arrays(architecture, read_arrays(transformer))
    norms = folding.StyleNorms(architecture, fitted)
    return SimpleNamespace(
        architecture=architecture, transformer=transformer, arrays=fitted, plan=FLOAT32_PLAN, norm_params=norms
    )


SIZES = [(32, 32), (33, 35), (251, 333), (333, 250), (34, 700), (701, 33)]


@pytest.mark.parametrize("size", SIZES)
def test_in_bands_as_in_one(network: Magenta, small_bands: None, size: tuple[int, int]):
    content, vector = noise(*size, 3), noise(8)
    assert np.abs(tiled(network, content, vector) - network.render(content, vector)).max() < 5e-4  # rounding


def test_in_bands_as_in_one_in_bfloat16(small_bands: None, monkeypatch: pytest.MonkeyPatch):
    """Scales are rounded with the kernels there, and the photo has smooth places."""
    plan = ExecutionPlan("float32", "winograd", "bfloat16")
    monkeypatch.setattr(magenta, "fastest_engine", lambda *network: TransformerEngine(Backends(*network[:2]), plan))
    network = Magenta("tiny", SOME_BLOCKS, tiny_arrays(architecture=SOME_BLOCKS))
    for photo in trial_pictures():
        content, vector = photo[:150, :210], noise(8)
        assert psnr(tiled(network, content, vector), network.render(content, vector)) > 45


def test_in_bands_as_in_one_on_the_full_network(small_bands: None):
    network = random_network(V1_256)
    content, vector = noise(150, 210, 3), noise(V1_256.vector_size)
    whole = network.transformer([content[None], vector[None]], training=False)[0, :150, :210].numpy()
    assert whole.std() > 0.1
    assert psnr(tiled(network, content, vector), whole) > 80


class Compared(NamedTuple):
    tiled: np.ndarray
    whole: np.ndarray


@pytest.fixture(scope="module", params=PHOTOS)
def compared(request: pytest.FixtureRequest, shipped: Magenta) -> Compared:
    photo = pixel_ops.resize(PHOTOS[request.param]() / np.float32(255), (HEIGHT, WIDTH))
    vector = shipped.embed(pixel_ops.resize(data.immunohistochemistry() / np.float32(255), (256, 256)))
    with pytest.MonkeyPatch.context() as patch:
        make_bands_small(patch)
        return Compared(tiled(shipped, photo, vector), shipped.render(photo, vector))


def test_a_large_picture_in_bands_is_that_in_one(compared: Compared):
    """As nearly as TensorFlow sums six million numbers: its variances are off by up to one in a hundred here."""
    assert psnr(compared.tiled, compared.whole) > 55


def test_there_is_no_seam(compared: Compared):
    """Bands meet at every eighth row; the rows half-way between are as those in all but that."""
    for picture in (compared.tiled, compared.tiled - compared.whole):
        steps = np.abs(picture[8:] - picture[7:-1]).mean(axis=(1, 2))
        assert steps[::8].mean() <= 1.05 * steps[4::8].mean()


def test_bytes_are_colours(network: Magenta, small_bands: None):
    photo = np.random.default_rng(0).integers(0, 256, (70, 60, 3), dtype="uint8")
    assert np.array_equal(tiled(network, photo, noise(8)), tiled(network, photo / np.float32(255), noise(8)))


class Watched:
    """A picture that is too large to be read at once."""

    shape = (1000, 40, 3)

    def __init__(self) -> None:
        self.read: list[tuple[int, int]] = []

    def __getitem__(self, rows: slice) -> np.ndarray:
        self.read.append((rows.start, rows.stop))
        return noise(rows.stop - rows.start, *self.shape[1:])


def test_a_photo_is_read_once_some_rows_at_a_time(network: Magenta, small_bands: None):
    photo = Watched()
    tiled(network, photo, noise(8))
    assert [start for start, _ in photo.read] == [0, *[stop for _, stop in photo.read[:-1]]]
    assert photo.read[-1][1] == 1000
    assert max(stop - start for start, stop in photo.read) < 40


def test_it_tells_how_far_it_is(network: Magenta, small_bands: None):
    heard: list[tuple[int, int]] = []
    tiled(network, noise(40, 40, 3), noise(8), lambda *stage: heard.append(stage))
    of = heard[0][1]
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == ((0, of), (of, of))
    assert len(set(heard)) > 20


def stop_at(share: float) -> Callable[[int, int], None]:
    def on_stage(done: int, of: int) -> None:
        if done >= share * of:
            raise Stopped

    return on_stage


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 1])
def test_what_is_stopped_leaves_nothing_behind(network: Magenta, scratch: Path, small_bands: None, share: float):
    with pytest.raises(Stopped):
        tiled(network, noise(64, 64, 3), noise(8), stop_at(share))


def test_a_full_disk_is_told_before_the_start(network: Magenta, scratch: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=renderer.disk_bytes(TINY, 64, 64)))
    tiled(network, noise(64, 64, 3), noise(8))
    sentence = r"68 x 64 pixels needs .* GB of disk .* is free: make room, let TMPDIR name another disk"
    with pytest.raises(ImageTooLarge, match=sentence) as caught:
        tiled(network, noise(64, 68, 3), noise(8), stop_at(0))
    assert caught.value.field == "size"


def test_a_disk_that_others_fill_meanwhile(network: Magenta, scratch: Path):
    def fill(done: int, of: int) -> None:
        if done:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ImageTooLarge, match="make room, let TMPDIR"):
        tiled(network, noise(64, 64, 3), noise(8), fill)


def test_it_takes_no_more_disk_than_it_says(network: Magenta, scratch: Path, small_bands: None):
    most = 0

    def on_stage(done: int, of: int) -> None:
        nonlocal most
        most = max(most, sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file()))

    tiled(network, noise(67, 90, 3), noise(8), on_stage)
    assert most == renderer.disk_bytes(TINY, 67, 90)
