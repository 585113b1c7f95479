"""Pictures that stay on disk: planes of rows, and files written from them without holding them in memory."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

import numpy as np
from PIL import ExifTags

from model import images, metadata
from model.errors import StyleTransferError
from model.metadata import Embedded

Format = Literal["png", "jpeg", "webp", "tiff"]
Dpi = tuple[float, float]

TEXTS = {"png": f"png-comment-0-{metadata.KEYWORD}", "tiff": "image-description"}  # libvips's names
_PREFIX, _LOCK = "style-transfer-", "lock"
_RESOLUTION = {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}
_EXIF = b"Exif\0\0"


class Plane:
    """An array (H, W, C) on disk: plane[a:b] reads rows, plane[a:b] = rows writes them. Its file goes with it.

    Read and written, not mapped: mapped pages would count as the program's own memory.
    """

    def __init__(self, folder: Path | str, shape: tuple[int, int, int], dtype: type[np.generic] | str) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.row_bytes = shape[1] * shape[2] * self.dtype.itemsize
        self._file, path = tempfile.mkstemp(dir=folder)
        self.path = Path(path)
        os.truncate(self._file, shape[0] * self.row_bytes)

    def __getitem__(self, rows: slice) -> np.ndarray:
        first, last = self._bounds(rows)
        array = np.empty((last - first, *self.shape[1:]), self.dtype)
        self.read_into(array, first)
        return array

    def __setitem__(self, rows: slice, array: np.ndarray) -> None:
        first, last = self._bounds(rows)
        if array.shape != (last - first, *self.shape[1:]):
            raise ValueError(f"rows of shape {array.shape} do not fit rows {first} to {last} of {self.shape}")
        data, offset = _bytes(np.ascontiguousarray(array, self.dtype)), first * self.row_bytes
        while data:
            written = os.pwrite(self._file, data, offset)
            data, offset = data[written:], offset + written

    def read_into(self, array: np.ndarray, first: int) -> None:
        """Fills `array`, contiguous and of this plane's type, with the rows from `first` on."""
        data, offset = _bytes(array), first * self.row_bytes
        while data:
            count = os.preadv(self._file, [data], offset)
            if not count:
                raise EOFError(f"{self.path} ends within row {offset // self.row_bytes}")
            data, offset = data[count:], offset + count

    def close(self) -> None:
        """Once is enough, twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Plane:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bounds(self, rows: slice) -> tuple[int, int]:
        first, last, step = rows.indices(self.shape[0])
        if step != 1:
            raise ValueError("a plane is read and written row by row, without leaving any out")
        return first, max(first, last)


def _bytes(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for planes, deleted at the end whatever happens; where the process is killed, by a later `sweep`.

    /tmp is memory on many systems, where /var/tmp is a disk; TMPDIR names another.
    """
    sweep()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_place()) as folder, _held(Path(folder)):
        yield Path(folder)


def sweep() -> None:
    """Removes what processes that were killed have left behind: pictures are private."""
    for folder in _place().glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its process lives
            shutil.rmtree(folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with (folder / f"new-{_LOCK}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.rename(file.name, folder / _LOCK)  # locked before anybody can see it
        yield


def _place() -> Path:
    chosen, disk = Path(tempfile.gettempdir()), Path("/var/tmp")
    return disk if chosen == Path("/tmp") and os.access(disk, os.W_OK) else chosen


def save(
    pixels: np.ndarray | Plane,
    path: Path,
    format: Format,
    quality: int = 92,
    *,
    dpi: Dpi | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """A file of (H, W, 3 or 4) uint8, as images.encode makes it, but written as it is read. TIFF is in tiles.

    What stood at `path` is replaced once the whole file is there.
    Raises ImageTooLarge for sides that this kind of file cannot hold, StyleTransferError where it cannot be written.
    """
    images.check_sides(pixels.shape, format)
    embedded = None if recipe is None else metadata.metadata(recipe, format)
    image = _described(_image(pixels), format, dpi, embedded)
    partial = path.with_name(f".{path.name}.part")
    try:
        _write(image, partial, format, quality)
        if format == "png":
            _mend_png(partial, dpi, embedded)
        elif dpi is None:
            _leave_out_resolution(partial, format)
        partial.replace(path)
    except (images.vips().Error, OSError) as error:
        reason = "is there room on the disk, and may its folder be written to?"
        raise StyleTransferError(f"'{path}' could not be written: {reason}") from error
    finally:
        partial.unlink(missing_ok=True)


def _image(pixels: np.ndarray | Plane) -> Any:
    vips, (height, width, bands) = images.vips(), pixels.shape
    if isinstance(pixels, Plane):
        return vips.Image.rawload(str(pixels.path), width, height, bands, interpretation="srgb", access="sequential")
    data = np.ascontiguousarray(pixels, np.uint8).data
    return vips.Image.new_from_memory(data, width, height, bands, "uchar").copy(interpretation="srgb")


def _described(image: Any, format: Format, dpi: Dpi | None, embedded: Embedded | None) -> Any:
    vips = images.vips()
    across, down = dpi or (0, 0)  # 0 is written too, and then taken out
    image = image.copy(xres=across / 25.4, yres=down / 25.4)  # pixels a millimetre
    blobs = {"icc-profile-data": images.srgb_profile()}
    if embedded and format in ("jpeg", "webp"):
        blobs |= {"xmp-data": embedded.xmp, "exif-data": embedded.exif(dpi)}
    if embedded and format == "tiff":
        blobs["xmp-data"] = embedded.xmp
    if embedded and embedded.text and format in TEXTS:
        image.set_type(vips.GValue.gstr_type, TEXTS[format], embedded.text)
    for name, data in blobs.items():
        image.set_type(vips.GValue.blob_type, name, data)
    return image


def _write(image: Any, path: Path, format: Format, quality: int) -> None:
    if format == "png":
        image.pngsave(str(path), compression=2, filter="paeth", keep="icc:other")  # 6 is slower and saves 1 %
    elif format == "jpeg":
        opaque = image.flatten(background=255) if image.hasalpha() else image
        opaque.jpegsave(str(path), Q=quality, subsample_mode="on")
    elif format == "webp":
        image.webpsave(str(path), Q=quality, effort=2)  # 4 takes twice as long and saves nothing
    else:
        tiles = {"tile": True, "tile_width": 256, "tile_height": 256}
        image.tiffsave(str(path), compression="deflate", predictor="horizontal", **tiles)


def _mend_png(path: Path, dpi: Dpi | None, embedded: Embedded | None) -> None:
    """libvips always writes a resolution, and has no chunk for texts beyond Latin-1; XMP may stand at the end too."""
    with path.open("r+b") as file:
        if dpi is None:
            file.seek(file.read(1 << 16).index(b"pHYs") - 4)
            file.write(_chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0)))  # pixels are square; it says no more
        if embedded:
            file.seek(-len(_chunk(b"IEND", b"")), os.SEEK_END)
            file.write(_chunk(b"iTXt", metadata.XMP_KEYWORD.encode() + bytes(5) + embedded.xmp) + _chunk(b"IEND", b""))


def _leave_out_resolution(path: Path, format: Format) -> None:
    """libvips always writes one, into TIFF's first directory or into EXIF, which is built alike: the rest moves up."""
    with path.open("r+b") as file:
        start = _directories(file, format)
        if start is None:
            return
        file.seek(start)
        order = "<" if file.read(2) == b"II" else ">"
        file.seek(start + 4)
        first = start + _number(file.read(4), f"{order}I")
        file.seek(first)
        count = _number(file.read(2), f"{order}H")
        entries = [file.read(12) for _ in range(count)]
        kept = [entry for entry in entries if _number(entry[:2], f"{order}H") not in _RESOLUTION]
        following = file.read(4)
        file.seek(first)
        file.write(struct.pack(f"{order}H", len(kept)) + b"".join(kept) + following + bytes(12 * (count - len(kept))))


def _directories(file: BinaryIO, format: Format) -> int | None:
    """Where the tags begin, from which they count; None where there are none."""
    if format == "tiff":
        return 0
    if format == "jpeg":
        found = file.read(1 << 16).find(_EXIF)
        return None if found < 0 else found + len(_EXIF)
    file.seek(12)
    while (head := file.read(8)) and head[:4] != b"EXIF":
        size = _number(head[4:], "<I")
        file.seek(size + size % 2, os.SEEK_CUR)
    return file.tell() + (len(_EXIF) if file.read(len(_EXIF)) == _EXIF else 0) if head else None


def _number(data: bytes, kind: str) -> int:
    return int(struct.unpack(kind, data)[0])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
