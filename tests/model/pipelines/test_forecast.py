"""Forecasts of time, memory and disk."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from model.errors import InvalidOption
from model.hardware import memory
from model.inference.tiling import renderer
from model.options import StylizeOptions
from model.pipelines import forecast as module
from model.pipelines.coarse_to_fine import painted_pixels
from model.pipelines.forecast import estimate
from tests.support.tiny_weights import TINY, write_tiny


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.npz")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORECAST_TRIAL_SIDE", 48)
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    module.seconds_per_pixel.cache_clear()


def test_of_a_small_picture(path: Path):
    found = estimate(800, 600, StylizeOptions(), model_path=path)
    assert (found.width, found.height, found.tiled, found.disk) == (800, 600, False, 0)
    assert found.memory == module.BASE_BYTES + 800 * 600 * memory.BYTES_PER_PIXEL
    assert found.seconds > 0


def test_of_a_large_one(path: Path):
    found = estimate(400, 300, StylizeOptions(size=12_000), model_path=path)
    assert (found.width, found.height, found.tiled) == (12_000, 9000, True)
    assert found.disk > renderer.disk_bytes(TINY, 9000, 12_000)
    assert found.memory < 2e9
    larger = estimate(400, 300, StylizeOptions(size=16_000), model_path=path)
    painted = painted_pixels(12_000, 16_000) / painted_pixels(9000, 12_000)
    assert larger.seconds == pytest.approx(found.seconds * painted)


def test_of_a_print(path: Path):
    found = estimate(4000, 3000, StylizeOptions(print="60x40cm", dpi=300), model_path=path)
    assert (found.width, found.height) == (6299, 4724)


@pytest.mark.parametrize(("wish", "tiled"), [("always", True), ("auto", False), ("never", False)])
def test_as_it_is_wished(path: Path, wish: str, tiled: bool):
    assert estimate(800, 600, StylizeOptions(tiles=wish), model_path=path).tiled is tiled


def test_a_very_small_picture_is_never_in_pieces(path: Path):
    assert not estimate(31, 600, StylizeOptions(tiles="always"), model_path=path).tiled


def test_in_pieces_where_memory_is_tight(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 100_000_000)
    assert estimate(800, 600, StylizeOptions(), model_path=path).tiled
    assert not estimate(80, 60, StylizeOptions(), model_path=path).tiled


def test_each_mask_is_painted_by_itself(path: Path):
    one, three = (estimate(800, 600, StylizeOptions(), masks, path).seconds for masks in (1, 3))
    assert three == pytest.approx(3 * one)


def test_the_trial_is_made_once(path: Path, monkeypatch: pytest.MonkeyPatch):
    first = estimate(800, 600, StylizeOptions(), model_path=path)
    clock = SimpleNamespace(perf_counter=lambda: pytest.fail("it measures again"))
    monkeypatch.setattr(module, "time", clock)  # not the clock of the whole process
    assert estimate(800, 600, StylizeOptions(), model_path=path) == first


def test_a_result_beyond_the_limit():
    with pytest.raises(InvalidOption, match=r"would have 268.* million pixels"):
        estimate(16_384, 16_384, StylizeOptions(size=16_384))
