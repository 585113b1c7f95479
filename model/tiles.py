"""The transformer for pictures of any size, in bounded memory: the same pastiche as of the whole, up to rounding.

A style normalisation needs the mean and the variance of all of its input. So the network runs in passes, each over the
whole picture and up to the next statistics, in bands of full-width rows; feature maps lie on disk between two passes.
A band takes as many more rows of its input as the kernels reach, so that nothing shows where two bands meet. Nothing
is computed twice but the two expanding layers that would be the largest on disk.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import tensorflow as tf

from model import canvas, kernels
from model.bands import Bands, Conv, Layer, Moments, Norm, UpConv, through
from model.canvas import Plane
from model.errors import ImageTooLarge
from model.graph import Precision
from model.magenta import Magenta
from model.networks import Architecture
from model.progress import OnStage

TILED_FROM = 3_200_000  # pixels: from here on, two fifths of the memory for a third more time (docs/big.md)
BAND_BYTES = 8_000_000  # of the widest feature map of a band: what is larger is no quicker
LEAST_BAND = 4  # rows, of the residual blocks' feature maps; with fewer, the margins would take longer than the band

Put: TypeAlias = Callable[[int, np.ndarray], None]


class Rows(Protocol):
    """(H, W, 3) whose rows are read as rows[a:b]: uint8, or float32 in 0..1."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


def render(network: Magenta, content: Rows, vector: np.ndarray, put: Put, on_stage: OnStage | None = None) -> None:
    """Hands the pastiche of `content` to put(top, rows), band by band from the top: (h, W, 3) float32 in 0..1.

    Sides are 32 pixels or more: what is smaller than the kernels reach is for Magenta.render.
    on_stage(done, of): called at the start and after each band of each pass; what it raises stops the render.
    Raises ImageTooLarge where the disk has no room for the feature maps.
    """
    height, width = content.shape[:2]
    needed = disk_bytes(network.architecture, height, width)
    with canvas.scratch() as folder:
        _refuse_full_disk(folder, needed, width, height)
        try:
            _Render(_Weights(network, vector), folder, (height, width), on_stage or _nobody).run(content, put)
        except OSError as error:
            if error.errno == errno.ENOSPC:  # filled by others since then
                raise _full(folder, needed, width, height) from error
            raise


def disk_bytes(architecture: Architecture, height: int, width: int) -> int:
    """That `render` needs for a while: two feature maps of the residual blocks, or one and the picture."""
    rows, columns, channels = -(-height // 4), -(-width // 4), architecture.channels[2]
    return 4 * rows * columns * (channels + max(channels, 16 * 3))


def _refuse_full_disk(folder: Path, needed: int, width: int, height: int) -> None:
    if needed > shutil.disk_usage(folder).free:
        raise _full(folder, needed, width, height)


def _full(folder: Path, needed: int, width: int, height: int) -> ImageTooLarge:
    free = shutil.disk_usage(folder).free
    return ImageTooLarge(
        f"A result of {width} x {height} pixels needs {needed / 1e9:.1f} GB of disk for a while, but only "
        f"{free / 1e9:.1f} GB is free: make room, let TMPDIR name another disk, or ask for a smaller size.",
        "size",
    )


def _nobody(done: int, of: int) -> None:
    pass


class _Weights:
    """The transformer's arrays as the passes want them, for one style vector."""

    def __init__(self, network: Magenta, vector: np.ndarray) -> None:
        self.architecture, self._vector = network.architecture, np.asarray(vector, "float64")
        self._arrays, self._way = network.arrays, network.way

    def contracting(self) -> list[Layer]:
        parts = kernels.contracting(self.architecture, self._arrays)
        layers = zip(parts[::2], parts[1::2], (1, 2, 2), strict=True)
        return [Conv(*layer, self._way.contracting) for layer in layers]

    def conv(self, path: str) -> Conv:
        precision: Precision = "float32" if self._way.blocks == "winograd" else self._way.blocks
        return Conv(self._arrays[f"transformer/{path}/weights"], precision=precision)

    def last(self, path: str) -> Conv:
        return Conv(self._arrays[f"transformer/{path}/weights"], precision=self._way.expanding)

    def up_conv(self, path: str) -> UpConv:
        return UpConv(self._arrays[f"transformer/{path}/weights"], precision=self._way.expanding)

    def norm(self, path: str, moments: Moments) -> Norm:
        params = f"style_params/transformer/{path}/StyleNorm"
        return moments.norm(gamma=self._dense(f"{params}/Conv_1"), beta=self._dense(f"{params}/Conv"))

    def _dense(self, path: str) -> np.ndarray:
        product: np.ndarray = self._vector @ self._arrays[f"{path}/weights"] + self._arrays[f"{path}/biases"]
        return product


class _Render:
    """One run. Bands are counted in rows of the residual blocks' feature maps, a quarter of the picture's."""

    def __init__(self, weights: _Weights, folder: Path, size: tuple[int, int], on_stage: OnStage) -> None:
        self._weights, self._folder, self._on_stage = weights, folder, on_stage
        self._height, self._width = size
        self._rows, self._columns = -(-self._height // 4), -(-self._width // 4)
        narrow, middle, wide = weights.architecture.channels
        floats = {"contract": 16 * narrow, "residual": wide, "half": 4 * middle, "full": 16 * narrow, "put": 48}
        pixels = {kind: max(1, BAND_BYTES // (4 * number)) for kind, number in floats.items()}
        self._step = {kind: max(LEAST_BAND, count // self._columns) for kind, count in pixels.items()}
        passes = ["contract", "half", "full", "full", "put", *["residual"] * 2 * weights.architecture.residual_blocks]
        self._done, self._of = 0, sum(self._count(kind) for kind in passes)

    def run(self, content: Rows, put: Put) -> None:
        self._on_stage(0, self._of)
        wide = self._weights.architecture.channels[2]
        with self._plane(1, wide) as z:
            first = self._to_half(content, z)
            second = self._weights.up_conv("expand/conv2/conv")
            moments = self._pass("full", [first, second], self._read(z, "full"), self._rows)
            second = second.normed(self._weights.norm("expand/conv2/conv", moments))
            with self._plane(4, 3) as last:
                third = self._weights.last("expand/conv3/conv")
                moments = self._pass("full", [first, second, third], self._read(z, "full"), self._rows, into=last)
                self._put(last, self._weights.norm("expand/conv3/conv", moments), put)

    def _to_half(self, content: Rows, z: Plane) -> UpConv:
        """Fills z, what the residual blocks add to; returns the layer that comes next, with its normalisation."""
        with self._plane(1, z.shape[2]) as y:
            self._pass("contract", self._weights.contracting(), self._pixels(content), self._height, into=z)
            x = self._read(z, "residual")
            for block in range(1, self._weights.architecture.residual_blocks + 1):
                norm = self._residual(f"residual/residual{block}/conv1", x, y)
                norm = self._residual(f"residual/residual{block}/conv2", self._relu(y, norm), y)
                x = self._sum(z, y, norm)
            first = self._weights.up_conv("expand/conv1/conv")
            return first.normed(self._weights.norm("expand/conv1/conv", self._pass("half", [first], x, self._rows)))

    def _residual(self, path: str, x: Bands, y: Plane) -> Norm:
        """Fills y, whose former rows are read before they are written over."""
        return self._weights.norm(path, self._pass("residual", [self._weights.conv(path)], x, self._rows, into=y))

    def _pass(
        self, kind: str, layers: Sequence[Layer], bands: Bands, height: int, into: Plane | None = None
    ) -> Moments:
        """Takes a feature map of that height through the layers: what comes out is measured, and written `into`."""
        for layer in layers:
            bands, height = through(layer, bands, height), layer.height(height)
        moments, top = Moments(), 0
        with closing(bands):
            for band in bands:
                moments.add(band)
                if into:
                    into[top : top + len(band)] = band
                top += len(band)
                self._tell(kind, top / height)
        self._done += self._count(kind)
        return moments

    def _put(self, last: Plane, norm: Norm, put: Put) -> None:
        for first in range(0, self._height, 4 * self._step["put"]):
            rows = slice(first, min(first + 4 * self._step["put"], self._height))
            put(first, tf.sigmoid(norm(last[rows])[:, : self._width]).numpy())
            self._tell("put", rows.stop / self._height)

    def _tell(self, kind: str, share: float) -> None:
        self._on_stage(self._done + int(share * self._count(kind)), self._of)

    def _count(self, kind: str) -> int:
        return -(-self._rows // self._step[kind])

    def _plane(self, scale: int, channels: int) -> Plane:
        return Plane(self._folder, (scale * self._rows, scale * self._columns, channels), "float32")

    def _slices(self, kind: str, height: int) -> Iterator[slice]:
        step = self._step[kind] * -(-height // self._rows)
        return (slice(first, min(first + step, height)) for first in range(0, height, step))

    def _pixels(self, content: Rows) -> Bands:
        for rows in self._slices("contract", self._height):
            pixels = content[rows]
            yield pixels / np.float32(255) if pixels.dtype == np.uint8 else pixels

    def _read(self, plane: Plane, kind: str) -> Bands:
        return (plane[rows] for rows in self._slices(kind, self._rows))

    def _relu(self, y: Plane, norm: Norm) -> Bands:
        for rows in self._slices("residual", self._rows):
            x = norm(y[rows])
            yield np.maximum(x, 0, out=x)

    def _sum(self, z: Plane, y: Plane, norm: Norm) -> Bands:
        """Of z and the normalised y; it takes the place of z."""
        for rows in self._slices("residual", self._rows):
            x = norm(y[rows])
            x += z[rows]
            z[rows] = x
            yield x
