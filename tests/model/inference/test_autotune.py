"""Which plan the transformer runs by: tried once, remembered, and never one that changes the picture."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from model import settings
from model.errors import DeviceUnavailable
from model.hardware import precision
from model.imaging import pixel_ops
from model.imaging.pixel_ops import psnr
from model.inference import autotune, folding
from model.inference.autotune import fastest_engine, trial_pictures
from model.inference.engine import FLOAT32_PLAN, Backends, ExecutionPlan, TransformerEngine
from model.inference.folding import StyleNorms
from model.inference.magenta import Magenta, load
from model.inference.winograd.blocks import WinogradBlocks
from model.networks.architecture import SMALL
from model.weights import registry
from tests.structure import module_graph, modules
from tests.support.tiny_weights import TINY, tiny_arrays

WINOGRAD = ExecutionPlan("float32", "winograd", "float32")
NAME = "f" * 64


@pytest.fixture(autouse=True)
def any_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLE_PRECISION", "auto")
    monkeypatch.setattr(autotune, "_candidate_plans", lambda: [WINOGRAD])


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return folding.transformer_arrays(TINY, tiny_arrays())


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> dict[ExecutionPlan, float]:
    """Of a trial; looked up instead of measured."""
    taken = {FLOAT32_PLAN: 2.0, WINOGRAD: 1.0}
    monkeypatch.setattr(autotune, "_best_times", lambda runs: {plan: taken[plan] for plan in runs})
    return taken


def choose(arrays: dict[str, np.ndarray], name: str = NAME) -> ExecutionPlan:
    return fastest_engine(
        TINY, arrays, name, lambda: StyleNorms(TINY, arrays)(np.zeros(TINY.vector_size, "float32"))
    ).plan


def test_the_fastest_is_taken(arrays, seconds):
    assert choose(arrays) == WINOGRAD


def test_a_slower_one_is_not(arrays, seconds):
    seconds[WINOGRAD] = 3.0
    assert choose(arrays) == FLOAT32_PLAN


def test_a_fast_one_with_another_picture_is_not(arrays, seconds, monkeypatch: pytest.MonkeyPatch):
    real = TransformerEngine.run
    spoilt = lambda self, *args: real(self, *args) + (0.01 if self.plan == WINOGRAD else 0)  # noqa: E731 - 40 dB
    monkeypatch.setattr(TransformerEngine, "run", spoilt)
    assert choose(arrays) == FLOAT32_PLAN


def test_it_is_tried_once(arrays, seconds):
    assert choose(arrays) == WINOGRAD
    seconds.clear()
    assert choose(arrays) == WINOGRAD


def test_the_clock_of_the_moment_is_nothing_to_remember(arrays, seconds, tmp_path: Path, monkeypatch):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(precision, "CPUINFO", info)
    for speed in "2596.146", "1200.000":
        info.write_text(f"model name\t: Some\ncpu MHz\t\t: {speed}\nflags\t\t: avx2\n\nmodel name\t: Other\n")
        precision.cpu_info.cache_clear()
        assert choose(arrays) == WINOGRAD
        seconds.clear()
    precision.cpu_info.cache_clear()


def test_ways_take_turns(monkeypatch: pytest.MonkeyPatch):
    """While one is always slow and the machine is busy now and then, the other wins."""
    clock, order = iter([9.0, 9.5, 2.0, 1.0, 9.0, 9.5, 2.0, 9.5, 9.0, 9.5]), []
    monkeypatch.setattr(precision, "measure_seconds", lambda run: (run(), next(clock))[1])
    runs = {plan: partial(order.append, plan) for plan in (FLOAT32_PLAN, WINOGRAD)}
    assert autotune._best_times(runs) == {FLOAT32_PLAN: 2.0, WINOGRAD: 1.0}
    assert order == [FLOAT32_PLAN, WINOGRAD] * autotune.TIMING_ROUNDS


def test_other_weights_are_tried_for_themselves(arrays, seconds):
    choose(arrays)
    seconds[WINOGRAD] = 3.0
    assert choose(arrays, "e" * 64) == FLOAT32_PLAN


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
    assert choose(arrays) == FLOAT32_PLAN


def test_a_precision_that_is_none(arrays, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", "int8")
    with pytest.raises(DeviceUnavailable, match="STYLE_PRECISION must be auto or float32, not 'int8'") as caught:
        choose(arrays)
    assert caught.value.field == "STYLE_PRECISION"


def test_the_real_trial_ends_with_a_faithful_picture(arrays):
    network = Magenta("tiny", TINY, arrays | tiny_arrays())
    vector = np.ones(TINY.vector_size, "float32")
    wanted = TransformerEngine(Backends(TINY, arrays), FLOAT32_PLAN).run(
        trial_pictures()[0], network.norm_params(vector)
    )
    assert network.plan in (FLOAT32_PLAN, WINOGRAD)
    assert psnr(network.render(trial_pictures()[0], vector), wanted) > autotune.MIN_PSNR


def test_a_gpu_and_a_processor_are_offered_other_ways(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(autotune, "device", lambda: "/GPU:0")
    assert {plan.expanding for plan in autotune._candidate_plans()} == {"bfloat16", "float16"}
    monkeypatch.setattr(autotune, "device", lambda: "/CPU:0")
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    assert "winograd" in {plan.blocks for plan in autotune._candidate_plans()}


@pytest.mark.parametrize("is_kept", [True, False])
def test_where_numba_is_broken_pictures_are_painted_all_the_same(arrays, seconds, is_kept: bool, caplog):
    """And once it is mended, the faster plan is found."""
    if is_kept:
        choose(arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "model.inference.winograd.blocks", None)  # as where its import fails
        assert choose(arrays) == FLOAT32_PLAN
    assert "float32-winograd-float32 does not run here" in caplog.text
    assert choose(arrays) == WINOGRAD


def test_without_numba_nothing_is_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setattr(precision, "should_try_bfloat16", lambda: True)
    monkeypatch.setattr(autotune, "find_spec", lambda name: None)
    assert {plan.blocks for plan in autotune._candidate_plans()} == {"float32"}


def test_a_way_that_does_not_run_is_left_out(arrays, seconds, caplog):
    def failing(self, *_):
        raise RuntimeError("no such instruction")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WinogradBlocks, "run", failing)
        assert choose(arrays) == FLOAT32_PLAN
    assert "float32-winograd-float32 does not run here" in caplog.text
    assert choose(arrays) == WINOGRAD  # which is tried again


@pytest.mark.parametrize("number", range(3))
def test_a_picture_that_is_no_number_is_no_pastiche(arrays, seconds, number: int, monkeypatch: pytest.MonkeyPatch):
    """As where a sum was too large for float16."""
    real, busy = TransformerEngine.run, trial_pictures()[number]

    def spoilt(self, content, *args):
        return real(self, content, *args) * (np.nan if self.plan == WINOGRAD and (content == busy).all() else 1)

    monkeypatch.setattr(TransformerEngine, "run", spoilt)
    assert choose(arrays) == FLOAT32_PLAN


@pytest.mark.parametrize("plan", [*autotune._CPU_PLANS, *autotune._CPU_BFLOAT16_PLANS], ids=str)
def test_the_weights_that_ship_look_the_same_in_every_way(plan: ExecutionPlan, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLE_PRECISION", "float32")
    shipped = load(registry.SHIPPED_MAGENTA)
    backends = Backends(SMALL, shipped.arrays)
    style = shipped.norm_params(shipped.embed(data.immunohistochemistry() / np.float32(255)))
    for photo in pixel_ops.resize(data.coffee() / np.float32(255), (150, 226)), *trial_pictures():
        wanted = TransformerEngine(backends, FLOAT32_PLAN).run(photo, style)
        assert psnr(TransformerEngine(backends, plan).run(photo, style), wanted) > autotune.MIN_PSNR


def test_bfloat16_spoils_a_sky_where_it_sees_the_photo(monkeypatch: pytest.MonkeyPatch):
    """Why no plan begins with it: the busy picture alone would let it pass."""
    monkeypatch.setenv("STYLE_PRECISION", "float32")
    shipped = load(registry.SHIPPED_MAGENTA)
    backends = Backends(SMALL, shipped.arrays)
    style = shipped.norm_params(shipped.embed(data.immunohistochemistry() / np.float32(255)))
    tried = TransformerEngine(backends, ExecutionPlan("bfloat16", "winograd", "bfloat16"))
    busy, sky, mist = (
        psnr(tried.run(one, style), TransformerEngine(backends, FLOAT32_PLAN).run(one, style))
        for one in trial_pictures()
    )
    assert busy > autotune.MIN_PSNR > max(sky, mist)


def test_the_cache_key_covers_all_that_the_engine_imports():
    listed = {f"model.inference.{name.replace('/', '.')}" for name in autotune.CACHE_KEY_MODULES}
    graph = module_graph(modules("model/inference"))
    pending, reached = ["model.inference.engine"], set[str]()
    while pending:
        reached.add(module := pending.pop())
        pending += graph[module] - reached
    assert listed == {"model.inference.autotune"} | reached
    assert all((Path(autotune.__file__).parent / f"{name}.py").is_file() for name in autotune.CACHE_KEY_MODULES)
