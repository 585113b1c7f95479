"""Networks of styles for tests: random ones, and the files that hold them."""

from __future__ import annotations

import numpy as np

from model.networks.architecture import STYLE_PARAMS, Architecture, normalised_channels, transformer_shapes
from model.networks.style_network import StyleNetwork
from model.weights import style_networks
from tests.support.tiny_architecture import TINY

BASE_SHA256 = "0" * 64


def network_file(seed: int = 0, base_sha256: str = BASE_SHA256, architecture: Architecture = TINY) -> bytes:
    rng = np.random.default_rng(seed)
    shapes = {n: s for n, s in transformer_shapes(architecture).items() if not n.startswith(STYLE_PARAMS)}
    arrays = {name: rng.normal(0, 0.2, shape).astype("float32") for name, shape in shapes.items()}
    channels = normalised_channels(architecture)
    gamma, beta = rng.normal(1, 0.1, channels), rng.normal(0, 0.1, channels)
    return style_networks.encode(f"style {seed}", architecture, base_sha256, arrays, gamma, beta)


def style_network(seed: int = 0, base_sha256: str = BASE_SHA256) -> StyleNetwork:
    return style_networks.decode(network_file(seed, base_sha256)).network
