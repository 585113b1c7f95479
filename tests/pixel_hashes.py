"""Tell whether a change of the code changed a picture: paint some through every door and keep their hashes.

python -m tests.pixel_hashes write FILE    # before the change
python -m tests.pixel_hashes compare FILE  # after it: prints what differs, and exits with 1 where something does

The doors are `import API`, `python -m model` and HTTP, which stay where they are when modules move. A hash holds for
the machine, and for the versions of the libraries, that it was made with.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
import pyvips
import requests
from PIL import Image, ImageSequence

Hashes: TypeAlias = dict[str, str]  # of "pixels", and of "recipe" and "bytes" where there are any
Pictures: TypeAlias = Iterator[tuple[str, Hashes]]  # with their names

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180  # seconds, for the server to start or to paint a job
FILES = ("content", "style", "mask", "start", "image", "picture")  # fields that may be pictures

# As forms have them; content is photo.png and style is swirl.png where nothing else is said.
_KINDS = "turned.jpg cmyk.jpg printed.jpg clear.png deep.png grey.png tiny.png plain.png palette.gif photo.webp"
STYLIZED = {f"kind {name}": f"content={name}" for name in _KINDS.split()} | {
    "strength": "strength=0.4 format=jpeg quality=80",
    "steady": "strength=0.5 steady=yes format=webp",
    "blend": "style=swirl.png style=waves.png weights=2,1 size=200",
    "fine brush": "style_scale=0.5 tiles=never",
    "broad brush": "style_scale=2 format=tiff",
    "print": "content=clear.png print=4x3cm dpi=100 format=tiff",
    "colours kept": "keep_colours=0.7 keep_light=0.3",
    "histogram": "match_colours=histogram",
    "covariance": "style=swirl.png style=waves.png match_colours=covariance",
    "style file": "style=two.style.json style=waves.png",
    "mask": "content=turned.jpg mask=disc.png feather=3 format=jpeg",
    "alpha outside": "content=clear.png mask=alpha paint=outside format=webp",
    "regions": "style=swirl.png style=waves.png mask=everywhere mask=disc.png region_styles=2,0 "
    "region_strengths=0.6,1 steady=yes keep_colours=0.5",
    "bands": "content=large.jpg mask=disc.png tiles=always keep_light=0.4 feather=1",
    "clear bands": "content=clear.png tiles=always size=900 format=tiff",
}
REFINED = {
    "fast": "preset=fast mask=disc.png steps=4 size=128 keep_colours=0.4",
    "lbfgs": "start=content encoder=vgg19-slim optimizer=lbfgs loss=absolute steps=3 size=100 content_weight=10 "
    "style_layers=block1_conv1:0.5,block3_conv1 format=jpeg",
    "noise": "content=clear.png style=swirl.png style=waves.png start=noise seed=7 encoder=vgg19-slim steps=4 size=112 "
    "scales=1 average=0 strength=0.7 weights=1,3 match_colours=covariance style_scale=0.5 format=webp",
    "begun": "start=turned.jpg encoder=vgg19-slim steps=3 size=100 patience=2 rate=0.05",
}


def parsed(case: str) -> dict[str, list[str]]:
    """Return the values of each field."""
    fields: dict[str, list[str]] = {}
    for name, _, value in (field.partition("=") for field in case.split()):
        fields.setdefault(name, []).append(value)
    return {"content": ["photo.png"], "style": ["swirl.png"]} | fields


def write_pictures() -> None:
    """Write every picture and clip that the cases name into the current folder, the same ones each time."""
    y, x = np.mgrid[0:96, 0:128] / 96
    hill = np.stack([0.3 + 0.4 * y, 0.6 - 0.3 * y * x, 0.9 - 0.6 * y], -1)
    hill[(x - 0.9) ** 2 + (y - 0.3) ** 2 < 0.03] = (1.0, 0.9, 0.5)
    hill[(abs(x - 0.4) < 0.15) & (abs(y - 0.65) < 0.2)] = (0.6, 0.25, 0.2)
    for name, across, down in ("swirl", 30, 24), ("waves", 9, 50):
        swirl = np.sin(across * (x + 0.15 * np.sin(9 * y))) + np.sin(down * (y + 0.2 * np.sin(7 * x)))
        _image(0.5 + 0.45 * np.sin(2.2 * swirl[..., None] + [0.0, 2.1, 4.2])).save(f"{name}.png")
    _image(1.0 * ((x - 0.7) ** 2 + (y - 0.5) ** 2 < 0.12)).save("disc.png")
    photo, clear, turn = _image(hill), _image(hill), Image.Exif()
    turn[0x0112] = 6
    photo.rotate(90, expand=True).save("turned.jpg", exif=turn, quality=95)
    photo.convert("CMYK").save("cmyk.jpg", quality=95)
    photo.save("printed.jpg", dpi=(150, 150), quality=95)
    clear.putalpha(_image(np.clip(x, 0, 1)))
    clear.save("clear.png")
    deep = pyvips.Image.new_from_array((hill * 65535).astype("uint16")).copy(interpretation="rgb16")
    deep.pngsave("deep.png", bitdepth=16)
    photo.convert("L").save("grey.png")
    photo.resize((24, 18)).save("tiny.png")
    Image.new("RGB", (64, 48), "teal").save("plain.png")
    photo.quantize(24).save("palette.gif")
    photo.save("photo.webp")
    photo.save("photo.png")
    photo.resize((1024, 768)).save("large.jpg", quality=95)
    frames = [photo.copy() for _ in range(5)]
    for number, frame in enumerate(frames):
        frame.paste("white", (20 * number, 40, 20 * number + 16, 56))
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)


def _image(values: np.ndarray) -> Image.Image:
    return Image.fromarray((values * 255).round().astype("uint8"))


def of_array(array: np.ndarray) -> Hashes:
    return {"pixels": _sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes())}


def of_file(data: bytes) -> Hashes:
    """Hash every frame of a picture as RGBA, its recipe, and the file."""
    with Image.open(io.BytesIO(data)) as image:
        hashes = {"pixels": _of_frames(frame.convert("RGBA") for frame in ImageSequence.Iterator(image))}
        exif = image.getexif()
        places = image.info.get("pastiche-recipe"), image.info.get("comment"), exif.get(0x010E)
        for text in map(str, (*places, exif.get_ifd(0x8769).get(0x9286))):
            if found := re.search(r"\{.*\}", text):
                hashes |= of_json(json.loads(found[0]))
    return hashes | {"bytes": _sha256(data)}


def of_video(data: bytes) -> Hashes:
    with av.open(io.BytesIO(data), "r") as video:
        return {"pixels": _of_frames(frame.to_image() for frame in video.decode(video=0))}


def of_json(recipe: Any) -> Hashes:
    return {"recipe": _sha256(json.dumps(recipe, sort_keys=True).encode())}


def _of_frames(frames: Iterator[Image.Image]) -> str:
    return _sha256(b"".join(f"{frame.mode} {frame.size}".encode() + frame.tobytes() for frame in frames))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def cli_pictures() -> Pictures:
    """Paint through `python -m model`, which also writes the style file that other doors paint with."""
    yield "cli vector", {"bytes": _sha256(_run("vector swirl.png waves.png --weights=2,1", "two.style.json"))}
    for name, case in (STYLIZED | REFINED).items():
        fields = parsed(case)
        words = ["refine --film=film.webp" if name in REFINED else "stylize", *fields.pop("content")]
        words += fields.pop("style")
        for key, values in fields.items():
            flag = f"--{key.replace('_', '-')}"
            words += [flag if value == "yes" else f"{flag}={value}" for value in values]
        yield f"cli {name}", of_file(_run(" ".join(words), f"{name}.png"))
    yield "cli film", of_file(Path("film.webp").read_bytes())
    yield "cli rerun", of_file(_run("rerun regions.png photo.png", "again.webp"))
    yield "cli rerun refinement", of_file(_run("rerun lbfgs.png photo.png swirl.png", "again.tif"))
    sheet = "sheet photo.png swirl.png waves.png --strengths=0.5,1 --style-scales=1,2 --size=96 --keep-light=0.5"
    yield "cli sheet", of_file(_run(sheet, "sheet.jpg"))
    clip = "clip clip.gif swirl.png waves.png --weights=1,2 --size=96 --smooth=0.5"
    yield "cli clip.gif", of_file(_run(clip, "painted.gif"))
    yield "cli clip.mp4", of_video(_run(clip, "painted.mp4"))
    yield "cli video", of_file(_run("clip painted.mp4 waves.png --keep-light=0.5", "again.gif"))
    yield from compiled_pictures()


def compiled_pictures() -> Pictures:
    """Paint by Winograd's convolutions: the way that was found the fastest is kept in a file, which is overwritten.

    Weights are loaded once for each path, so that each copy of them has its way chosen anew.
    """
    os.environ["STYLE_PRECISION"] = "auto"
    for copy in "tried.npz", "chosen.npz":
        shutil.copy(next(ROOT.glob("model/**/magenta-small.npz")), copy)
    _run("stylize tiny.png swirl.png --model=tried.npz", "tried.png")
    [kept] = Path("cache/ways").iterdir()
    kept.write_text('["float32", "winograd", "float32"]')
    for picture, tiles in ("photo.png", "never"), ("large.jpg", "always"):
        data = _run(f"stylize {picture} swirl.png --model=chosen.npz --tiles={tiles}", "compiled.png")
        yield f"cli compiled {picture}", of_file(data)
    os.environ["STYLE_PRECISION"] = "float32"


def _run(command: str, output: str) -> bytes:
    """Run `python -m model` for a file, in this process: TensorFlow takes seconds to load."""
    printed = io.StringIO()
    sys.argv = ["model", *command.split(), f"--output={output}"]
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            runpy.run_module("model", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"python -m model {command}\n{printed.getvalue()}") from None
    return Path(output).read_bytes()


def api_pictures() -> Pictures:
    """Paint through `import API`."""
    import API

    for name, case in (STYLIZED | REFINED).items():
        call: Callable[..., np.ndarray] = API.refine if name in REFINED else API.transfer_style
        fields = parsed(case)
        styles, masks = fields.pop("style"), fields.pop("mask", None)
        yield f"api {name}", of_array(call(style=styles, mask=masks, **{key: one for key, [one] in fields.items()}))
    vector = API.style_vector("waves.png")
    yield "api vector", of_array(vector)
    yield "api painted vector", of_array(API.transfer_style(np.asarray(Image.open("large.jpg")), vector, size=160))
    yield "api refine=fast", of_array(API.transfer_style("photo.png", "swirl.png", refine="fast", steps=3, size=100))
    API.transfer_clip("clip.gif", "swirl.png", "api.webp", steady=True, smooth=0.9, keep_colours=0.5)
    yield "api clip.webp", of_file(Path("api.webp").read_bytes())


def http_pictures(address: str) -> Pictures:
    """Paint through the server's API, its older addresses and its pages."""
    browser = requests.Session()

    def fetch(path: str) -> bytes:
        answer = browser.get(address + path)
        answer.raise_for_status()
        return answer.content

    def send(path: str, fields: Mapping[str, list[str]]) -> requests.Response:
        sent = [(name, value) for name, values in fields.items() for value in values]
        pictures = [(name, value) for name, value in sent if name in FILES and "." in value]
        files = [(name, (value, Path(value).read_bytes())) for name, value in pictures]
        answer = browser.post(address + path, data=[one for one in sent if one not in pictures], files=files)
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer

    def finished(job: str) -> bytes:
        _wait_until(lambda: browser.get(f"{address}/api/v1/jobs/{job}").json()["state"] not in ("queued", "running"))
        return fetch(f"/api/v1/jobs/{job}/result")

    for name, case in STYLIZED.items():
        yield f"http {name}", of_file(send("/api/v1/stylize", parsed(case)).content)
    for name, case in REFINED.items():
        job = send("/api/v1/jobs", parsed(f"{case} method=gatys")).json()["id"]
        yield f"http {name}", of_file(finished(job))

    photo, waves, disc = (base64.b64encode(Path(f"{name}.png").read_bytes()) for name in ("photo", "waves", "disc"))
    styles = [{"name": "ink", "weight": 2}, {"image": waves.decode(), "weight": 1}]
    order: Any = {"content": photo.decode(), "style": styles, "mask": ["everywhere", disc.decode()], "size": 96}
    yield "http json", of_file(browser.post(f"{address}/api/v1/stylize", json=order).content)
    in_json = {"Accept": "application/json"}
    answer = browser.post(f"{address}/api/v1/stylize", json=order | {"region_styles": [1, 0]}, headers=in_json).json()
    Path("answer.png").write_bytes(_inlined(answer["image"]))
    yield "http json answer", of_file(_inlined(answer["image"])) | of_json(answer["recipe"])
    yield "http recipe", of_json(send("/api/v1/recipe", {"picture": ["answer.png"]}).json())
    sheet = send("/api/v1/sheet", parsed("style=flow style=waves.png strengths=0.5,1 size=64"))
    yield "http sheet", of_file(sheet.content)

    style = {"picture": ["swirl.png", "waves.png"], "name": ["Between"], "keep": ["vector"]}
    id = send("/api/v1/styles", style).json()["id"]
    yield "http vector", {"bytes": _sha256(fetch(f"/api/v1/styles/{id}/vector"))}
    yield "http thumbnail", of_file(fetch(f"/api/v1/styles/{id}/thumbnail"))
    job = send("/api/v1/jobs", parsed("content=turned.jpg style=Between format=jpeg quality=70")).json()["id"]
    yield "http job", of_file(finished(job))
    for name in "picture.png", "picture.webp", "picture.tiff", "shown", "before", "thumbnail":
        yield f"http result {name}", of_file(fetch(f"/results/{job}/{name}"))
    page = send("/", parsed("style=flow size=96 no_store=yes")).text
    for number, url in enumerate(re.findall(r"data:image/[a-z]+;base64,[\w+/=]+", page)):
        yield f"http page {number}", of_file(_inlined(url))
    job = send("/api/uploads/", {"image": ["grey.png"], "style": ["mosaic"]}).json()["id"]
    yield "http legacy upload", of_file(finished(job))
    style = send("/api/styles/", {"image": ["swirl.png"], "name": ["Older"]}).json()
    yield "http legacy style", of_file(fetch(style["image"]))


def _inlined(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


@contextmanager
def served() -> Iterator[str]:
    """Serve as `make run` does, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config=gunicorn.conf.py", "--log-level=warning", "app:create_app()"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"HOST": "127.0.0.1", "PORT": str(port)})
    address = f"http://127.0.0.1:{port}"

    def is_ready_or_dead() -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"{address}/readyz").ok
        return server.poll() is not None

    try:
        _wait_until(is_ready_or_dead)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("The server is not ready, or has not painted a job.")
        time.sleep(0.1)


def all_hashes() -> dict[str, Hashes]:
    """Paint everything in a temporary folder, in float32 and without anybody's settings, weights or data."""
    for name in [name for name in os.environ if name.startswith("STYLE_")]:
        del os.environ[name]
    hashes: dict[str, Hashes] = {}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        os.environ.update(STYLE_DATA_DIR=f"{folder}/data", STYLE_CACHE_DIR=f"{folder}/cache", TFHUB_CACHE_DIR=folder)
        os.environ.update(STYLE_PRECISION="float32", STYLE_RATE_LIMIT="", TF_CPP_MIN_LOG_LEVEL="3")
        write_pictures()
        with served() as address:
            for pictures in cli_pictures(), api_pictures(), http_pictures(address):
                hashes |= pictures
    return hashes


def differences(before: Mapping[str, Hashes], after: Mapping[str, Hashes]) -> Iterator[str]:
    """Yield a line for each picture that differs, or that only one side has."""
    for name in {**before, **after}:
        old, new = before.get(name, {}), after.get(name, {})
        if changed := [part for part in {**old, **new} if old.get(part) != new.get(part)]:
            yield f"{name}: {', '.join(changed)}"


def main(command: str, file: str) -> int:
    path, hashes = Path(file).absolute(), all_hashes()
    if command == "write":
        path.write_text(json.dumps(hashes, indent=1) + "\n", "utf-8")
        return 0
    changed = list(differences(json.loads(path.read_text("utf-8")), hashes))
    print("\n".join(changed or [f"All {len(hashes)} pictures are the same."]))
    return 1 if changed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "compare"):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
