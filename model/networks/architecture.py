"""Magenta's two networks in Keras: the style predictor and the transformer, their sizes as data.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", BMVC 2017
(https://arxiv.org/abs/1705.06830). Layers carry the names of the published checkpoints with "/" written as "-" (Keras
forbids slashes, and PyTorch dots), so that one name-to-array table serves every set of weights: see `read_arrays` and
`assign_arrays`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Architecture:
    """What distinguishes one set of Magenta weights from another.

    `channels` are the widths of the three contracting layers; `contract_norm` is "batch" where those layers carry a
    batch normalisation instead of a bias.
    """

    predictor: Literal["inception_v3", "mobilenet_v2", "texture"]
    vector_size: int
    channels: tuple[int, int, int]
    residual_blocks: int
    contract_norm: Literal["batch", "bias"] = "bias"


V1_256 = Architecture("inception_v3", 768, (32, 64, 128), 20, "batch")
LITE = Architecture("mobilenet_v2", 100, (8, 16, 32), 5)
SMALL = Architecture("texture", 100, (16, 32, 64), 5)


def normalised_channels(architecture: Architecture) -> int:
    """Of all style normalisations together."""
    return int(norm_slices(architecture)[-1].stop)


def norm_paths(architecture: Architecture) -> list[str]:
    """The style normalisations in the order in which they are met."""
    blocks = range(1, architecture.residual_blocks + 1)
    residual = [f"transformer/residual/residual{block}/conv{n}" for block in blocks for n in (1, 2)]
    return [*residual, *(f"transformer/expand/conv{n}/conv" for n in (1, 2, 3))]


def norm_slices(architecture: Architecture) -> list[slice]:
    """Each one's place among the channels of all of them."""
    first, second, third = architecture.channels
    ends = np.cumsum([*[third] * 2 * architecture.residual_blocks, second, first, 3]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
