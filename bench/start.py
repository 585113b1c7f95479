"""From nothing to a picture: how long it takes to import, to answer, to be ready and to paint the first one.

    python -m bench.start

Every figure is of processes that have just been started; their files are in the system's cache, as they are on a
machine where the program has run before.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from PIL import Image
from skimage import data

from bench._measure import ROOT, on_the_processor, table, times
from bench._published import GRAPH, full_weights, missing
from bench.load import form, photo, post
from tests.support.gunicorn import COMMAND
from tests.support.services import free_port

REPEATS = 5
SIDE = 512  # pixels, of the photo and its pastiche
PYTHON = sys.executable
MOMENTS = ("page", "ready", "pastiche", "again")

Moments: TypeAlias = dict[str, float]  # seconds from the start; "again": what a second pastiche takes

TEXT = """## Start

Seconds of processes that have just been started, medians of {repeats}. The photo and its pastiche have {side} pixels.

### The server

From its start until the first page is there, until the weights are loaded, and until somebody has the first picture
who asks for it then; and what a second picture takes. "As hobby projects do it": TensorFlow is imported with the
module, and `hub.load` called at each request.

{servers}

### Commands

{commands}

### The first picture of a process

What `API.transfer_style` does in a process that has done nothing before.

{parts}"""


def section() -> str:
    on_the_processor()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content, painting = folder / "photo.jpg", folder / "painting.jpg"
        content.write_bytes(photo(SIDE))
        Image.fromarray(data.immunohistochemistry()).save(painting)
        published = full_weights(folder) if GRAPH.is_dir() else None
        return TEXT.format(
            repeats=REPEATS,
            side=SIDE,
            servers=servers(content, painting, published),
            commands=commands(content, painting, folder / "pastiche.png"),
            parts=parts(content, painting),
        )


def servers(content: Path, painting: Path, published: Path | None) -> str:
    body = form(content.read_bytes(), painting.read_bytes())
    ways = {"ours, the weights that ship": lambda: ours(body, None)}
    if published:
        ways["ours, the published network"] = lambda: ours(body, published)
        ways["as hobby projects do it, the published network"] = lambda: theirs(body, published)
    found = {name: medians(way) for name, way in ways.items()}
    least = list(found.values())[1 if published else 0]
    head = "server | first page | to ours | ready | first picture | to ours | a second picture"
    rows = [
        f"{name} | {met['page']:.2f} | {times(met['page'], least['page'])} | {shown(met.get('ready'))} | "
        f"{met['pastiche']:.2f} | {times(met['pastiche'], least['pastiche'])} | {met['again']:.2f}"
        for name, met in found.items()
    ]
    return table(head, rows) + missing("the published network", GRAPH)


def shown(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


def medians(way: Callable[[], Moments]) -> Moments:
    """After one that fills the caches: TensorFlow's files, and what the library keeps of its trial of this machine."""
    way()
    found = [way() for _ in range(REPEATS)]
    return {name: statistics.median(met[name] for met in found) for name in found[0]}


def ours(body: bytes, weights: Path | None) -> Moments:
    port = free_port()
    with tempfile.TemporaryDirectory() as data_dir:
        place = {"PORT": str(port), "STYLE_DATA_DIR": data_dir, "STYLE_RATE_LIMIT": ""}
        place |= {"STYLE_MODEL_DIR": str(weights)} if weights else {}
        with started(COMMAND, place) as since:
            return moments(f"http://127.0.0.1:{port}", body, since, ("/", "/readyz"))


def theirs(body: bytes, saved_model: Path) -> Moments:
    port = free_port()
    with started([PYTHON, "-m", "bench._seed_server", str(saved_model), str(port)], {}) as since:
        return moments(f"http://127.0.0.1:{port}", body, since, ("/",))


@contextmanager
def started(command: Sequence[str], place: dict[str, str]) -> Iterator[float]:
    """Yields the moment of the start."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    since = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | quiet | place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield since
    finally:
        process.terminate()
        process.wait(60)


def moments(address: str, body: bytes, since: float, pages: Sequence[str]) -> Moments:
    met = {}
    for name, page in zip(MOMENTS, pages, strict=False):
        wait_for(f"{address}{page}")
        met[name] = time.monotonic() - since
    assert post(address, body).status == 200
    return met | {"pastiche": time.monotonic() - since, "again": post(address, body).seconds}


def wait_for(address: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address):  # nobody listens yet, or 503
            return
        time.sleep(0.01)
    raise SystemExit(f"{address} does not answer.")


def commands(content: Path, painting: Path, output: Path) -> str:
    stylize = ["-m", "model", "stylize", content, painting, "-o", output]
    ways = {
        'python -c "import API"': ["-c", "import API"],
        "python -m model --help": ["-m", "model", "--help"],
        "python -m model stylize photo.jpg painting.jpg": stylize,
        'python -c "import tensorflow, tensorflow_hub"': ["-c", "import tensorflow, tensorflow_hub"],
        'python -c ""': ["-c", ""],
    }
    found = {name: statistics.median(finished(way) for _ in range(REPEATS)) for name, way in ways.items()}
    return table("command | seconds", [f"`{name}` | {seconds:.2f}" for name, seconds in found.items()])


def finished(arguments: Sequence[str | Path]) -> float:
    """Seconds."""
    start = time.monotonic()
    output(arguments)
    return time.monotonic() - start


def output(arguments: Sequence[str | Path]) -> str:
    command = [PYTHON, *map(str, arguments)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    return done.stdout


def parts(content: Path, painting: Path) -> str:
    """Of `model.stylize`, which is all that `API.transfer_style` calls."""
    found = [json.loads(output(["-m", "bench._cold", content, painting])) for _ in range(REPEATS)]
    spent = {name: statistics.median(one[name] for one in found) for name in found[0]}
    return table("part | seconds", [f"{name} | {seconds:.2f}" for name, seconds in spent.items()])


if __name__ == "__main__":
    print(section())
