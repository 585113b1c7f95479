"""The residual blocks by Winograd's minimal filtering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle

import numpy as np

from model.inference.folding import NormParams
from model.inference.statistics import Band, ChannelAffine
from model.inference.winograd.matmul import pack_matrices
from model.inference.winograd.transform import WinogradConvolutions, add_normalised, filter_transform
from model.progress import OnBlock

MAX_SPARE_FLOATS = 32 * 2**20  # float32 in the buffer that stays for the next render: 128 MB, for a megapixel
_SPARE_BUFFERS: list[np.ndarray] = []  # one at most, or none while it is in use


class WinogradBlocks:
    """Residual blocks, one after another. Safe to use from many threads."""

    def __init__(self, kernels: Sequence[np.ndarray]) -> None:
        """kernels: two for each block, (3, 3, C, C)."""
        self._kernels = [pack_matrices(filter_transform(kernel)) for kernel in kernels]

    @contextmanager
    def run(self, x: np.ndarray, norms: Sequence[NormParams], on_block: OnBlock | None = None) -> Iterator[np.ndarray]:
        """Run all blocks on (H, W, C) float32, nowhere negative, 5 pixels a side or more.

        norms: one for each kernel. on_block(index): called before each block; what it raises ends the run. The result
        lies in a shared buffer: it is valid until the `with` ends.
        """
        convolutions, affine = self.convolutions(x.shape), ChannelAffine.identity(x.shape[2])
        with _borrow_buffer(4 * x.size) as floats:
            maps = floats[: 4 * x.size].reshape(2, 2, *x.shape)
            products, sums = map(cycle, maps)  # only the last two of each are needed
            y = x
            for number, norm in enumerate(norms):
                if on_block and number % 2 == 0:
                    on_block(number // 2)
                source, y = Band(0, y), next(products)
                if number and number % 2 == 0:
                    former, x = Band(0, x), next(sums)
                    statistics = convolutions.convolve_sum(former, source, affine, x, number, Band(0, y))
                else:
                    statistics = convolutions.convolve_rectified(source, affine, number, Band(0, y))
                affine = ChannelAffine.from_statistics(norm, [statistics])
            add_normalised(x, y, affine)
            yield y

    def convolutions(self, shape: tuple[int, ...]) -> WinogradConvolutions:
        """Return the convolutions of maps of this shape, (H, W, C)."""
        return WinogradConvolutions(self._kernels, shape)


@contextmanager
def _borrow_buffer(size: int) -> Iterator[np.ndarray]:
    """Yield `size` float32 or more, from the render before: fresh memory can take a tenth of a render's time."""
    floats = np.empty(0, "float32")
    with suppress(IndexError):  # in use, or none yet
        floats = _SPARE_BUFFERS.pop()
    if floats.size < size:
        floats = np.empty(size, "float32")
    yield floats
    if size <= MAX_SPARE_FLOATS:  # not reached after an error: some thread may still write there then
        _SPARE_BUFFERS[:] = [floats]
