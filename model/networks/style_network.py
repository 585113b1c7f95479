"""Networks of single styles: the transformer's own kernels and normalisations, trained for one painting.

Each begins as the arbitrary network, so that their arrays can be mixed: any weighted mean of them paints well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from model.networks.architecture import Architecture, norm_paths, norm_slices

Arrays: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class StyleNetwork:
    """A transformer for one style.

    arrays: kernels and the contracting layers' biases by checkpoint name. gamma, beta: (C,) float32, of all
    normalisations one after another. base_sha256: of the arbitrary network that it was trained from.
    """

    name: str
    sha256: str
    base_sha256: str
    arrays: Arrays
    gamma: np.ndarray
    beta: np.ndarray


StyleMixture: TypeAlias = Sequence[
    tuple[StyleNetwork, float]
]  # networks with their shares; the rest is the arbitrary one


def mix_arrays(architecture: Architecture, arrays: Arrays, mixture: StyleMixture) -> dict[str, np.ndarray]:
    """Return the transformer's arrays for a mixture of the arbitrary network, whose they are, and networks of styles.

    A normalisation stays linear in the style vector; what the networks of styles add to it is in its biases.
    """
    rest = np.float32(1 - sum(share for _, share in mixture))
    mixed: dict[str, np.ndarray] = {name: rest * array for name, array in arrays.items()}
    for network, share in mixture:
        for name, array in {**network.arrays, **_norm_biases(architecture, network)}.items():
            mixed[name] = mixed[name] + np.float32(share) * array
    return mixed


def _norm_biases(architecture: Architecture, network: StyleNetwork) -> dict[str, np.ndarray]:
    """Name a network's gammas and betas as the biases of the maps from style vectors."""
    places = list(zip(norm_paths(architecture), norm_slices(architecture), strict=True))
    parts = {"Conv": network.beta, "Conv_1": network.gamma}
    return {
        f"style_params/{path}/StyleNorm/{part}/biases": values[place]
        for part, values in parts.items()
        for path, place in places
    }
