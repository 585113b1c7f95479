"""The residual blocks by Winograd's filtering."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np

from model.kernels import Norm
from model.moments import Band, Scale
from model.products import laid_out
from model.progress import OnBlock
from model.winograd import Convolutions, add, spread


class Tower:
    """Residual blocks, one after another. Safe to use from many threads."""

    def __init__(self, kernels: Sequence[np.ndarray]) -> None:
        """kernels: two for each block, (3, 3, C, C)."""
        self._kernels = [laid_out(spread(kernel)) for kernel in kernels]

    def __call__(self, x: np.ndarray, norms: Sequence[Norm], on_block: OnBlock | None = None) -> np.ndarray:
        """(H, W, C) float32, nowhere negative, 5 pixels a side or more -> the same after all blocks.

        norms: one for each kernel. on_block(index): called before each block; what it raises ends the run.
        """
        convolutions, scale = self.convolutions(x.shape), Scale.none(x.shape[2])
        # Fresh memory for each map would take as long as filling it; the last two of each are all that is needed.
        products, sums = (cycle(np.empty((2, *x.shape), "float32")) for _ in range(2))
        y = x
        for number, norm in enumerate(norms):
            if on_block and number % 2 == 0:
                on_block(number // 2)
            source, y = Band(0, y), next(products)
            if number and number % 2 == 0:
                former, x = Band(0, x), next(sums)
                found = convolutions.joined(former, source, scale, x, number, Band(0, y))
            else:
                found = convolutions.rectified(source, scale, number, Band(0, y))
            scale = Scale.of(norm, [found])
        add(x, y, scale)
        return y

    def convolutions(self, shape: tuple[int, ...]) -> Convolutions:
        """Of maps (H, W, C)."""
        return Convolutions(self._kernels, shape)
