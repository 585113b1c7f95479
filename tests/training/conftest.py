"""Small pictures, judges that have seen nothing, and the training commands with tiny networks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from tests.support.tiny_weights import TINY, tiny_arrays
from tests.support.training_runs import SIDE, Command
from training import distill, sharpen, vgg16


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a script as the shell would, with tiny networks and small crops."""
    for module in (distill, sharpen):
        monkeypatch.setattr(module, "SMALL", TINY)
        monkeypatch.setattr(module, "SAMPLES", 2)
    for name, pixels in (("WINDOW", SIDE), ("STYLE_SIDE", SIDE)):
        monkeypatch.setattr(sharpen, name, pixels)
    monkeypatch.setattr(distill, "LITE", TINY)
    monkeypatch.setattr(distill, "CROP", SIDE)
    monkeypatch.setattr(sharpen, "STYLE_CROP", SIDE)

    def run(main: Callable[[], None], *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
        main()

    return run


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of two photos and two paintings."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name, width in [("content/a", 96), ("content/b", 80), ("style/a", 70), ("style/b", 100)]:
        path = folder / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (72, width, 3), "uint8")).save(path)
    return folder


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    for network in ("predictor", "transformer"):
        np.savez(folder / f"magenta_lite_{network}.npz", **tiny_arrays(seed=1))
    return folder


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG19 that has seen nothing."""
    path = tmp_path_factory.mktemp("vgg") / "random.weights.h5"
    keras.utils.set_random_seed(0)
    keras.applications.VGG19(include_top=False, weights=None).save_weights(path)
    return path


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A student's predictor and transformer, as two distillations leave them."""
    folder = tmp_path_factory.mktemp("start")
    parts = {name: {} for name in ("predictor", "transformer")}
    for name, array in tiny_arrays().items():
        parts["predictor" if name.startswith("texture/") else "transformer"][name] = array
    for part, some in parts.items():
        np.savez(folder / f"{part}.npz", **some)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def vgg16_arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16 and LPIPS's linear layers that have seen nothing, of the published shapes."""
    rng, arrays = np.random.default_rng(0), {}
    channels = [
        3,
        *(width for width, count in zip((64, 128, 256, 512, 512), vgg16.BLOCKS, strict=True) for _ in range(count)),
    ]
    names = [f"block{block}_conv{c}" for block, count in enumerate(vgg16.BLOCKS, 1) for c in range(1, count + 1)]
    for name, before, after in zip(names, channels, channels[1:], strict=False):
        arrays[f"{name}/kernel"] = rng.normal(0, np.sqrt(2 / (9 * before)), (3, 3, before, after)).astype("float16")
        arrays[f"{name}/bias"] = np.zeros(after, "float32")
    for index, name in enumerate(vgg16.LPIPS_LAYERS):
        arrays[f"lpips/lin{index}"] = np.ones(arrays[f"{name}/bias"].shape, "float32")
    path = tmp_path_factory.mktemp("vgg16") / "random.npz"
    np.savez(path, **arrays)
    return path
