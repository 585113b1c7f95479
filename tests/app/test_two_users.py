"""Two users at once, every door in turn: what each gets is made of what that one brought, and of nothing else."""

from __future__ import annotations

import base64
import io
import random
import re
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import requests
from PIL import Image
from werkzeug.serving import make_server

from tests.support.requests import pixels

REQUESTS = 200  # of both together
COLOURS = {"red": (210, 40, 30), "blue": (20, 60, 220)}


@pytest.fixture
def server(new_app) -> Iterator[str]:
    app = new_app(worker=True, renders=2, queue=50, jobs=500)
    with make_server("127.0.0.1", 0, app, threaded=True) as live:
        thread = threading.Thread(target=live.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{live.port}"
        live.shutdown()
        thread.join()


class User:
    """Every photo and painting has the user's own colour; whatever comes back must have it, or its negative."""

    def __init__(self, server: str, name: str) -> None:
        self.server, self.name, self.colour = server, name, np.array(COLOURS[name])
        self.session = requests.Session()
        self.random = random.Random(name)
        self.sent = self.pictures = 0
        self.jobs: list[str] = []
        self.strays: list[str] = []
        self.get("/")  # the browser's cookie

    def get(self, path: str, status: int = 200) -> requests.Response:
        return self.ask("GET", path, status)

    def ask(self, method: str, path: str, status: int, **body) -> requests.Response:
        answer = self.session.request(method, self.server + path, timeout=60, **body)
        self.sent += 1
        if answer.status_code != status:
            self.strays.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def picture(self) -> bytes:
        """Another one each time, in the same colour."""
        self.pictures += 1
        shade = np.clip(self.colour + self.random.randint(-9, 9), 0, 255).astype("uint8")
        file = io.BytesIO()
        Image.fromarray(np.full((40, 48 + self.pictures, 3), shade)).save(file, "PNG")
        return file.getvalue()

    def check(self, what: str, data: bytes, colour: np.ndarray) -> None:
        off = abs(pixels(data).astype(int) - colour).max()
        if off > 16:
            self.strays.append(f"{self.name} got {what} that is {off} from {colour}")

    @property
    def negative(self) -> np.ndarray:
        return 255 - self.colour

    def order(self) -> dict:
        return {"files": {"content": (f"{self.name}.png", self.picture()), "style": ("style.png", self.picture())}}

    def paint(self) -> None:
        self.check("a pastiche", self.ask("POST", "/api/v1/stylize", 200, **self.order()).content, self.negative)

    def paint_in_json(self) -> None:
        body = {name: base64.b64encode(self.picture()).decode() for name in ("content", "style")}
        answer = self.ask("POST", "/api/v1/stylize", 200, json=body, headers={"Accept": "application/json"})
        data = base64.b64decode(answer.json()["image"].partition(",")[2])
        self.check("a pastiche in JSON", data, self.negative)

    def start_job(self) -> None:
        key = {"Idempotency-Key": f"key-{len(self.jobs)}"}  # the same keys as the other user's
        self.jobs.append(self.ask("POST", "/api/v1/jobs", 202, headers=key, **self.order()).json()["id"])

    def fetch_result(self) -> None:
        job = self.ended(self.random.choice(self.jobs)) if self.jobs else None
        if job is None:
            return self.start_job()
        self.check("a job's result", self.get(job["result"]).content, self.negative)
        for name, colour in (("before", self.colour), ("thumbnail", self.negative), ("picture.jpeg", self.negative)):
            self.check(name, self.get(f"/results/{job['id']}/{name}").content, colour)

    def ended(self, id: str) -> dict:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            job = self.session.get(f"{self.server}/api/v1/jobs/{id}", timeout=60).json()
            if job["state"] == "done":
                return job
            time.sleep(0.1)
        raise AssertionError(f"{id} does not end: {job}")

    def add_style(self) -> None:
        """Under the same names as the other user's."""
        fields = {"data": {"name": f"Style {self.pictures}"}, "files": {"picture": ("p.png", self.picture())}}
        style = self.ask("POST", "/api/v1/styles", 201, **fields).json()
        self.check("a style's thumbnail", self.get(style["thumbnail"]).content, self.colour)

    def list_styles(self) -> None:
        own = [style for style in self.get("/api/v1/styles").json()["styles"] if style["own"]]
        for style in own[-2:]:
            self.check("a listed style", self.get(style["thumbnail"]).content, self.colour)

    def look_at_history(self) -> None:
        seen = self.get("/history").text
        if strangers := [id for id in re.findall("[0-9a-f]{32}", seen) if id not in self.jobs]:
            self.strays.append(f"in {self.name}'s history: {strangers}")

    def meddle(self, other: User) -> None:
        for id in other.jobs[-2:]:
            for path in (f"/api/v1/jobs/{id}", f"/api/v1/jobs/{id}/result", f"/results/{id}", f"/results/{id}/before"):
                self.get(path, 404)


def act(user: User, other: User) -> None:
    doors = [user.paint, user.paint_in_json, user.start_job, user.fetch_result, user.add_style, user.list_styles]
    doors += [user.look_at_history, lambda: user.meddle(other)]
    while user.sent < REQUESTS // 2:
        user.random.choice(doors)()


def test_nobody_gets_the_others_picture(server):
    users = [User(server, name) for name in COLOURS]
    threads = [threading.Thread(target=act, args=(user, other)) for user, other in (users, users[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for user, other in (users, users[::-1]):
        assert user.strays == []
        assert user.sent >= REQUESTS // 2
        user.fetch_result()
        page = user.get("/history").text
        assert not [id for id in other.jobs if id in page]
        assert [id for id in user.jobs if id in page]
        user.session.close()
    assert [user.strays for user in users] == [[], []]
