"""Whatever kind of file a photo is, the network sees what a person would, at every door; docs/pixels.md is the proof.

`python -m tests.test_pixels > docs/pixels.md` writes that page anew.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageCms, features

import API
from app import create_app
from app.settings import Settings
from model.__main__ import main
from model.pipelines import stylization
from tests.support.images import saved

PAGE = Path(__file__).resolve().parents[1] / "docs" / "pixels.md"
HEIGHT, WIDTH = 48, 72
PATIENCE = 20  # seconds, until the server has painted one of these


# --- what there is to be seen ---


def upright() -> np.ndarray:
    """(48, 72, 3) uint8 of four colours that fade: no turning leaves it as it is."""
    colours = np.array([[(200, 60, 50), (60, 170, 80)], [(50, 80, 190), (225, 215, 190)]])
    fade = np.linspace(1.0, 0.8, WIDTH)[None, :, None]
    return (colours.repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1) * fade).round().astype(np.uint8)


def grey() -> np.ndarray:
    return upright()[..., 1]


def see_through() -> np.ndarray:
    """(48, 72) uint8: from clear to opaque."""
    return np.tile(np.linspace(0, 255, WIDTH).round().astype(np.uint8), (HEIGHT, 1))


def of_grey(values: np.ndarray) -> np.ndarray:
    return values[..., None].repeat(3, 2)


@dataclass(frozen=True)
class Kind:
    """A kind of file, and what is right for it. `without`: the plugin that may be missing."""

    name: str
    make: Callable[[], bytes]
    rgb: Callable[[], np.ndarray] = upright
    alpha: Callable[[], np.ndarray] | None = None
    dpi: tuple[float, float] | None = None
    naive_fails: bool = False  # for those who only decode it
    without: str = ""


def jpeg(image: Image.Image, **options: Any) -> bytes:
    return saved(image, "JPEG", quality=97, subsampling=0, **options)


def photo() -> Image.Image:
    return Image.fromarray(upright())


# --- files, as they are found in the wild ---


STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # what EXIF says: the side where row 0, column 0 lie
    1: lambda seen: seen,  # top, left
    2: lambda seen: seen[:, ::-1],  # top, right
    3: lambda seen: seen[::-1, ::-1],  # bottom, right
    4: lambda seen: seen[::-1],  # bottom, left
    5: lambda seen: seen.swapaxes(0, 1),  # left, top
    6: lambda seen: seen[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda seen: seen[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda seen: seen[::-1].swapaxes(0, 1),  # left, bottom
}


def exif(**tags: Any) -> Image.Exif:
    made = Image.Exif()
    for name, value in tags.items():
        made[{"orientation": 0x0112, "across": 0x011A, "down": 0x011B, "unit": 0x0128}[name]] = value
    return made


def turned(orientation: int) -> bytes:
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright())))
    return jpeg(stored, exif=exif(orientation=orientation))


def palette() -> Image.Image:
    """Eight colours, as the corners of a cube."""
    image = Image.fromarray((upright() > 127) @ np.array([4, 2, 1], np.uint8)).convert("L")
    image.putpalette([250 * (entry >> bit & 1) for entry in range(8) for bit in (2, 1, 0)])
    return image


def palette_seen() -> np.ndarray:
    return ((upright() > 127) * 250).astype(np.uint8)


def palette_alpha() -> np.ndarray:
    """Of the palette's entry 4, red, half is left."""
    return np.where((upright() > 127) @ np.array([4, 2, 1]) == 4, 128, 255).astype(np.uint8)


def png_of_16_bits(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint16; Pillow writes none of these."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">2I5B", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


SRGB = [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]  # to XYZ, D50
ADOBE = [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
P3 = [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # of an ICC profile: g, a, b, c, d
ADOBE_CURVE = (563 / 256, 1.0, 0.0, 0.0, 0.0)


def light(values: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 -> linear."""
    g, a, b, c, d = SRGB_CURVE
    return np.where(values < d, c * values, (a * values + b) ** g)


def numbers(linear: np.ndarray, curve: tuple[float, ...]) -> np.ndarray:
    """`light` backwards, by any curve."""
    g, a, b, c, d = curve
    steep = (linear ** (1 / g) - b) / a
    return np.where(steep < d, linear / c if c else linear, steep)


def wide(matrix: list[list[float]], curve: tuple[float, ...]) -> Image.Image:
    """The same colours in the numbers of another space."""
    linear = light(upright() / 255) @ (np.linalg.inv(matrix) @ np.array(SRGB)).T
    return Image.fromarray((numbers(linear.clip(0, 1), curve) * 255).round().astype(np.uint8))


def profile(matrix: list[list[float]], curve: tuple[float, ...]) -> bytes:
    """That of sRGB, with other primaries and another curve."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    table = [struct.unpack_from(">4sII", data, 132 + 12 * number) for number in range(count)]
    places = {name: offset for name, offset, _ in table}
    for column, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ")):
        fixed = [round(matrix[row][column] * 65536) for row in range(3)]
        struct.pack_into(">3i", data, places[name] + 8, *fixed)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        struct.pack_into(">5i", data, places[name] + 12, *(round(value * 65536) for value in curve))
    return bytes(data)


def moving(format: str, **options: Any) -> bytes:
    later = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("black", "white")]
    return saved(photo(), format, save_all=True, append_images=later, duration=100, **options)


def gif() -> bytes:
    later = [Image.new("RGB", (WIDTH, HEIGHT), colour).convert("P") for colour in ("black", "white")]
    return saved(palette(), "GIF", save_all=True, append_images=later, duration=100)


def heic() -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return saved(photo(), "HEIF", quality=95)


TURNS = {
    1: "upright",
    2: "mirrored",
    3: "upside down",
    4: "upside down and mirrored",
    5: "on its side and mirrored",
    6: "on its left side",
    7: "on its other side and mirrored",
    8: "on its right side",
}
RGBA = np.dstack([upright(), see_through()])
KINDS = [
    Kind("JPEG", lambda: jpeg(photo())),
    Kind("PNG", lambda: saved(photo(), "PNG")),
    Kind("WebP", lambda: saved(photo(), "WEBP", lossless=True)),
    *(
        Kind(f"EXIF orientation {tag}: {words}", lambda tag=tag: turned(tag), naive_fails=tag > 1)
        for tag, words in TURNS.items()
    ),
    Kind("grey", lambda: jpeg(Image.fromarray(grey())), lambda: of_grey(grey())),
    Kind(
        "grey with alpha",
        lambda: saved(Image.merge("LA", [Image.fromarray(grey()), Image.fromarray(see_through())]), "PNG"),
        lambda: of_grey(grey()),
        see_through,
    ),
    Kind("palette", lambda: saved(palette(), "PNG"), palette_seen),
    Kind(
        "palette with transparency",
        lambda: saved(palette(), "PNG", transparency=b"\xff\xff\xff\xff\x80\xff\xff\xff"),
        palette_seen,
        palette_alpha,
    ),
    Kind("1 bit", lambda: saved(Image.fromarray(grey() > 127), "PNG"), lambda: of_grey((grey() > 127) * np.uint8(255))),
    Kind(
        "16 bits, grey",
        lambda: saved(Image.fromarray(grey().astype(np.uint16) * 257), "PNG"),
        lambda: of_grey(grey()),
    ),
    Kind("16 bits, colour", lambda: png_of_16_bits(upright().astype(np.uint16) * 257)),
    Kind("CMYK, as Adobe inverts it", lambda: jpeg(photo().convert("CMYK"))),
    Kind(
        "Adobe RGB profile",
        lambda: jpeg(wide(ADOBE, ADOBE_CURVE), icc_profile=profile(ADOBE, ADOBE_CURVE)),
        naive_fails=True,
    ),
    Kind(
        "Display P3 profile",
        lambda: saved(wide(P3, SRGB_CURVE), "PNG", icc_profile=profile(P3, SRGB_CURVE)),
        naive_fails=True,
    ),
    Kind("alpha in PNG", lambda: saved(Image.fromarray(RGBA), "PNG"), alpha=see_through),
    Kind("alpha in WebP", lambda: saved(Image.fromarray(RGBA), "WEBP", lossless=True, exact=True), alpha=see_through),
    Kind("animated GIF: its first frame", gif, palette_seen),
    Kind("animated WebP: its first frame", lambda: moving("WEBP", lossless=True)),
    Kind("animated PNG: its first frame", lambda: moving("PNG")),
    Kind("MPO of a stereo camera: its first picture", lambda: moving("MPO", quality=97, subsampling=0)),
    Kind("300 dots an inch in JPEG", lambda: jpeg(photo(), dpi=(300, 300)), dpi=(300, 300)),
    Kind("300 dots an inch in PNG", lambda: saved(photo(), "PNG", dpi=(300, 300)), dpi=(300, 300)),
    Kind(
        "120 dots a centimetre in EXIF",
        lambda: jpeg(photo(), exif=exif(across=120.0, down=120.0, unit=3)),
        dpi=(304.8, 304.8),
    ),
    Kind(
        "300 dots an inch in WebP",
        lambda: saved(photo(), "WEBP", lossless=True, exif=exif(across=300.0, down=300.0, unit=2)),
        dpi=(300, 300),
    ),
    Kind(
        "AVIF, where Pillow has it",
        lambda: saved(photo(), "AVIF", quality=97, subsampling="4:4:4"),
        without="" if features.check("avif") else "Pillow has no AVIF here.",
    ),
    Kind("HEIC, with pillow-heif", heic, without="" if find_spec("pillow_heif") else "pillow-heif is not installed."),
]


# --- doors ---


class Glass:
    """In place of the network: the pastiche is the photo."""

    name, sha256, plan = "glass", "0" * 64, "clear"
    architecture = SimpleNamespace(vector_size=4)

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def embed(self, style: np.ndarray, style_scale: float = 1.0) -> np.ndarray:
        return np.zeros(4, np.float32)

    def mixed_with(self, mixture: object) -> Glass:
        return self

    def render(self, content: np.ndarray, vector: np.ndarray, on_stage: Any = None) -> np.ndarray:
        for done in (0, 1):
            if on_stage:
                on_stage(done, 1)
        self.seen.append(np.array(content))
        return self.seen[-1]


@dataclass(frozen=True)
class Result:
    """dpi, profile: None where the door gives no file."""

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    dpi: tuple[float, ...] | None = None
    profile: str | None = None
    is_file: bool = True


Door = Callable[[bytes], Result]


def opened(data: bytes) -> Result:
    """As any other program would."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGBA"))
        alpha = pixels[..., 3] if image.has_transparency_data else None
        dpi = tuple(round(value) for value in image.info["dpi"]) if "dpi" in image.info else None
        icc = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        return Result(pixels[..., :3], alpha, dpi, ImageCms.getProfileDescription(icc).strip())


def painting() -> bytes:
    return saved(Image.effect_noise((32, 32), 90), "PNG")


def imported(data: bytes) -> Result:
    pastiche = API.transfer_style(data, painting())
    return Result((pastiche * 255).round().astype(np.uint8), is_file=False)


def typed(data: bytes) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        content, style, output = (Path(folder) / name for name in ("photo.bin", "painting.png", "pastiche.png"))
        content.write_bytes(data)
        style.write_bytes(painting())
        assert main(["stylize", str(content), str(style), "-o", str(output)]) == 0
        return opened(output.read_bytes())


def asked(client: FlaskClient) -> Door:
    def door(data: bytes) -> Result:
        answer = client.post("/api/v1/stylize", data=fields(data))
        assert answer.status_code == 200, answer.text
        return opened(answer.data)

    return door


def fields(data: bytes) -> dict[str, Any]:
    return {"content": (io.BytesIO(data), "photo"), "style": (io.BytesIO(painting()), "painting.png")}


def clicked(client: FlaskClient) -> Door:
    def door(data: bytes) -> Result:
        answer = client.post("/", data=fields(data))
        assert answer.status_code == 303, answer.text
        result = painted(client, answer.location)
        return opened(client.get(f"{result}/picture.png").data)

    return door


def painted(client: FlaskClient, job: str) -> str:
    """Where the result is; the job's own page leads there once it is done."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := client.get(job)).location:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)
    return answer.location


@contextmanager
def all_doors() -> Iterator[tuple[Glass, dict[str, Door]]]:
    glass = Glass()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(stylization, "load_network", lambda model_path=None: glass)
        app = create_app(Settings(data_dir=Path(folder), warm_up=False, rate_limit=""))
        client = app.test_client()
        try:
            yield (
                glass,
                {
                    "`import API`": imported,
                    "`python -m model`": typed,
                    "the page": clicked(client),
                    "`/api/v1`": asked(client),
                },
            )
        finally:
            app.extensions["worker"].stop()


DOORS = ["`import API`", "`python -m model`", "the page", "`/api/v1`"]


# --- the proof ---


def off(found: np.ndarray, right: np.ndarray) -> str:
    """What is wrong, "" for nothing."""
    if found.shape != right.shape:
        return f"{found.shape[1]} x {found.shape[0]}"
    error = np.abs(found.astype(int) - right.astype(int))
    return "" if error.mean() <= 2 and np.percentile(error, 99) <= 12 else f"off by {error.mean():.0f} of 255"


def verdict(kind: Kind, seen: np.ndarray, result: Result) -> str:
    """A cell of the table: what was found right, or what is wrong."""
    wrong = off((seen * 255).round(), kind.rgb()) or off(result.rgb, kind.rgb())
    if wrong or not result.is_file:
        return f"✗ {wrong}" if wrong else "✓"
    if "sRGB" not in (result.profile or ""):
        return f"✗ tagged {result.profile}"
    if result.dpi != (kind.dpi and tuple(round(value) for value in kind.dpi)):
        return f"✗ {result.dpi} dpi"
    right = kind.alpha and kind.alpha()
    if (right is None) != (result.alpha is None) or (right is not None and off(result.alpha, right)):
        return "✗ alpha"
    return "✓" + (" alpha" if kind.alpha else "") + (" resolution" if kind.dpi else "")


class Proof:
    """Each cell is found out once."""

    def __init__(self, glass: Glass, doors: dict[str, Door]) -> None:
        self._glass, self._doors = glass, doors
        self.cell = cache(self._cell)

    def _cell(self, kind: Kind, door: str) -> str:
        """Of what cannot be made here the table has what it had."""
        if kind.without:
            return "✓"
        self._glass.seen.clear()
        result = self._doors[door](kind.make())
        return verdict(kind, self._glass.seen[-1], result)

    def page(self) -> str:
        rows = [[kind.name, *(self.cell(kind, door) for door in DOORS)] for kind in KINDS]
        table = [["kind of photo", *DOORS], ["---"] * (1 + len(DOORS)), *rows]
        return ABOUT + "\n".join(f"| {' | '.join(row)} |" for row in table) + "\n"


ABOUT = """# Right pixels, proven

Each photo below was sent through each door, to a network that gives it back as it is. ✓: what reached the network, and
what came back, is upright, of the right size, and of the colours that a person sees in the photo, to within what its
own compression loses; and the file that came back is tagged with the sRGB profile. "alpha": the parts that were clear
are as clear as before. "resolution": the file has as many dots an inch as the photo. The array that `import API` gives
has neither.

Made by `python -m tests.test_pixels > docs/pixels.md`; `tests/test_pixels.py` fails where this page is not the truth.

"""


@pytest.fixture(scope="module")
def proof() -> Iterator[Proof]:
    with all_doors() as (glass, doors):
        assert list(doors) == DOORS
        yield Proof(glass, doors)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_pixels_are_right(kind: Kind, door: str, proof: Proof) -> None:
    if kind.without:
        pytest.skip(kind.without)
    assert proof.cell(kind, door).startswith("✓")


def test_the_page_is_the_truth(proof: Proof) -> None:
    assert PAGE.read_text("utf-8") == proof.page(), "run: python -m tests.test_pixels > docs/pixels.md"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.naive_fails], ids=lambda kind: kind.name)
def test_whoever_only_decodes_these_is_found_out(kind: Kind) -> None:
    with Image.open(io.BytesIO(kind.make())) as image:
        naive = np.asarray(image.convert("RGB"))
    assert verdict(kind, naive / 255, Result(naive, is_file=False)).startswith("✗")


@pytest.mark.parametrize(
    "spoilt",
    [
        Result(upright(), None, (300, 300), "sRGB built-in"),
        Result(upright(), see_through(), None, "sRGB built-in"),
        Result(upright(), see_through(), (300, 300), "Display P3"),
        Result(upright(), 255 - see_through(), (300, 300), "sRGB built-in"),
        Result(upright()[::-1], see_through(), (300, 300), "sRGB built-in"),
    ],
)
def test_what_a_door_loses_is_found_out(spoilt: Result) -> None:
    kind = Kind("all of it", lambda: b"", alpha=see_through, dpi=(300, 300))
    good = Result(upright(), see_through(), (300, 300), "sRGB built-in")
    assert verdict(kind, upright() / 255, good) == "✓ alpha resolution"
    assert verdict(kind, upright() / 255, spoilt).startswith("✗")


if __name__ == "__main__":
    with redirect_stdout(sys.stderr), all_doors() as (glass, doors):  # the command line tells of each photo
        page = Proof(glass, doors).page()
    sys.stdout.write(page)
