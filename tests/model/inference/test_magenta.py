"""One set of Magenta weights in memory: vectors, pastiches, and what is remembered."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from model.errors import DeviceUnavailable, ImageTooLarge, WeightsBroken
from model.hardware import memory
from model.inference import magenta
from model.inference.magenta import Magenta, load, predictor_input
from model.networks.architecture import Architecture
from model.networks.layers import assign_arrays
from model.networks.transformer import build_transformer
from model.weights import npz
from tests.support.arrays import noise
from tests.support.tiny_weights import TINY, tiny_arrays, write_tiny

THREADS = 8


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return tiny_arrays()


@pytest.fixture(scope="module")
def network(arrays: dict[str, np.ndarray]) -> Magenta:
    return Magenta("tiny", TINY, arrays)


@pytest.fixture
def fresh(arrays: dict[str, np.ndarray]) -> Magenta:
    """One that has seen nothing yet."""
    return Magenta("fresh", TINY, arrays)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every weights file that is read."""
    read: list[Path] = []
    real = npz.read_weights
    monkeypatch.setattr(magenta, "read_weights", lambda path: read.append(Path(path)) or real(path))
    return read


def at_once(work: Callable[[int], np.ndarray]) -> list[np.ndarray]:
    """What `work` gives each of the threads, all started together."""
    start = threading.Barrier(THREADS)

    def wait_and_work(index: int) -> np.ndarray:
        start.wait(timeout=30)
        return work(index)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(wait_and_work, range(THREADS)))


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (31, 33), (64, 64), (65, 70)])
def test_a_pastiche_is_as_large_as_its_photo(network: Magenta, size: tuple[int, int]):
    pastiche = network.render(noise(*size, 3), noise(8))
    assert (pastiche.shape, pastiche.dtype) == ((*size, 3), np.float32)
    assert 0 <= pastiche.min() <= pastiche.max() <= 1


def test_a_style_s_vector(network: Magenta):
    vector = network.embed(noise(40, 50, 3))
    assert (vector.shape, vector.dtype) == ((8,), np.float32)
    assert np.isfinite(vector).all()


def test_the_same_picture_is_predicted_once(fresh: Magenta):
    first = fresh.embed(noise(40, 50, 3))
    assert fresh.embed(noise(40, 50, 3)) is first
    assert fresh.predictor_runs == 1
    fresh.embed(noise(40, 50, 3, seed=1))
    assert fresh.predictor_runs == 2


def test_a_picture_and_its_turned_self_are_two(fresh: Magenta):
    """Of one colour, so that their bytes are the same."""
    grey = np.full((300, 256, 3), 0.5, "float32")
    fresh.embed(grey)
    fresh.embed(grey.reshape(256, 300, 3))
    assert fresh.predictor_runs == 2


def test_a_remembered_vector_cannot_be_spoilt(network: Magenta):
    with pytest.raises(ValueError, match="read-only"):
        network.embed(noise(40, 50, 3))[0] = 0


def test_the_vectors_used_last_are_kept(fresh: Magenta, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(magenta, "CACHE_SIZE", 2)
    for seed in (1, 2, 1, 3, 1):  # 3 takes the place of 2
        fresh.embed(noise(40, 50, 3, seed=seed))
    assert fresh.predictor_runs == 3
    fresh.embed(noise(40, 50, 3, seed=2))
    assert fresh.predictor_runs == 4


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((256, 256), (256, 256)),
        ((512, 1024), (256, 512)),
        ((30, 20), (384, 256)),
        ((1, 1), (256, 256)),
        ((10, 1000), (256, 1024)),
        ((1000, 10), (1024, 256)),
    ],
)
def test_the_predictor_sees_a_painting_in_its_proportions(size: tuple[int, int], seen: tuple[int, int]):
    assert predictor_input(noise(*size, 3)).shape == (*seen, 3)


def test_of_a_scroll_the_middle_is_seen():
    scroll = np.zeros((10, 1000, 3), "float32")
    scroll[:, 480:520] = 1  # the predictor sees forty of the thousand columns
    assert predictor_input(scroll).min() > 0.99


def test_weights_are_known_by_their_numbers_alone(network: Magenta, arrays: dict[str, np.ndarray]):
    halves = {name: array.astype("float16") for name, array in arrays.items()}
    wide = {name: half.astype("float64") for name, half in reversed(halves.items())}
    assert Magenta("halves", TINY, halves).sha256 == Magenta("wide", TINY, wide).sha256
    assert Magenta("halves", TINY, halves).sha256 != network.sha256


def test_weights_that_do_not_fit(arrays: dict[str, np.ndarray]):
    name = "transformer/contract/conv2/weights"
    for wrong in (arrays | {name: np.zeros(3)}, {n: a for n, a in arrays.items() if n != name}):
        with pytest.raises(WeightsBroken, match=rf"'odd' do not fit their network: .*{name}") as caught:
            Magenta("odd", TINY, wrong)
        assert caught.value.field == "model_path"


def test_a_network_that_is_not_known():
    with pytest.raises(WeightsBroken, match="'odd' do not fit their network"):
        Magenta("odd", Architecture("vision_transformer", 8, (4, 6, 8), 1), {})


def test_a_file_is_loaded_once_and_again_when_it_changes(tmp_path: Path, readings: list[Path]):
    path = write_tiny(tmp_path / "mine.npz")
    first = load(path)
    assert first.name == "mine"
    assert load(str(path)) is first
    write_tiny(path, seed=1)
    os.utime(path, (1, 1))
    assert load(path).sha256 != first.sha256
    assert readings == [path, path]


def test_threads_that_start_cold_load_once(tmp_path: Path, readings: list[Path]):
    path = write_tiny(tmp_path / "cold.npz")
    content, style = noise(40, 52, 3), noise(64, 48, 3)

    def whole(_: int) -> np.ndarray:
        network = load(path)
        return network.render(content, network.embed(style))

    pastiches = at_once(whole)
    assert readings == [path]
    assert all(np.array_equal(pastiche, whole(0)) for pastiche in pastiches)


def test_threads_paint_what_one_after_the_other_would(network: Magenta):
    def one(index: int) -> np.ndarray:
        return network.render(noise(33 + index, 70 - index, 3, seed=index), network.embed(noise(50, 40, 3, seed=index)))

    alone = [one(index) for index in range(THREADS)]
    assert all(np.array_equal(*pair) for pair in zip(at_once(one), alone, strict=True))


def test_a_result_beyond_memory_is_refused(network: Magenta, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 64 * 64 * memory.BYTES_PER_PIXEL)
    vector = np.zeros(TINY.vector_size, "float32")
    assert network.render(np.zeros((64, 64, 3), "float32"), vector).shape == (64, 64, 3)
    with pytest.raises(ImageTooLarge, match=r"65 x 64 pixels needs .* ask for a smaller size") as caught:
        network.render(np.zeros((64, 65, 3), "float32"), vector)
    assert caught.value.field == "size"


def test_a_keras_set_up_for_other_work_is_named(arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keras.backend, "floatx", lambda: "float16")
    with pytest.raises(DeviceUnavailable, match="Keras is set to tensorflow, float16, channels_last"):
        Magenta("odd", TINY, arrays)


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (0.2, 0.5, 0.7)])
def test_a_photo_of_one_colour_becomes_one_colour(network: Magenta, arrays: dict[str, np.ndarray], colour: tuple):
    transformer = build_transformer(TINY)
    assign_arrays(transformer, arrays)
    photo, vector = np.full((1, 40, 48, 3), colour, "float32"), noise(TINY.vector_size)
    wanted = transformer([photo, vector[None]], training=False)[0].numpy()
    assert np.abs(network.flat_color(vector) - wanted).max() < 0.01


def test_too_little_memory_for_numpy(network: Magenta, monkeypatch: pytest.MonkeyPatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(network, "_engine", SimpleNamespace(run=fail))
    with pytest.raises(ImageTooLarge, match="does not fit into memory"):
        network.render(noise(40, 40, 3), noise(TINY.vector_size))
