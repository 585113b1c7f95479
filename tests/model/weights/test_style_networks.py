"""Files of style networks: what they hold, what is refused, and those that ship."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from model.errors import WeightsBroken
from model.imaging import image_files
from model.inference import magenta
from model.pipelines import gallery
from model.pipelines.recipe_builder import pixels_sha256
from model.weights import registry, style_networks
from model.weights.checksums import file_sha256, recorded_sha256
from model.weights.npz import INT8_MAX
from tests.support.style_networks import BASE_SHA256, network_file, style_network
from tests.support.tiny_weights import TINY

SHIPPED = sorted(path.stem for path in style_networks.SHIPPED_FOLDER.glob("*.npz"))


def entries(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data)) as file:
        return dict(file)


def rewritten(**changes: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{**entries(network_file()), **changes})
    return buffer.getvalue()


def test_what_was_encoded_is_decoded():
    rng = np.random.default_rng(3)
    network = style_network()
    data = style_networks.encode("a name", TINY, BASE_SHA256, network.arrays, network.gamma, network.beta)
    read = style_networks.decode(data)
    assert (read.architecture, read.network.name, read.network.base_sha256) == (TINY, "a name", BASE_SHA256)
    for name, array in network.arrays.items():
        step = np.abs(array).max(tuple(range(array.ndim - 1))) / INT8_MAX if array.ndim > 1 else 1e-3
        assert np.all(np.abs(read.network.arrays[name] - array) <= step)
    assert np.allclose(read.network.gamma, network.gamma, atol=2e-3)
    assert len({style_networks.decode(network_file(int(seed))).network.sha256 for seed in rng.integers(9, 99, 3)}) == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 nothing", id="no archive"),
        pytest.param(network_file()[:-200], id="cut short"),
        pytest.param(rewritten(about=np.array("{}")), id="about nothing"),
        pytest.param(rewritten(about=np.array("[1, 2")), id="no JSON"),
        pytest.param(rewritten(gamma=np.ones(3, "float16")), id="gammas of another size"),
        pytest.param(rewritten(beta=np.full(99, np.nan, "float16")), id="not finite"),
        pytest.param(rewritten(more=np.ones(3, "float16")), id="an array too many"),
        pytest.param(bytes(style_networks.MAX_NETWORK_BYTES + 1), id="too large"),
    ],
)
def test_anything_else_is_refused_in_words(data: bytes):
    with pytest.raises(WeightsBroken, match="damaged") as caught:
        style_networks.decode(data)
    assert caught.value.field == "style"


def test_nothing_is_unpickled():
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array([{"name": "x"}], dtype=object))
    with pytest.raises(WeightsBroken):
        style_networks.decode(buffer.getvalue())


def test_a_painting_of_no_gallery_has_none():
    assert style_networks.for_painting("0" * 64, "0" * 64) is None
    assert style_networks.find_shipped("0" * 64) is None


def test_every_style_of_the_gallery_has_its_network():
    listed = {style["id"] for style in json.loads(gallery.INDEX.read_text("utf-8"))}
    assert set(SHIPPED) == listed


@pytest.mark.parametrize("name", SHIPPED)
def test_networks_that_ship_belong_to_their_painting_and_to_the_weights_that_ship(name: str):
    path = style_networks.SHIPPED_FOLDER / f"{name}.npz"
    assert recorded_sha256(path) == file_sha256(path)
    painting = image_files.read(gallery.painting_path(name)).rgb
    network = style_networks.decode(path.read_bytes()).network
    assert network.name == name
    assert network.sha256 == file_sha256(path)
    assert style_networks.for_painting(pixels_sha256(painting), network.base_sha256) == path.read_bytes()
    assert style_networks.for_painting(pixels_sha256(painting), "0" * 64) is None
    assert style_networks.find_shipped(network.sha256) == path.read_bytes()
    assert network.base_sha256 == magenta.load(registry.SHIPPED_MAGENTA).sha256


def test_networks_that_ship_take_ten_megabytes_at_most():
    assert sum(path.stat().st_size for path in style_networks.SHIPPED_FOLDER.iterdir()) < 10_000_000
