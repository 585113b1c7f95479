"""Imported networks as they run."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from model.errors import ImageTooLarge
from model.hardware import memory
from model.inference import johnson
from model.networks.johnson import build_johnson
from model.networks.layers import assign_arrays
from model.weights.johnson_files import decode
from tests.support.arrays import noise
from tests.support.torch_files import imported_style

NETWORK = decode(imported_style().network)


def test_it_paints_as_the_keras_model():
    content = noise(40, 48, 3) % 1
    model = build_johnson(NETWORK.architecture)
    assign_arrays(model, NETWORK.arrays)
    expected = keras.ops.convert_to_numpy(model(content[None], training=False))[0]
    pastiche = johnson.render(NETWORK, content)
    assert pastiche.dtype == np.float32
    assert np.abs(pastiche - expected).max() < 1e-4
    assert pastiche.std() > 0.02


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (33, 47), (37, 5)])
def test_every_size_is_kept(size: tuple[int, int]):
    pastiche = johnson.render(NETWORK, noise(*size, 3) % 1)
    assert pastiche.shape == (*size, 3)
    assert 0 <= pastiche.min() <= pastiche.max() <= 1


def test_a_small_photo_is_painted_as_if_it_went_on():
    content = noise(10, 40, 3) % 1
    continued = np.pad(content, [(0, 22), (0, 0), (0, 0)], mode="edge")
    assert np.array_equal(johnson.render(NETWORK, content), johnson.render(NETWORK, continued)[:10])


def test_a_photo_of_one_colour():
    flat = np.full((40, 40, 3), 0.5, "float32")
    assert np.abs(johnson.render(NETWORK, flat) - johnson.flat_color(NETWORK)).max() < 0.01
    assert np.array_equal(johnson.flat_color(NETWORK), np.clip(johnson.flat_color(NETWORK), 0, 1))


def test_what_memory_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 40 * 40 * johnson.JOHNSON_BYTES_PER_PIXEL - 1)
    with pytest.raises(ImageTooLarge, match="ask for a smaller size") as caught:
        johnson.render(NETWORK, noise(40, 40, 3))
    assert caught.value.field == "size"


def test_it_tells_when_it_begins_and_ends():
    stages: list[tuple[int, int]] = []
    johnson.render(NETWORK, noise(32, 32, 3) % 1, lambda done, of: stages.append((done, of)))
    assert stages == [(0, 1), (1, 1)]


def test_a_network_is_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    johnson.render(NETWORK, noise(32, 32, 3) % 1)
    monkeypatch.setattr(johnson, "build_johnson", lambda architecture: pytest.fail("compiled again"))
    decode.cache_clear()
    johnson.render(decode(imported_style().network), noise(32, 36, 3) % 1)
