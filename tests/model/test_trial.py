"""Which way the transformer runs: tried once, remembered, and never one that changes the picture."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from model import images, kernels, precision, settings, trial, weights
from model.engine import PLAIN, Engine, Parts, Way
from model.errors import DeviceUnavailable
from model.kernels import StyleNorms
from model.likeness import psnr
from model.magenta import Magenta, load
from model.networks import SMALL
from model.tower import Tower
from model.trial import fastest, trial_pictures
from tests.model.tiny import TINY, tiny_arrays

WINOGRAD = Way("float32", "winograd", "float32")
NAME = "f" * 64


@pytest.fixture(autouse=True)
def any_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLE_PRECISION", "auto")
    monkeypatch.setattr(trial, "_others", lambda: [WINOGRAD])


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return kernels.fitted(TINY, tiny_arrays())


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[Way, float]:
    """Of a trial; looked up instead of measured."""
    taken = {PLAIN: 2.0, WINOGRAD: 1.0}
    monkeypatch.setattr(trial, "_seconds", lambda runs: {way: taken[way] for way in runs})
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


def test_the_clock_of_the_moment_is_nothing_to_remember(arrays, seconds, tmp_path: Path, monkeypatch):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(precision, "CPUINFO", info)
    for speed in "2596.146", "1200.000":
        info.write_text(f"model name\t: Some\ncpu MHz\t\t: {speed}\nflags\t\t: avx2\n\nmodel name\t: Other\n")
        precision.processor.cache_clear()
        assert choose(arrays) == WINOGRAD
        seconds.clear()
    precision.processor.cache_clear()


def test_ways_take_turns(monkeypatch: pytest.MonkeyPatch):
    """While one is always slow and the machine is busy now and then, the other wins."""
    clock, order = iter([9.0, 9.5, 2.0, 1.0, 9.0, 9.5, 2.0, 9.5, 9.0, 9.5]), []
    monkeypatch.setattr(precision, "seconds", lambda run: (run(), next(clock))[1])
    runs = {way: partial(order.append, way) for way in (PLAIN, WINOGRAD)}
    assert trial._seconds(runs) == {PLAIN: 2.0, WINOGRAD: 1.0}
    assert order == [PLAIN, WINOGRAD] * trial.ROUNDS


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
    wanted = Engine(Parts(TINY, arrays), PLAIN).run(trial_pictures()[0], network.norms(vector))
    assert network.way in (PLAIN, WINOGRAD)
    assert psnr(network.render(trial_pictures()[0], vector), wanted) > trial.FAITHFUL


def test_a_gpu_and_a_processor_are_offered_other_ways(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(trial, "device", lambda: "/GPU:0")
    assert {way.expanding for way in trial._others()} == {"bfloat16", "float16"}
    monkeypatch.setattr(trial, "device", lambda: "/CPU:0")
    monkeypatch.setattr(precision, "may_pay", lambda: True)
    assert "winograd" in {way.blocks for way in trial._others()}


@pytest.mark.parametrize("is_kept", [True, False])
def test_where_numba_is_broken_pictures_are_painted_all_the_same(arrays, seconds, is_kept: bool, caplog):
    """And once it is mended, the faster way is found."""
    if is_kept:
        choose(arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "model.tower", None)  # as where its import fails
        assert choose(arrays) == PLAIN
    assert "float32-winograd-float32 does not run here" in caplog.text
    assert choose(arrays) == WINOGRAD


def test_without_numba_nothing_is_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(precision, "may_pay", lambda: True)
    monkeypatch.setattr(trial, "find_spec", lambda name: None)
    assert {way.blocks for way in trial._others()} == {"float32"}


def test_a_way_that_does_not_run_is_left_out(arrays, seconds, caplog):
    def failing(self, *_):
        raise RuntimeError("no such instruction")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tower, "through", failing)
        assert choose(arrays) == PLAIN
    assert "float32-winograd-float32 does not run here" in caplog.text
    assert choose(arrays) == WINOGRAD  # which is tried again


@pytest.mark.parametrize("number", range(3))
def test_a_picture_that_is_no_number_is_no_pastiche(arrays, seconds, number: int, monkeypatch: pytest.MonkeyPatch):
    """As where a sum was too large for float16."""
    real, busy = Engine.run, trial_pictures()[number]

    def spoilt(self, content, *args):
        return real(self, content, *args) * (np.nan if self.way == WINOGRAD and (content == busy).all() else 1)

    monkeypatch.setattr(Engine, "run", spoilt)
    assert choose(arrays) == PLAIN


@pytest.mark.parametrize("way", [*trial._ON_PROCESSORS, *trial._WITH_BFLOAT16], ids=str)
def test_the_weights_that_ship_look_the_same_in_every_way(way: Way, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", "float32")
    shipped = load(weights.SHIPPED)
    parts = Parts(SMALL, shipped.arrays)
    style = shipped.norms(shipped.embed(data.immunohistochemistry() / np.float32(255)))
    for photo in images.resize(data.coffee() / np.float32(255), (150, 226)), *trial_pictures():
        wanted = Engine(parts, PLAIN).run(photo, style)
        assert psnr(Engine(parts, way).run(photo, style), wanted) > trial.FAITHFUL


def test_bfloat16_spoils_a_sky_where_it_sees_the_photo(monkeypatch: pytest.MonkeyPatch):
    """Why no way begins with it: the busy picture alone would let it pass."""
    monkeypatch.setenv("STYLE_PRECISION", "float32")
    shipped = load(weights.SHIPPED)
    parts = Parts(SMALL, shipped.arrays)
    style = shipped.norms(shipped.embed(data.immunohistochemistry() / np.float32(255)))
    tried = Engine(parts, Way("bfloat16", "winograd", "bfloat16"))
    busy, sky, mist = (psnr(tried.run(one, style), Engine(parts, PLAIN).run(one, style)) for one in trial_pictures())
    assert busy > trial.FAITHFUL > max(sky, mist)
