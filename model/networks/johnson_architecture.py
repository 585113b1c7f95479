"""The sizes of networks after Johnson and the names of their arrays, ours and PyTorch's, as plain data: no Keras here.

Johnson, Alahi, Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016
(https://arxiv.org/abs/1603.08155), with the layers of PyTorch's fast neural style example
(https://github.com/pytorch/examples/tree/main/fast_neural_style).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JohnsonArchitecture:
    """`channels` are the widths of the three contracting layers; those of the published networks are the defaults."""

    channels: tuple[int, int, int] = (32, 64, 128)
    residual_blocks: int = 5


JOHNSON = JohnsonArchitecture()


def johnson_shapes(architecture: JohnsonArchitecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array by name, with kernels as (height, width, input, output)."""
    first, second, third = architecture.channels
    convolutions = {"conv1": (9, 3, first), "conv2": (3, first, second), "conv3": (3, second, third)}
    norms = {"in1": first, "in2": second, "in3": third, "in4": second, "in5": first}
    for block in range(1, architecture.residual_blocks + 1):
        convolutions |= {f"res{block}/conv{n}": (3, third, third) for n in (1, 2)}
        norms |= {f"res{block}/in{n}": third for n in (1, 2)}
    convolutions |= {"deconv1": (3, third, second), "deconv2": (3, second, first), "deconv3": (9, first, 3)}
    shapes: dict[str, tuple[int, ...]] = {}
    for path, (side, inputs, outputs) in convolutions.items():
        shapes |= {f"{path}/conv2d/weights": (side, side, inputs, outputs), f"{path}/conv2d/biases": (outputs,)}
    for path, width in norms.items():
        shapes |= {f"{path}/gamma": (width,), f"{path}/beta": (width,)}
    return shapes


def torch_name(name: str) -> str:
    """Return the name of an array in PyTorch's state dicts: "res1.in1.weight" of "res1/in1/gamma"."""
    path, _, variable = name.rpartition("/")
    return f"{path.replace('/', '.')}.{_TORCH_VARIABLES[variable]}"


_TORCH_VARIABLES = {"weights": "weight", "gamma": "weight", "biases": "bias", "beta": "bias"}
