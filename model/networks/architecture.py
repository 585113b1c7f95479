"""The sizes of Magenta's two networks, the style predictor and the transformer, as plain data: no Keras here.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", BMVC 2017
(https://arxiv.org/abs/1705.06830).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

EPSILON = 1e-5  # of the style normalisations in the published graphs, and of our own networks
STYLE_PARAMS = "style_params/"  # the names of the maps from style vectors to normalisations begin with it
BATCH_EPSILON = 1e-3  # of the batch normalisations in the published graphs


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
    """Return the number of channels of all style normalisations together."""
    return int(norm_slices(architecture)[-1].stop)


def norm_paths(architecture: Architecture) -> list[str]:
    """Return the checkpoint paths of the style normalisations, in the order in which they run."""
    blocks = range(1, architecture.residual_blocks + 1)
    residual = [f"transformer/residual/residual{block}/conv{n}" for block in blocks for n in (1, 2)]
    return [*residual, *(f"transformer/expand/conv{n}/conv" for n in (1, 2, 3))]


def norm_slices(architecture: Architecture) -> list[slice]:
    """Return the place of each style normalisation among the channels of all of them."""
    first, second, third = architecture.channels
    ends = np.cumsum([*[third] * 2 * architecture.residual_blocks, second, first, 3]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def transformer_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of the transformer, by name."""
    first, second, third = architecture.channels
    sides = {
        "contract/conv1": (9, 3, first),
        "contract/conv2": (3, first, second),
        "contract/conv3": (3, second, third),
    }
    sides |= {path.removeprefix("transformer/"): (3, third, third) for path in norm_paths(architecture)[:-3]}
    sides |= {"expand/conv1/conv": (3, third, second), "expand/conv2/conv": (3, second, first)}
    sides |= {"expand/conv3/conv": (9, first, 3)}
    shapes: dict[str, tuple[int, ...]] = {}
    for path, (side, inputs, outputs) in sides.items():
        shapes[f"transformer/{path}/weights"] = (side, side, inputs, outputs)
        params = f"style_params/transformer/{path}/StyleNorm"
        if not path.startswith("contract"):
            shapes |= {f"{params}/{part}/weights": (architecture.vector_size, outputs) for part in ("Conv", "Conv_1")}
            shapes |= {f"{params}/{part}/biases": (outputs,) for part in ("Conv", "Conv_1")}
        elif architecture.contract_norm == "bias":
            shapes[f"transformer/{path}/biases"] = (outputs,)
        else:
            names = "beta", "moving_mean", "moving_variance"
            shapes |= {f"transformer/{path}/BatchNorm/{name}": (outputs,) for name in names}
    return shapes
