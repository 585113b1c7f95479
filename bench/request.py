"""Where the time of one whole request goes, and what the codecs around the network cost.

The request goes through Flask's test client to POST /api/v1/stylize: all of the server but its socket. The functions
that it passes through are timed from outside, and each only for itself, without the others that it calls.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from flask.testing import FlaskClient
from PIL import Image, ImageFile
from skimage import data
from werkzeug.test import EnvironBuilder

from app import create_app
from app.inputs import bodies, picture_fields
from app.settings import Settings
from bench._measure import ROOT, median_seconds, on_the_processor, table
from bench._published import full_weights
from model.imaging import image_files, pixel_ops
from model.imaging.pixel_ops import EightBitPicture, psnr
from model.inference.magenta import Magenta
from model.options import StylizeOptions
from model.pipelines import compositing, recipe_builder, recipes, stylization
from model.weights import registry

SIZE, REPEATS = 1024, 5
STYLE = "waves"  # of the gallery

OPAQUE = {"the network", "the style", "the style's colours", "the recipe"}  # what they call is theirs
WATCHED: list[tuple[str, Any, str]] = [
    ("receiving the form", bodies, "_parse_form"),
    ("receiving the form", picture_fields, "read_file"),
    ("looking at the header", image_files, "peek_size"),
    ("decoding", ImageFile.ImageFile, "load"),
    ("resizing", image_files, "_resize_image"),
    ("colours to sRGB", image_files, "_to_srgb"),
    ("into an array, upright", image_files, "_to_upright_srgb"),
    ("bytes to floats", pixel_ops, "as_float"),
    ("bytes to floats", compositing.pixel_ops, "as_float"),
    ("the style", stylization, "read_style"),
    ("the style", stylization, "_embed_style"),
    ("the style's colours", stylization, "_match_style_colours"),
    ("the network", Magenta, "render"),
    ("floats to bytes", pixel_ops, "as_uint8"),
    ("the recipe", recipe_builder, "stylize_recipe"),
    ("the recipe", recipe_builder, "photo_fields"),
    ("the recipe", recipes, "with_credits"),
    ("the recipe", image_files, "pillow_save_options"),
    ("encoding", image_files, "encode"),
]
REST = "all else: Flask, options, the library"


@dataclass
class Clock:
    """Seconds in each part of the request at hand."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _open: list[str] = field(default_factory=list)

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def timing(*args: Any, **kwargs: Any) -> Any:
            if self._open and self._open[-1] in OPAQUE:
                return call(*args, **kwargs)
            self._open.append(part)
            start = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - start
                self._open.pop()
                self.spent[part] += seconds
                if self._open:
                    self.spent[self._open[-1]] -= seconds

        return timing


@dataclass(frozen=True)
class Kind:
    """A request: the photo, and the kind of file that comes back."""

    name: str
    photo: bytes
    format: str


def photo(width: int, height: int, format: str) -> bytes:
    """A photo with grain, so that it is as hard to decode as one of a camera."""
    picture = np.asarray(Image.fromarray(data.coffee()).resize((width, height), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 12, picture.shape).astype("float32")
    return _saved((picture + grain).clip(0, 255).astype("uint8"), format, quality=92)


def _saved(pixels: np.ndarray, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


@contextmanager
def client(path: Path, folder: Path) -> Iterator[FlaskClient]:
    """Of a server that paints with these weights."""
    app = create_app(Settings(data_dir=folder, warm_up=False, worker=False, rate_limit=""))
    with patch.object(registry, "choose", lambda model_path: path):
        yield app.test_client()


def itemised(server: FlaskClient, kind: Kind) -> dict[str, float]:
    """Part -> seconds, in all under ""."""
    fields = {"content": (io.BytesIO(kind.photo), "photo"), "style": STYLE, "size": str(SIZE), "format": kind.format}
    environ = EnvironBuilder(method="POST", data=fields).get_environ()
    body, media_type = environ["wsgi.input"].read(), environ["CONTENT_TYPE"]
    found = [_one(server, body, media_type) for _ in range(REPEATS + 1)][1:]
    parts = [*dict.fromkeys(part for part, _, _ in WATCHED), REST, ""]
    return {part: statistics.median(one.get(part, 0.0) for one in found) for part in parts}


def _one(server: FlaskClient, body: bytes, media_type: str) -> dict[str, float]:
    clock = Clock()
    with ExitStack() as stack:
        for part, owner, name in WATCHED:
            stack.enter_context(patch.object(owner, name, clock.timed(part, getattr(owner, name))))
        start = time.perf_counter()
        answer = server.post("/api/v1/stylize", data=body, content_type=media_type)
        seconds = time.perf_counter() - start
    assert answer.status_code == 200, answer.text
    return {**clock.spent, REST: seconds - sum(clock.spent.values()), "": seconds}


def sizes_and_seconds(pastiches: Sequence[np.ndarray], encode: Callable[[np.ndarray], bytes]) -> str:
    """Cells of a table: milliseconds and kilobytes a megapixel, and how far the file is from the picture."""
    megapixels = sum(one.shape[0] * one.shape[1] for one in pastiches) / 1e6
    seconds = sum(median_seconds(partial(encode, one)) for one in pastiches)
    files = [encode(one) for one in pastiches]
    pairs = zip(files, pastiches, strict=True)
    error = statistics.mean(float(np.square(_opened(data) - one / 255).mean()) for data, one in pairs)
    distance = f"{-10 * np.log10(error):.1f} dB" if error else "the same"
    return f"{1e3 * seconds / megapixels:.0f} ms | {sum(map(len, files)) / megapixels / 1e3:.0f} kB | {distance}"


def _opened(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")) / 255


def _by_vips(pixels: np.ndarray, ending: str, **options: Any) -> bytes:
    height, width, bands = pixels.shape
    image = pixel_ops.load_vips().Image.new_from_memory(pixels.data, width, height, bands, "uchar")
    written: bytes = image.copy(interpretation="srgb").write_to_buffer(ending, **options)
    return written


def _ours(format: Any) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: image_files.encode(EightBitPicture(pixels), format)


def _pillow(format: str, **options: Any) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: _saved(pixels, format, **options)


def _vips(ending: str, **options: Any) -> Callable[[np.ndarray], bytes]:
    return lambda pixels: _by_vips(pixels, ending, **options)


ENCODERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "**PNG: ours**, Pillow with runs alone": _ours("png"),
    "PNG: Pillow, level 6, its default": _pillow("png"),
    "PNG: Pillow, level 3": _pillow("png", compress_level=3),
    "PNG: Pillow, level 1": _pillow("png", compress_level=1),
    "PNG: libvips, level 6, every filter": _vips(".png", compression=6, filter="all"),
    "PNG: libvips, level 2, Paeth's filter": _vips(".png", compression=2, filter="paeth"),
    "PNG: libvips, level 2, differences to the row above": _vips(".png", compression=2, filter="up"),
    "**WebP: ours**, Pillow with method 2": _ours("webp"),
    "WebP: Pillow, method 4, its default": _pillow("webp", quality=92),
    "WebP: Pillow, method 6": _pillow("webp", quality=92, method=6),
    "WebP: Pillow, method 0": _pillow("webp", quality=92, method=0),
    "**JPEG: ours**, Pillow": _ours("jpeg"),
    "JPEG: Pillow, optimised": _pillow("jpeg", quality=92, optimize=True),
    "JPEG: Pillow, progressive": _pillow("jpeg", quality=92, progressive=True),
    "JPEG: Pillow, with every pixel's colour": _pillow("jpeg", quality=92, subsampling=0),
    "JPEG: libvips": _vips(".jpg", Q=92, subsample_mode="on"),
}
PASTICHES = (data.coffee, "waves"), (data.astronaut, "ink"), (data.chelsea, "stained_glass"), (data.coffee, "papercut")


def _painted(picture: Any, style: str) -> np.ndarray:
    painting = ROOT / "static" / "styles" / f"{style}.jpg"
    pastiche = stylization.stylize(picture, [painting], StylizeOptions(size=SIZE), registry.SHIPPED_MAGENTA)
    return pixel_ops.as_uint8(pastiche.picture.rgb)


def encoders() -> str:
    pastiches = [_painted(read(), style) for read, style in PASTICHES]
    rows = [f"{name} | {sizes_and_seconds(pastiches, encode)}" for name, encode in ENCODERS.items()]
    return table("how | a megapixel takes | and becomes | off the picture by", rows)


WANTED = SIZE, SIZE * 3 // 4


def _decoded(photo: bytes, times: float) -> Image.Image:
    """So many times as large as wanted, at least."""
    image = Image.open(io.BytesIO(photo))
    image.draft(None, (round(times * WANTED[0]), round(times * WANTED[1])))
    image.load()
    return image


def _lanczos(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize(WANTED, Image.Resampling.LANCZOS))


def _shrunk(image: Image.Image) -> np.ndarray:
    return pixel_ops.resize(np.asarray(image), WANTED[::-1])


def _thumbnail(photo: bytes) -> np.ndarray:
    width, height = WANTED
    thumbnail = pixel_ops.load_vips().Image.thumbnail_buffer(photo, width, height=height, size="force")
    pixels: np.ndarray = thumbnail.numpy()
    return pixels


DECODERS: dict[str, Callable[[bytes], np.ndarray]] = {
    "**ours**": lambda photo: image_files.read_eight_bit(photo, limit=SIZE).rgb,
    "Pillow, the whole photo, resized by Pillow": lambda photo: _lanczos(_decoded(photo, 4)),
    "Pillow, twice as large or more, resized by Pillow": lambda photo: _lanczos(_decoded(photo, 2)),
    "Pillow, nearly twice as large or more, resized by Pillow": lambda photo: _lanczos(_decoded(photo, 1.9)),
    "Pillow, the whole photo, resized by libvips": lambda photo: _shrunk(_decoded(photo, 4)),
    "libvips alone, at its own choice": _thumbnail,
}


def decoders(photo: bytes) -> str:
    """PSNR is to the whole photo, resized in floats; and between the pastiches of both."""
    exact = pixel_ops.resize(np.asarray(_decoded(photo, 4)) / np.float32(255), WANTED[::-1])
    right, rows = _painted(exact, STYLE) / 255, []
    for name, decode in DECODERS.items():
        found, seconds = decode(photo), median_seconds(partial(decode, photo))
        distances = psnr(found / 255, exact), psnr(_painted(found, STYLE) / 255, right)
        rows.append(f"{name} | {1e3 * seconds:.0f} ms | {distances[0]:.1f} dB | {distances[1]:.1f} dB")
    return table("how | time | the photo's PSNR | its pastiche's PSNR", rows)


def _itemised_table(found: dict[str, dict[str, float]]) -> str:
    rows = []
    for part in next(iter(found.values())):
        cells = [f"{one[part]:.3f} s, {one[part] / one['']:.1%}" for one in found.values()]
        rows.append(" | ".join([part or "in all", *cells]))
    return table(" | ".join(["part", *found]), rows)


def requests(name: str, path: Path, kinds: Sequence[Kind]) -> str:
    with tempfile.TemporaryDirectory() as folder, client(path, Path(folder)) as server:
        found = {kind.name: itemised(server, kind) for kind in kinds}
    shares = ", ".join(f"{one['the network'] / one['']:.0%} ({kind})" for kind, one in found.items())
    return f"### {name}\n\nThe network's share: {shares}.\n\n{_itemised_table(found)}"


SECTION = """## A whole request

What a request does beside the network: a photo of 12 megapixels ({megabytes:.1f} MB of JPEG, with grain) or of
{size} px, a style of the gallery, a result of {size} px. It goes through the server but for its socket; each part is
timed without the others that it calls. Medians of {repeats} requests, after one whose style is not yet known.

{requests}

### Decoding

The 12-megapixel photo, to {size} px, and how far that is from the whole photo resized in floats.

{decoders}

### Encoding

{pastiches} pastiches of {size} px, by the weights that ship; quality 92 where a file loses something.

{encoders}"""


def section() -> str:
    on_the_processor()
    large = photo(4000, 3000, "JPEG")
    kinds = [
        Kind("JPEG of 12 MP in, JPEG out", large, "jpeg"),
        Kind("JPEG of 12 MP in, PNG out", large, "png"),
        Kind(f"PNG of {SIZE} px in, JPEG out", photo(*WANTED, "PNG"), "jpeg"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        networks = {"The full model": full_weights(Path(folder)), "The weights that ship": registry.SHIPPED_MAGENTA}
        found = [requests(name, path, kinds) for name, path in networks.items()]
    about = {"megabytes": len(large) / 1e6, "size": SIZE, "repeats": REPEATS, "pastiches": len(PASTICHES)}
    tables = {"requests": "\n\n".join(found), "decoders": decoders(large), "encoders": encoders()}
    return SECTION.format(**about, **tables)


if __name__ == "__main__":
    print(section())
