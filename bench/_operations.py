"""How much there is to compute: what a rate is divided by."""

from __future__ import annotations

from model.networks.architecture import Architecture


def operations(architecture: Architecture, height: int, width: int) -> int:
    """Multiplications and additions in the transformer's convolutions as published, for one picture.

    What a way to run it saves, such as the sums over doubled pixels, counts as if it had been computed.
    """
    first, second, third = architecture.channels
    half, quarter = (-(-height // 2) * -(-width // 2), -(-height // 4) * -(-width // 4))
    layers = [  # side of the kernel, inputs, outputs, positions
        (9, 3, first, height * width),
        (3, first, second, half),
        (3, second, third, quarter),
        *[(3, third, third, quarter)] * (2 * architecture.residual_blocks),
        (3, third, second, 4 * quarter),
        (3, second, first, 16 * quarter),
        (9, first, 3, 16 * quarter),
    ]
    return sum(2 * side * side * inputs * outputs * positions for side, inputs, outputs, positions in layers)
