"""Styles, jobs and results, put straight into a library."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.storage.library import Library
from app.storage.records import Result, Style
from app.storage.tables import JobRow

ANN, BOB = "a" * 32, "b" * 32


HOUR = 3600.0


def add_style(library: Library, owner: str = ANN, **more: Any) -> Style:
    given = {
        "name": "The Great Wave",
        "credit": "Hokusai",
        "licence": "public domain",
        "picture": b"waves",
        "vector": None,
    }
    given |= {"thumbnail": b"small waves", "vector": None, "weights": None, "weights_sha256": None}
    return library.add_style(owner, **given | more)


def add_job(library: Library, owner: str = ANN, id: str = "1" * 32, photo: bytes = b"photo", **more: Any) -> JobRow:
    content = library.put_picture(owner, photo)
    now = time.time()
    given = {"state": "running", "order": {"content": content}, "order_digest": "d", "created": now}
    with library.begin() as session:
        row = JobRow(id=id, owner=owner, expires=now + 24 * HOUR, **given | more)
        session.add(row)
        library.hold(session, id, [content])
    return row


def add_result(library: Library, owner: str = ANN, id: str = "1" * 32, picture: bytes = b"pastiche") -> Result:
    job = add_job(library, owner, id, state="done")
    files = {"picture": picture, "before": b"before", "thumbnail": b"small pastiche"}
    keys = {name: library.put_picture(owner, data) for name, data in files.items()}
    with library.begin() as session:
        facts = {"width": 4, "height": 3, "seconds": 0.5, "weights": "w", "recipe": {"strength": 1.0}, "complete": True}
        return library.add_result(session, job, **keys, **facts)


def in_parallel(work: Callable[[int], object], numbers: range) -> None:
    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(work, numbers))
