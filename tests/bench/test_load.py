"""What is made of a server's answers, and which requests it gets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from bench import load
from bench.load import Answer, Crowd
from tests.support.gunicorn import Server

SERVER = Server("http://127.0.0.1:1", Path(), 1)


def test_nothing_is_lost_between_clients() -> None:
    answers = [Answer(200, 0.1, None), Answer(503, 0.1, "2"), Answer(503, 0.1, None), Answer(0, 0.1, None)]
    met = load.crowd(8, lambda: answers * 50)
    assert (len(met.accepted), met.refused, met.errors) == (400, 400, 800)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "post", lambda address, body: Answer(503, 0.1, "1"))


def test_a_row_says_where_nobody_got_a_picture(refused: None) -> None:
    rows = load.crowds(SERVER, 64, 0.01)
    assert [row.split(" | ")[:7] for row in rows] == [
        ["64 px", str(clients), "no picture", "-", "-", "-", "-"] for clients in load.CLIENTS
    ]
    assert [row.split(" | ")[8] for row in rows] == ["0"] * len(load.CLIENTS)


def test_others_of_the_table_are_compared_all_the_same() -> None:
    assert load.speed(Crowd([0.2, 0.4], seconds=2.0), best=4.0) == "1.00 | 0.25 | 0.30 | 0.39"


def test_no_two_requests_for_memory_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def visits(address: str, seeds: Iterable[int], *files: list[bytes]) -> Crowd:
        asked.extend(seeds)
        return Crowd()

    monkeypatch.setattr(load, "visits", visits)
    monkeypatch.setattr(load, "worker_of", lambda pid: pid)
    monkeypatch.setattr(load, "resident", lambda pid: 10**6)
    told = load.memory(SERVER, 2000)
    assert asked == list(range(2000))
    assert "| 2000 | 1 | 1.000 | 0 | 0 |" in told


def test_each_seed_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []
    monkeypatch.setattr(load, "post", lambda address, body: (bodies.append(body), Answer(200, 0.1, None))[1])
    met = load.visits(SERVER.address, range(100, 120), [b"photo"], [b"painting"])
    assert len(met.accepted) == len(bodies) == 20
