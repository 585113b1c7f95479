"""What pages show, and jobs as a page's test needs them."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
from flask import Flask
from werkzeug.test import TestResponse

from app.jobs.queue import Job
from app.storage.tables import JobRow
from tests.support.requests import from_data_url, pixels


def ended(app: Flask, id: str) -> Job:
    """Wait until a job has ended."""
    jobs, job = app.extensions["jobs"], None
    while job is None or not job.ended:
        job = jobs.wait_for_change(id, job, 10)
    return job


def pictures(answer: TestResponse) -> dict[str, np.ndarray]:
    """The pictures in a page, by their element's id."""
    found = re.findall(r'<img id="(\w+)"[^>]* src="(data:[^"]+)"', answer.text)
    return {name: pixels(from_data_url(url)) for name, url in found}


def checked(page: str) -> set[str]:
    """Return the ids of the styles that are ticked."""
    return set(re.findall(r'name="style" value="([^"]+)" checked', page))


def problem_at(page: str, field: str) -> str | None:
    """Return the problem beside a field."""
    beside = re.search(rf'id="{field}-problem" role="alert">([^<]+)<', page)
    return html.unescape(beside[1]) if beside else None


def change(app: Flask, id: str, **values: Any) -> None:
    """Change a job's row as a worker does."""
    with app.extensions["library"].begin() as session:
        row = session.get_one(JobRow, id)
        for name, value in values.items():
            setattr(row, name, value)


def facts(page: str) -> dict[str, str]:
    """Return the settings on a result's page."""
    pairs = re.findall(r"<dt>([^<]+)</dt>\s*<dd>(.*?)</dd>", page, re.DOTALL)
    return {name: html.unescape(" ".join(re.sub(r"<[^>]+>", " ", value).split())) for name, value in pairs}


def words(page: str) -> str:
    """Return a page's words in one line, hidden ones too."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
