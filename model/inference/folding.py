"""The transformer's arrays as plain convolutions and scales: batch norms and upsampling are folded into kernels."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from model.networks.architecture import BATCH_EPSILON, Architecture, norm_paths, norm_slices, transformer_shapes
from model.networks.style_network import Arrays

NormParams: TypeAlias = tuple[np.ndarray, np.ndarray]  # gamma and beta, (channels,) float32 each


def transformer_arrays(architecture: Architecture, arrays: Arrays) -> dict[str, np.ndarray]:
    """Select the transformer's arrays, as float32, 1x1 convolutions over a vector as matrices.

    Raises KeyError for a name that is missing and ValueError for a wrong shape.
    """
    shapes = transformer_shapes(architecture)
    selected = {name: np.asarray(arrays[name], "float32") for name in shapes}
    selected = {name: a.reshape(a.shape[2:]) if a.shape[:2] == (1, 1) else a for name, a in selected.items()}
    for name, shape in shapes.items():
        if selected[name].shape != shape:
            raise ValueError(f"{name}: shape {selected[name].shape}, but {shape} was expected")
    return selected


def contracting_layers(architecture: Architecture, arrays: Arrays) -> list[np.ndarray]:
    """Return kernel and bias of each contracting layer, batch normalisation folded into both."""
    return [part for number in (1, 2, 3) for part in _contracting_layer(architecture, arrays, number)]


def _contracting_layer(architecture: Architecture, arrays: Arrays, number: int) -> tuple[np.ndarray, np.ndarray]:
    path = f"transformer/contract/conv{number}"
    kernel = arrays[f"{path}/weights"]
    if architecture.contract_norm == "bias":
        return kernel, arrays[f"{path}/biases"]
    names = "beta", "moving_mean", "moving_variance"
    beta, mean, variance = (arrays[f"{path}/BatchNorm/{name}"] for name in names)
    scale = 1 / np.sqrt(variance + np.float32(BATCH_EPSILON))
    return kernel * scale, beta - mean * scale


def residual_kernels(architecture: Architecture, arrays: Arrays) -> list[np.ndarray]:
    """Return the kernels (3, 3, C, C) of the residual blocks, two for each."""
    blocks = range(1, architecture.residual_blocks + 1)
    return [arrays[f"transformer/residual/residual{block}/conv{n}/weights"] for block in blocks for n in (1, 2)]


def upsample_kernels(arrays: Arrays) -> list[np.ndarray]:
    """Return the kernels of the two layers that upsample their input first."""
    return [arrays[f"transformer/expand/conv{number}/conv/weights"] for number in (1, 2)]


def output_kernel(arrays: Arrays) -> np.ndarray:
    return arrays["transformer/expand/conv3/conv/weights"]


class StyleNorms:
    """The map from a style vector to all style normalisations, which are linear in it (Ghiasi et al. 2017)."""

    def __init__(self, architecture: Architecture, arrays: Arrays) -> None:
        self._slices = norm_slices(architecture)
        paths = [f"style_params/{path}/StyleNorm" for path in norm_paths(architecture)]
        parts = [f"{path}/{part}" for part in ("Conv_1", "Conv") for path in paths]  # gammas, betas
        weights = [arrays[f"{part}/weights"].reshape(architecture.vector_size, -1) for part in parts]
        self._weights, self._biases = np.hstack(weights), np.hstack([arrays[f"{part}/biases"] for part in parts])

    def __call__(self, vector: np.ndarray) -> list[NormParams]:
        """Map (vector_size,) to one gamma and beta for each normalisation, in the order in which they run."""
        gamma, beta = np.split(np.asarray(vector @ self._weights + self._biases, "float32"), 2)
        return [(gamma[part], beta[part]) for part in self._slices]


def subpixel_kernel(kernel: np.ndarray) -> np.ndarray:
    """Map a kernel (k, k, n, m) to (k + 1, k + 1, n, 4 m), which gives 2 x 2 pixels at once, in strides of two."""
    size, _, inputs, outputs = kernel.shape
    folded = np.zeros((size + 1, size + 1, inputs, 2, 2, outputs), "float32")
    for i, j in np.ndindex(2, 2):
        folded[i : i + size, j : j + size, :, i, j] = kernel
    return folded.reshape(size + 1, size + 1, inputs, 4 * outputs)


def fold_upsampling(kernel: np.ndarray) -> np.ndarray:
    """Map a kernel (3, 3, n, m) over an upsampled input to (2, 2, n, 4 m) over the input, for 2 x 2 pixels at once.

    Of three neighbours in the upsampled input two are the same pixel: the last two for the first of a pair, and the
    first two for the second.
    """
    taps = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], "float32")  # pixel of the pair, new tap, old tap
    folded: np.ndarray = np.einsum("pai,qbj,ijnm->abnpqm", taps, taps, kernel)
    return folded.reshape(2, 2, kernel.shape[2], 4 * kernel.shape[3])
