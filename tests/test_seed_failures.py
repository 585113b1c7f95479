"""What the projects that this one follows got wrong, one by one: ours must not."""

from __future__ import annotations

import base64
import io
import os
import re
import socket
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageFile, ImageOps

from API import transfer_style
from app import create_app
from app.settings import Settings
from model.errors import BrokenImage, ImageTooLarge, InvalidOption, UnsupportedImage
from model.imaging import image_files
from model.inference import magenta
from model.weights import registry

ROOT = Path(__file__).resolve().parents[1]
URL = "/api/v1/stylize"


def as_image(rgb: np.ndarray) -> Image.Image:
    return Image.fromarray(np.round(rgb * 255).astype("uint8"))


def as_file(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def as_pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


def test_png_divided_by_255_twice(photo: np.ndarray, photo_png: bytes, painting: np.ndarray):
    pastiche = transfer_style(photo_png, painting)
    assert np.array_equal(pastiche, transfer_style(np.asarray(as_image(photo)), painting))
    assert pastiche.mean() > 0.2
    assert np.array_equal(image_files.read(photo_png).rgb * 255, np.asarray(as_image(photo)))


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_grey_palette_cmyk_and_alpha_inputs_crash(photo: np.ndarray, painting_png: bytes, mode: str):
    image = as_image(photo)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype("uint16") * 257)
    else:
        image = image.convert(mode)
    file = as_file(image, "JPEG", quality=100) if mode == "CMYK" else as_file(image)
    plain = as_image(np.asarray(image) / 65535).convert("RGB") if mode == "I;16" else image.convert("RGB")
    pastiche = transfer_style(file, painting_png)
    assert pastiche.shape == photo.shape
    assert np.abs(pastiche - transfer_style(plain, painting_png)).mean() < 0.03
    assert transfer_style(photo, file).shape == photo.shape


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_ignored(photo: np.ndarray, painting: np.ndarray, format: str, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = as_file(as_image(photo), format, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    pastiche = transfer_style(file, painting)
    assert pastiche.shape == ((96, 128, 3) if orientation == 3 else (128, 96, 3))
    assert np.array_equal(pastiche, transfer_style(np.asarray(upright), painting))


def test_model_reloaded_on_each_request(photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    transfer_style(photo, painting)
    network = magenta.load(registry.choose(None))
    monkeypatch.setattr(magenta, "Magenta", lambda *_: pytest.fail("loaded anew"))
    transfer_style(photo, painting)
    assert magenta.load(registry.choose(None)) is network


def huge_png(width: int, height: int) -> bytes:
    """A header that promises much, and hardly any data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("size", [(40_000, 40_000), (20_000, 10_001), (2**31 - 1, 1)])
def test_unlimited_content_size(painting: np.ndarray, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageTooLarge, match="content"):
        transfer_style(huge_png(*size), painting)
    with pytest.raises(ImageTooLarge, match="style"):
        transfer_style(painting, huge_png(*size))


def test_unlimited_content_size_in_bytes(painting: np.ndarray, tmp_path: Path):
    huge = tmp_path / "huge.png"
    huge.touch()
    os.truncate(huge, image_files.MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(ImageTooLarge, match="2000 MB"):
        transfer_style(huge, painting)


@pytest.mark.parametrize("height", [48, 96, 33])
def test_whole_picture_squashed_to_a_square(
    photo: np.ndarray, painting: np.ndarray, monkeypatch: pytest.MonkeyPatch, height: int
):
    seen = []
    real = magenta.predictor_input
    monkeypatch.setattr(magenta, "predictor_input", lambda *given: seen.append(real(*given)) or seen[-1])
    assert transfer_style(photo[:height], painting[:height]).shape == (height, 128, 3)
    assert transfer_style(photo[:height], painting, size=64).shape == (round(height / 2), 64, 3)
    assert seen[0].shape == (256, round(256 * 128 / height), 3)


def test_a_bad_style_silently_returns_the_photo_unchanged(photo: np.ndarray, painting_png: bytes):
    for bad, error in [
        (b"no picture", UnsupportedImage),
        (b"", UnsupportedImage),
        (None, UnsupportedImage),
        ("nowhere.jpg", UnsupportedImage),
        (painting_png[:-5000], BrokenImage),
        (np.full((9, 9, 3), np.nan), UnsupportedImage),
        (np.zeros(3), InvalidOption),
        ([], InvalidOption),
    ]:
        with pytest.raises(error) as caught:
            transfer_style(photo, bad)
        assert caught.value.field == "style"


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    settings = Settings(data_dir=tmp_path / "data", warm_up=False, worker=False)
    return create_app(settings).test_client()


def form(content: bytes, style: bytes, **fields: str) -> dict[str, object]:
    return {"content": (io.BytesIO(content), "my-secret.png"), "style": (io.BytesIO(style), "painting.png"), **fields}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's working folder and its folder for temporary files."""
    folder = tmp_path / "watched"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def static_files() -> dict[Path, float]:
    return {path: path.stat().st_mtime for path in (ROOT / "static").rglob("*")}


def test_one_shared_output_file_for_all_users(
    client: FlaskClient, photo_png: bytes, painting_png: bytes, watched: Path
):
    before = static_files()
    one = client.post(URL, data=form(photo_png, painting_png))
    other = client.post(URL, data=form(painting_png, photo_png))
    assert (one.status_code, other.status_code) == (200, 200)
    assert not np.array_equal(as_pixels(one.data), as_pixels(other.data))
    assert np.array_equal(as_pixels(one.data), as_pixels(client.post(URL, data=form(photo_png, painting_png)).data))
    assert list(watched.iterdir()) == []
    assert static_files() == before


def pictures_in(page: str) -> list[str]:
    """Those of the API's examples are in its documentation."""
    return re.findall(r"data:image/(?!svg)[^\"']*", page)


def test_every_upload_listed_publicly(client: FlaskClient, photo_png: bytes, painting_png: bytes):
    rules = [rule for rule in client.application.url_map.iter_rules() if "GET" in (rule.methods or ())]
    addresses = [rule.rule for rule in rules if not rule.arguments]
    before = {address: pictures_in(client.get(address).text) for address in addresses}
    client.post(URL, data=form(photo_png, painting_png))
    client.post("/", data=form(photo_png, painting_png))
    for address in addresses:
        shown = client.get(address).text
        assert "my-secret" not in shown
        assert pictures_in(shown) == before[address]
    for folder in ("/static/", "/static/uploads", "/uploads", "/uploads/my-secret.png", "/static/my-secret.png"):
        assert client.get(folder).status_code == 404


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch):
    def attempt(*arguments: object, **_: object) -> None:
        pytest.fail(f"asked the network for {arguments}")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, attempt)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, attempt)


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/a.png", "https://example.org/a.png", "file:///etc/passwd"])
def test_style_url_fetched_by_the_server(client: FlaskClient, photo_png: bytes, url: str):
    content = base64.b64encode(photo_png).decode()
    as_field = client.post(URL, data={"content": (io.BytesIO(photo_png), "photo.png"), "style": url})
    as_file_of_it = client.post(URL, data=form(photo_png, url.encode()))
    in_json = [client.post(URL, json={"content": content, "style": style}) for style in (url, [{"image": url}])]
    other_name = client.post(URL, data=form(photo_png, photo_png, style_url=url))
    for answer in (as_field, as_file_of_it, *in_json, other_name):
        assert answer.status_code in (400, 415, 422)
        assert answer.json["error"]["field"] in ("style", "style_url")


@pytest.mark.usefixtures("_no_network")
def test_style_url_fetched_by_the_library(photo: np.ndarray):
    with pytest.raises(UnsupportedImage, match="style"):
        transfer_style(photo, "https://example.org/a.png")
