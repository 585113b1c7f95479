"""Which way the transformer runs: tried once, remembered, and never one that changes the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from model import engine, images, kernels, settings, weights
from model.engine import PLAIN, Engine, Way, fastest, psnr, trial_picture
from model.errors import DeviceUnavailable
from model.kernels import StyleNorms
from model.magenta import Magenta, load
from model.networks import SMALL
from tests.model.tiny import TINY, tiny_arrays

WINOGRAD = Way("float32", "winograd", "float32")
NAME = "f" * 64


@pytest.fixture(autouse=True)
def any_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLE_PRECISION", "auto")
    monkeypatch.setattr(engine, "_others", lambda: [WINOGRAD])


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return kernels.fitted(TINY, tiny_arrays())


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[Way, float]:
    """Of a trial; looked up instead of measured."""
    taken = {PLAIN: 2.0, WINOGRAD: 1.0}
    monkeypatch.setattr(engine, "_seconds", lambda one, picture, style: taken[one.way])
    return taken


def choose(arrays: dict[str, np.ndarray], name: str = NAME) -> Way:
    return fastest(TINY, arrays, name, lambda: StyleNorms(TINY, arrays)(np.zeros(TINY.vector_size, "float32"))).way


def test_the_fastest_is_taken(arrays, seconds):
    assert choose(arrays) == WINOGRAD


def test_a_slower_one_is_not(arrays, seconds):
    seconds[WINOGRAD] = 3.0
    assert choose(arrays) == PLAIN


def test_a_fast_one_with_another_picture_is_not(arrays, seconds, monkeypatch: pytest.MonkeyPatch):
    real = Engine.run
    spoilt = lambda self, *args: real(self, *args) + (0.01 if self.way == WINOGRAD else 0)  # noqa: E731 - 40 dB
    monkeypatch.setattr(Engine, "run", spoilt)
    assert choose(arrays) == PLAIN


def test_it_is_tried_once(arrays, seconds):
    assert choose(arrays) == WINOGRAD
    seconds.clear()
    assert choose(arrays) == WINOGRAD


def test_other_weights_are_tried_for_themselves(arrays, seconds):
    choose(arrays)
    seconds[WINOGRAD] = 3.0
    assert choose(arrays, "e" * 64) == PLAIN


@pytest.mark.parametrize("kept", ["", "[]", "null", '["float32"]', '["int4", "int4", "int4"]', '{"a": 1}'])
def test_a_spoilt_memory_is_none(arrays, seconds, kept: str):
    choose(arrays)
    (file,) = (settings.cache_dir() / "ways").iterdir()
    file.write_text(kept)
    assert choose(arrays) == WINOGRAD
    assert json.loads(file.read_text()) == list(WINOGRAD)


def test_where_nothing_can_be_kept_it_is_tried_anew(arrays, seconds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STYLE_CACHE_DIR", str(tmp_path / "file"))
    assert choose(arrays) == WINOGRAD


def test_float32_is_asked_for(arrays, seconds, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", " Float32 ")
    assert choose(arrays) == PLAIN


def test_a_precision_that_is_none(arrays, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", "int8")
    with pytest.raises(DeviceUnavailable, match="STYLE_PRECISION must be auto or float32, not 'int8'") as caught:
        choose(arrays)
    assert caught.value.field == "STYLE_PRECISION"


def test_the_real_trial_ends_with_a_faithful_picture(arrays):
    network = Magenta("tiny", TINY, arrays | tiny_arrays())
    vector = np.ones(TINY.vector_size, "float32")
    wanted = Engine(TINY, arrays, PLAIN).run(trial_picture(), network.norms(vector))
    assert network.way in (PLAIN, WINOGRAD)
    assert psnr(network.render(trial_picture(), vector), wanted) > engine.FAITHFUL


def test_a_gpu_and_a_processor_are_offered_other_ways(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(engine, "device", lambda: "/GPU:0")
    assert {way.blocks for way in engine._others()} == {"bfloat16", "float16"}
    monkeypatch.setattr(engine, "device", lambda: "/CPU:0")
    monkeypatch.setattr(engine.precision, "may_pay", lambda: True)
    assert "winograd" in {way.blocks for way in engine._others()}
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert {way.blocks for way in engine._others()} == {"bfloat16"}


def test_the_weights_that_ship_look_the_same_in_every_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", "float32")
    shipped = load(weights.SHIPPED)
    monkeypatch.undo()
    photo = images.resize(data.coffee() / np.float32(255), (150, 226))
    style = shipped.norms(shipped.embed(data.immunohistochemistry() / np.float32(255)))
    wanted = Engine(SMALL, shipped.arrays, PLAIN).run(photo, style)
    for way in engine._others():
        assert psnr(Engine(SMALL, shipped.arrays, way).run(photo, style), wanted) > engine.FAITHFUL, way
