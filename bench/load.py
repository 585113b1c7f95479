"""The server as `make run` starts it, with more and more clients at once, and its memory over many requests.

    python -m bench.load                                everything, about ten minutes
    python -m bench.load --requests 1000 --seconds 5    a quick look

Clients and server share the machine, as there is no other; so the clients do as little as they can.
"""

from __future__ import annotations

import argparse
import http.client
import io
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from skimage import data

from app.settings import Settings
from bench._measure import on_the_processor, table
from model.hardware.device import cores
from tests.support.gunicorn import Server, running

CLIENTS = 1, 4, 16, 64
SIDES = {384: 15.0, 1024: 30.0}  # pixels, long side of the photo and its pastiche: seconds for each number of clients
PATIENCE = 5  # seconds that a client waits before it tries again, at most, whatever it was told
FIRST, REQUESTS = 500, 10_000  # after which the memory is looked at
VISITORS = 8  # clients at once, meanwhile
STYLES = "waves", "mosaic", "aurora", "cubes", "dots"
BOUNDARY = "the-end-of-a-part"

LOAD = """## Under load

`make run` on {cores} cores, which are also the clients': it paints {renders} pictures at a time, and lets {queue}
requests wait. Each client posts the same photo to `/api/v1/stylize`, with a style of the gallery, and again as soon as
it has its picture; after a 503 it waits as long as `Retry-After` says, at most {patience} seconds. Seconds are those of
requests that got a picture. The bound is three times what a single client waits, times {places}/{renders}: so many
turns pass until all have been painted who were let in before. An error is anything but a picture, or a 503 that says
when to come back.

{table}"""

MEMORY = """### Memory

Resident memory of the process that paints, after requests of {visitors} clients for pictures of 64 to 160 pixels of
many sizes, from JPEG, PNG and WebP files to each of these, in {styles} styles of the gallery and in uploaded paintings.

{table}"""


@dataclass
class Crowd:
    """What a number of clients came to."""

    accepted: list[float] = field(default_factory=list)  # seconds until each picture was there
    refused: int = 0
    errors: int = 0
    seconds: float = 0.0  # from the first request to the last picture

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return len(self.accepted) / self.seconds if self.accepted else 0.0


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    retry_after: str | None


def section(requests: int = REQUESTS, seconds: float | None = None) -> str:
    on_the_processor()
    with serving() as server:
        rows = [row for side, usual in SIDES.items() for row in crowds(server, side, seconds or usual)]
    head = "photo | clients | pictures a second | to the best | median | 95 of 100 within | bound | 503 | errors"
    settings = Settings.from_environment()
    told = LOAD.format(
        cores=cores(),
        renders=settings.renders,
        queue=settings.queue,
        places=settings.renders + settings.queue,
        patience=PATIENCE,
        table=table(head, rows),
    )
    with serving() as server:
        return f"{told}\n\n{memory(server, requests)}"


@contextmanager
def serving() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        yield server


def crowds(server: Server, side: int, seconds: float) -> list[str]:
    """Rows of the table."""
    body = form(photo(side), style=STYLES[0])
    for _ in range(3):
        post(server.address, body)
    found = {clients: crowd(clients, lambda: again_and_again(server.address, body, seconds)) for clients in CLIENTS}
    best, bound = max(met.rate for met in found.values()), bound_of(found[1])
    return [
        f"{side} px | {clients} | {speed(met, best)} | {bound} | {met.refused} | {met.errors}"
        for clients, met in found.items()
    ]


def bound_of(alone: Crowd) -> str:
    """Seconds; `alone`: of a single client."""
    settings = Settings.from_environment()
    turns = (settings.renders + settings.queue) / settings.renders
    return f"{3 * statistics.median(alone.accepted) * turns:.2f}" if alone.accepted else "-"


def speed(met: Crowd, best: float) -> str:
    """Cells of the table, of which the last two are seconds; `best`: the highest rate."""
    if not met.accepted:
        return "no picture | - | - | -"
    typical, most = statistics.median(met.accepted), np.percentile(met.accepted, 95)
    return f"{met.rate:.2f} | {met.rate / best:.2f} | {typical:.2f} | {most:.2f}"


def crowd(clients: int, answers: Callable[[], Iterable[Answer]]) -> Crowd:
    """Each client takes what `answers()` gives, all at once."""
    met, lock, start = Crowd(), threading.Lock(), time.monotonic()

    def take() -> None:
        for answer in answers():
            with lock:
                count(met, answer, time.monotonic() - start)

    threads = [threading.Thread(target=take) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return met


def count(met: Crowd, answer: Answer, now: float) -> None:
    if answer.status == 200:
        met.accepted.append(answer.seconds)
        met.seconds = now
    elif answer.status == 503 and answer.retry_after:
        met.refused += 1
    else:
        met.errors += 1


def again_and_again(address: str, body: bytes, seconds: float) -> Iterator[Answer]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = post(address, body)
        yield answer
        if answer.retry_after:
            time.sleep(min(PATIENCE, int(answer.retry_after), max(0.0, until - time.monotonic())))


def post(address: str, body: bytes) -> Answer:
    """Status 0: there was no answer."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        connection.request(
            "POST", "/api/v1/stylize", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )
        response = connection.getresponse()
        response.read()
        return Answer(response.status, time.monotonic() - start, response.headers["Retry-After"])
    except (OSError, http.client.HTTPException):
        return Answer(0, time.monotonic() - start, None)
    finally:
        connection.close()


def photo(side: int, format: str = "JPEG") -> bytes:
    return file(data.coffee(), side, format)


def file(picture: np.ndarray, side: int, format: str) -> bytes:
    height, width = picture.shape[:2]
    size = round(side * width / max(height, width)), round(side * height / max(height, width))
    kept = io.BytesIO()
    Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS).save(kept, format)
    return kept.getvalue()


def form(content: bytes, painting: bytes | None = None, **fields: object) -> bytes:
    parts = [(f'name="{name}"', str(value).encode()) for name, value in fields.items()]
    parts.append(('name="content"; filename="photo"', content))
    if painting:
        parts.append(('name="style"; filename="painting"', painting))
    lines = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value for head, value in parts
    ]
    return b"\r\n".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


def memory(server: Server, requests: int) -> str:
    painter = worker_of(server.pid)
    photos = [photo(side, format) for side in (100, 128, 160, 300) for format in ("JPEG", "PNG", "WEBP")]
    paintings = [file(data.immunohistochemistry(), side, "JPEG") for side in (200, 256, 300)]
    rows, done, first = [], 0, 0
    for total in sorted({FIRST, *(REQUESTS * part // 10 for part in (1, 2, 5)), requests}):
        if total > requests:
            break
        met = visits(server.address, range(done, total), photos, paintings)
        done, now = total, resident(painter)
        first = first or now
        rows.append(f"{total} | {now / 1e6:.0f} | {now / first:.3f} | {met.refused} | {met.errors}")
    told = table(f"requests | MB | to that after {FIRST} | 503 | errors", rows)
    return MEMORY.format(visitors=VISITORS, styles=len(STYLES), table=told)


def visits(address: str, seeds: Iterable[int], photos: list[bytes], paintings: list[bytes]) -> Crowd:
    """One for each seed, between all clients; a painting is uploaded every sixth time."""
    left = iter(seeds)

    def wishes() -> Iterator[Answer]:
        for seed in left:
            rng = random.Random(seed)
            wish = {"size": rng.randrange(64, 161), "format": rng.choice(["png", "jpeg", "webp"])}
            style = rng.choice([*STYLES, None])
            given = {"style": style} if style else {"painting": rng.choice(paintings)}
            yield post(address, form(rng.choice(photos), **given, **wish))

    return crowd(VISITORS, wishes)


def worker_of(pid: int) -> int:
    """The process that gunicorn's first one has started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def resident(pid: int) -> int:
    """Bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="after which the memory is looked at")
    parser.add_argument("--seconds", type=float, help="for each number of clients")
    given = parser.parse_args()
    print(section(given.requests, given.seconds))


if __name__ == "__main__":
    main()
